"""The keys under which platforms can look up what was sent: the same before and after a restart."""

from __future__ import annotations


def key_of(turn: int | None, row: int = 0) -> str:
    """The key of a turn's answer, or of a notice in that row of the outbox."""
    return f"turn-{turn}" if turn else f"notice-{row}"
