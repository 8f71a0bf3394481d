"""Rows that travel together, because one by one they would cost too much."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from bot.datasets.reading.problems import LOST, NUL, Problems
from bot.errors import DatasetError

ROWS = 2000  # a chunk's, where rows come one by one
MOST_BYTES = 4_000_000  # characters of a chunk of such rows, about
MOST_CELL = 1_000_000  # characters
MOST_COLUMNS = 1000


class Chunk(NamedTuple):
    """Some rows, and the line at which each begins, counted from 1."""

    lines: Sequence[int]
    rows: Sequence[dict[str, Any]]


def chunked(rows: Iterable[tuple[int, dict[str, Any], int]]) -> Iterator[Chunk]:
    """Rows that come one by one as (line, row, size in characters), in chunks."""
    lines: list[int] = []
    held: list[dict[str, Any]] = []
    total = 0
    for line, row, size in rows:
        lines.append(line)
        held.append(row)
        total += size
        if len(held) >= ROWS or total >= MOST_BYTES:
            yield Chunk(lines, held)
            lines, held, total = [], [], 0
    if held:
        yield Chunk(lines, held)


def clean(text: str, line: int, problems: Problems) -> str:
    """A text without halves of characters, which no encoding can hold; `problems` is told of them
    and of those that were lost before.
    """
    if "\0" in text:
        problems.add(NUL, line)
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if "\ufffd" in text:
        problems.add(LOST, line)
    return text


def check_cell(size: int, line: int) -> None:
    """Refuse a cell that nobody means. Raises DatasetError."""
    if size > MOST_CELL:
        raise DatasetError(
            f"Line {line:,} has a cell of {size:,} characters, and {MOST_CELL:,} is the most: a "
            "model learns from a few thousand. Is a quotation mark missing there?",
            line,
        )


def check_width(columns: int, line: int) -> None:
    """Refuse a row that no table has. Raises DatasetError."""
    if columns > MOST_COLUMNS:
        raise DatasetError(
            f"Line {line:,} has {columns:,} columns, and {MOST_COLUMNS:,} is the most. Keep the "
            "two with the prompt and the completion.",
            line,
        )
