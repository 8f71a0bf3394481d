"""JSON with what people's programs write that is no JSON, seen and named."""

from __future__ import annotations

import json
from typing import Any

from bot.datasets.reading.chunk import clean
from bot.datasets.reading.problems import NOT_FINITE, TOO_DEEP, Problems


class Tolerant:
    """A parser for one value; it remembers what it had to overlook."""

    def __init__(self) -> None:
        self.twice = False
        self.not_finite = False
        self.decoder = json.JSONDecoder(
            object_pairs_hook=self._object, parse_constant=self._constant, parse_int=number
        )

    def loads(self, text: str) -> Any:
        """The value. Raises ValueError or RecursionError."""
        return self.decoder.decode(text)

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        self.twice = self.twice or len(found) < len(pairs)
        return found

    def _constant(self, _: str) -> None:
        self.not_finite = True


def number(digits: str) -> int | float:
    """An integer, or what is near it where it has too many digits for one."""
    return int(digits) if len(digits) <= 19 else float(digits)


def cleaned(
    row: dict[str, Any], line: int, problems: Problems, tolerant: Tolerant
) -> dict[str, Any] | None:
    """A row whose texts can all be written; None where it is left out."""
    if tolerant.not_finite:
        problems.add(NOT_FINITE, line)
    try:
        return {clean(key, line, problems): tidy(each, line, problems) for key, each in row.items()}
    except RecursionError:
        problems.add(TOO_DEEP, line)
        return None


def tidy(value: Any, line: int, problems: Problems) -> Any:
    """A value in which every text is clean."""
    if isinstance(value, str):
        return clean(value, line, problems)
    if isinstance(value, list):
        return [tidy(each, line, problems) for each in value]
    if isinstance(value, dict):
        return {
            clean(key, line, problems): tidy(each, line, problems) for key, each in value.items()
        }
    return value
