"""Tables as text: cells between commas, semicolons, tabs or bars, quoted where they must be."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any, TextIO

from bot.datasets.reading.blocks import MOST_LINE
from bot.datasets.reading.chunk import MOST_CELL, Chunk, check_cell, check_width, chunked, clean
from bot.datasets.reading.problems import LONG_ROW, SHORT_ROW, Problems
from bot.errors import DatasetError

DELIMITERS = (",", ";", "\t", "|")
SAMPLE_LINES = 50


class Lines:
    """A text's lines, one after the other; those of the record that is being read are held."""

    def __init__(self, source: TextIO, sample: Iterable[str]) -> None:
        self._lines = chain(sample, bounded(source))
        self.record: list[str] = []

    def __iter__(self) -> Lines:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.record.append(line)
        return line


def bounded(source: TextIO) -> Iterator[str]:
    """Lines, none of which can fill the memory."""
    while line := source.readline(MOST_LINE):
        yield line


def read(source: TextIO, problems: Problems, *, tabs: bool) -> Iterator[Chunk]:
    """The records below the header. Raises DatasetError, with the line, where a table ends in an
    open quotation mark, or has cells or rows that no table has.
    """
    sample = list(islice(bounded(source), SAMPLE_LINES))
    delimiter = delimiter_of(sample, tabs=tabs)
    yield from chunked(records(Lines(source, sample), delimiter, problems))


def records(
    lines: Lines, delimiter: str, problems: Problems
) -> Iterator[tuple[int, dict[str, Any], int]]:
    """Each record as a row, with its line and its size."""
    names: list[str] = []
    missing: dict[str, Any] = {}
    for line, cells in parsed(lines, delimiter):
        if not names:
            check_width(len(cells), line)
            names = header(cells, line, problems)
            missing = dict.fromkeys(names, "")
            continue
        if len(cells) > len(names) and any(cells[len(names) :]):
            check_width(len(cells), line)
            problems.add(LONG_ROW, line)
            continue
        if len(cells) < len(names):
            problems.add(SHORT_ROW, line)
        row = dict(zip(names, cleaned(cells, line, problems), strict=False))
        yield line, {**missing, **row} if len(cells) < len(names) else row, sum(map(len, cells))


def cleaned(cells: list[str], line: int, problems: Problems) -> list[str]:
    """Cells that can all be written; nearly always they can."""
    joined = "".join(cells)
    if joined.isascii() and "\0" not in joined:
        return cells
    return [clean(cell, line, problems) for cell in cells]


def parsed(lines: Lines, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """The records that are not empty, and the line at which each begins."""
    csv.field_size_limit(MOST_CELL)
    reader = csv.reader(lines, delimiter=delimiter)
    begins = 1
    try:
        for cells in reader:
            if cells:
                yield begins, cells
            last, begins = begins, reader.line_num + 1
            if lines.record and begins - last > 1:
                check_closed(lines.record, delimiter, last)
            lines.record.clear()
    except csv.Error:
        check_cell(MOST_CELL + 1, begins)


def check_closed(record: Sequence[str], delimiter: str, line: int) -> None:
    """Refuse a record over several lines whose quotation mark is never closed."""
    strict = csv.reader(record, delimiter=delimiter, strict=True)
    try:
        for _ in strict:
            pass
    except csv.Error as error:
        if "unexpected end" in str(error):
            raise DatasetError(
                f"The quotation mark in line {line:,} is never closed, so that all {len(record):,} "
                "lines from there on would be one cell. Close it, or write it twice where it is "
                "meant as a character.",
                line,
            ) from None


def header(cells: list[str], line: int, problems: Problems) -> list[str]:
    """The columns' names, each different from the others."""
    names: list[str] = []
    for number, cell in enumerate(cells, 1):
        name = clean(cell, line, problems).strip() or f"column {number}"
        names.append(name if name not in names else f"{name} ({number})")
    return names


def delimiter_of(sample: Sequence[str], *, tabs: bool = False) -> str:
    """What stands between the cells: what cuts most lines of a sample into as many as the header,
    and the header into most.
    """
    best, most = "\t" if tabs else ",", (0.0, 0)
    for delimiter in sorted(DELIMITERS, key=lambda each: each != best):
        score = evenness(sample, delimiter)
        if score > most:
            best, most = delimiter, score
    return best


def evenness(sample: Sequence[str], delimiter: str) -> tuple[float, int]:
    """Which part of the records has as many cells as the first, and how many that are; nothing
    where the first has one.
    """
    try:
        rows = [row for row in csv.reader(sample, delimiter=delimiter) if row]
    except csv.Error:
        return 0.0, 0
    if not rows or len(rows[0]) < 2:
        return 0.0, 0
    even = sum(len(row) == len(rows[0]) for row in rows)
    return round(even / len(rows), 1), len(rows[0])
