"""What stands in the fields of an answer: any JSON, read as what it should be. Pure.

Services leave fields out, send null, or numbers as text; none of that is worth an error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

YEAR_10000 = 253_402_300_800.0
LARGEST = 2.0**53  # what JSON, floats and SQLite all hold


def text(value: Any) -> str:
    """A text without the blanks and newlines around it, "" for anything else."""
    return value.strip() if isinstance(value, str) else ""


def identifier(value: Any) -> str:
    """An id, which some services have as a number."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return text(value)


def number(value: Any) -> float | None:
    """A number that is one, None for "auto" and anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        read = float(value)
    except (ValueError, OverflowError):
        return None
    return read if abs(read) < LARGEST else None


def seconds(value: Any) -> float:
    """A time in Unix seconds, 0 where there is none that a calendar has."""
    read = number(value) or 0.0
    return read if 0 < read < YEAR_10000 else 0.0


def count(value: Any) -> int:
    """A whole number from 0 on, 0 where there is none."""
    return max(whole(value) or 0, 0)


def whole(value: Any) -> int | None:
    """A whole number, None where there is none."""
    read = number(value)
    return None if read is None else int(read)


def mapping(value: Any) -> Mapping[str, Any]:
    """An object, {} for anything else."""
    return value if isinstance(value, dict) else {}


def sequence(value: Any) -> Sequence[Any]:
    """An array, [] for anything else."""
    return value if isinstance(value, list) else []
