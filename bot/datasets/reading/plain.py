"""Text files: one completion a line, for a model that writes without being asked."""

from __future__ import annotations

from collections.abc import Iterator

from bot.datasets.reading.chunk import Chunk, check_cell, clean
from bot.datasets.reading.problems import Problems


def read(source: Iterator[tuple[int, list[bytes]]], problems: Problems) -> Iterator[Chunk]:
    """The lines as completions with an empty prompt. An empty line is an empty completion."""
    for number, lines in source:
        numbers = range(number, number + len(lines))
        rows = []
        for line, raw in zip(numbers, lines, strict=True):
            check_cell(len(raw), line)
            completion = clean(raw.decode("utf-8", "surrogateescape"), line, problems)
            rows.append({"prompt": "", "completion": completion})
        yield Chunk(numbers, rows)
