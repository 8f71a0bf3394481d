"""Who changed what, for whoever asks later. It outlives /forget: see the README's decisions."""

from __future__ import annotations

from sqlite_utils import Database


def note(db: Database, person: str, what: str, about: str, now: float) -> None:
    """Note a change."""
    db.execute(
        "INSERT INTO audit (at, person, what, about) VALUES (?, ?, ?, ?)",
        [now, person, what, about],
    )
