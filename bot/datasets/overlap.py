"""Two files that must not share examples: one to train from, one to measure with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from bot.datasets.checks import Choice
from bot.datasets.duplicates import Overlap
from bot.datasets.findings import Finding, Row
from bot.datasets.reading import Problems, open_rows


def overlap(training: Path, validation: Path) -> Finding | None:
    """What is to be said where training examples stand in the validation file too, case and spaces
    aside; None where none does. It blocks, and needs about 50 MB however long the files are.

    Both are files as a job takes them. Raises DatasetError where one cannot be read.
    """
    check = Overlap(Choice(frozenset()), examples(validation))
    for row in examples(training):
        check.see(row)
    # Both files are prepared already: nothing is offered to change them.
    return next((replace(finding, remedy=None) for finding in check.findings()), None)


def examples(path: Path) -> Iterator[Row]:
    """The examples of a file."""
    for lines, rows in open_rows(path, Problems(), lambda _: None).chunks:
        yield from map(Row, lines, rows)
