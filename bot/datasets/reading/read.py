"""The one way into a file of training data."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from bot.datasets.findings import Finding
from bot.datasets.reading import delimited, jsonl, jsonvalues, plain
from bot.datasets.reading.blocks import Progress, blocks, lines, text
from bot.datasets.reading.chunk import Chunk
from bot.datasets.reading.encoding import Encoding
from bot.datasets.reading.kind import Kind, kind_of
from bot.datasets.reading.problems import Problems

__all__ = ["Chunk", "Source", "open_rows"]


class Source(NamedTuple):
    """What a file turned out to be, what is said about that, and its rows, to be read once."""

    kind: Kind
    notes: tuple[Finding, ...]
    chunks: Iterator[Chunk]


def open_rows(path: Path, problems: Problems, progress: Progress) -> Source:
    """Find out what a file is and read it in bounded memory; `problems` is told of its lines.

    Raises DatasetError, at once or between two chunks, where the file cannot be read.
    """
    kind, encoding, notes = kind_of(path)
    return Source(kind, notes, rows(path, kind, encoding, problems, progress))


def rows(
    path: Path, kind: Kind, encoding: Encoding, problems: Problems, progress: Progress
) -> Iterator[Chunk]:
    """All rows of a file whose kind is known."""
    if kind is Kind.XLSX:
        from bot.datasets.reading import spreadsheet  # noqa: PLC0415  takes a while to load

        yield from spreadsheet.read(path, problems, progress)
    elif kind is Kind.JSON:
        yield from jsonvalues.read(blocks(path, encoding, progress), problems)
    elif kind is Kind.JSONL:
        yield from jsonl.read(lines(blocks(path, encoding, progress)), problems)
    elif kind is Kind.TXT:
        yield from plain.read(lines(blocks(path, encoding, progress)), problems)
    else:
        with closing(text(path, encoding, progress)) as source:
            yield from delimited.read(source, problems, tabs=kind is Kind.TSV)
