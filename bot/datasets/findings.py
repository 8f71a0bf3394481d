"""What is said about training data: findings, and the remedies that they offer. Pure data."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

MOST_LINES = 5  # line numbers that a finding names


class Row(NamedTuple):
    """One example as it was read. `line` is where it begins in the file, counted from 1. One that
    is no suspect holds neither secrets nor special tokens: `bot.datasets.suspects` knows.
    """

    line: int
    fields: dict[str, Any]
    is_suspect: bool = True


class Level(StrEnum):
    """How bad a finding is."""

    ERROR = "error"  # nothing can be trained from this file as it is
    WARNING = "warning"  # it would train, worse or at a higher price than expected
    NOTE = "note"  # good to know


class Weight(StrEnum):
    """Whether a remedy may be declined."""

    NECESSARY = "necessary"  # it is done, or the file cannot be used
    RECOMMENDED = "recommended"  # done by "Apply all recommended" and --yes
    OFFERED = "offered"  # done only when it is chosen


@dataclass(frozen=True, slots=True)
class Remedy:
    """A change that is offered. `key` names it in buttons, `says` is an imperative: "Remove 3
    duplicate rows".
    """

    key: str
    says: str
    weight: Weight = Weight.RECOMMENDED


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that a check saw. `says` is a sentence for the operator; `lines` are the first few
    places, `count` how many there are (0: it is about the file as a whole).
    """

    check: str
    level: Level
    says: str
    lines: tuple[int, ...] = ()
    count: int = 0
    remedy: Remedy | None = None


def many(number: int, what: str = "example", plural: str = "") -> str:
    """ "1 example", "2,500 classes"."""
    return f"{number:,} {what if number == 1 else plural or what + 's'}"
