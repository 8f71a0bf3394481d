"""JSON lines: one object a line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from bot.datasets.reading.chunk import MOST_CELL, Chunk, check_cell, check_width
from bot.datasets.reading.problems import NOT_JSON, NOT_OBJECT, NOT_UTF8, TWICE, Problems
from bot.datasets.reading.tolerant import Tolerant, cleaned

_LOST = "\ufffd".encode()


def read(source: Iterator[tuple[int, list[bytes]]], problems: Problems) -> Iterator[Chunk]:
    """The objects; a line that is none is left out, and `problems` is told."""
    for number, lines in source:
        rows = quick(lines)
        if rows is not None:
            yield Chunk(range(number, number + len(lines)), rows)
            continue
        found = [
            (line, row)
            for line, raw in enumerate(lines, number)
            if raw.strip() and (row := careful(raw, line, problems)) is not None
        ]
        yield Chunk([line for line, _ in found], [row for _, row in found])


def quick(lines: list[bytes]) -> list[dict[str, Any]] | None:
    """All lines at once; None where one of them needs a closer look."""
    if max(map(len, lines)) > MOST_CELL:
        return None
    try:
        rows = [orjson.loads(line) for line in lines]
    except orjson.JSONDecodeError:
        return None
    if {type(row) for row in rows} != {dict} or odd(lines, rows):
        return None
    return rows


def odd(lines: list[bytes], rows: list[dict[str, Any]]) -> bool:
    """Whether a line may have a NUL character, a lost one, a hundred keys, or a key twice, however
    deep it stands. Of the last orjson is silent: then the rows have fewer colons than the lines.
    """
    joined = b"\n".join(lines)
    if rb"\u0000" in joined or _LOST in joined or max(map(len, rows)) > 100:
        return True
    try:
        return joined.count(b":") != orjson.dumps(rows).count(b":")
    except orjson.JSONEncodeError:  # values that stand in each other too deep
        return True


def careful(raw: bytes, line: int, problems: Problems) -> dict[str, Any] | None:
    """One line, with everything that can be wrong with it; None where it is left out."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        problems.add(NOT_UTF8, line)
        return None
    tolerant = Tolerant()
    try:
        value = tolerant.loads(text)
    except (ValueError, RecursionError):
        problems.add(NOT_JSON, line)
        return None
    if not isinstance(value, dict):
        problems.add(NOT_OBJECT, line)
        return None
    check_width(len(value), line)
    for each in value.values():
        if isinstance(each, str):
            check_cell(len(each), line)
    if tolerant.twice:
        problems.add(TWICE, line)
    return cleaned(value, line, problems, tolerant)
