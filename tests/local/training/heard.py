"""What trainings told and left, to hold one against another."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from bot.local.training.events import Event

CHANCE = frozenset({"eta", "adapter", "results"})  # the clock's and the folder's


class Killed(BaseException):
    """The end of a process, as far as this one is concerned."""


def of_type(events: Iterable[Event], type_: str) -> list[Event]:
    return [event for event in events if event["type"] == type_]


def but_resumed(events: Iterable[Event]) -> list[Event]:
    """What a training that was not interrupted would have told."""
    return [event for event in events if event["type"] != "resumed"]


def told(events: Iterable[Event]) -> list[Event]:
    """Events without what depends on the clock and the folder."""
    return [{key: each for key, each in event.items() if key not in CHANCE} for event in events]


def adapter(events: Sequence[Event]) -> bytes:
    """What was learned, to the byte."""
    return Path(events[-1]["adapter"]).read_bytes()
