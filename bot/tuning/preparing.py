"""The heavy part of preparing training data, as functions for a process of their own."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bot.datasets import preparation
from bot.datasets.checks import Choice
from bot.datasets.counting import Counted, TokenCount, trained_window
from bot.datasets.examples import Format
from bot.datasets.findings import Row
from bot.datasets.overlap import overlap
from bot.datasets.preparation import Preparation, Report
from bot.datasets.selection import Task
from bot.training import Dataset, Kind

NO_WORD = re.compile(r"[^\w.-]+")
COUNTED_AS = "gpt-4o-mini"  # whose encoding counts until a model is named
KINDS: dict[Format, Kind] = {
    Format.COMPLETIONS: "completion",
    Format.CHAT: "chat",
    Format.PREFERENCE: "preference",
}


@dataclass(frozen=True, slots=True)
class Written:
    """The files that a preparation wrote, and the tokens of the one to train from."""

    files: preparation.Dataset
    counted: Counted


def examined(path: Path, chosen: frozenset[str] | None) -> Report:
    """The report on a file with a choice of remedies; None is the recommended ones.

    Raises DatasetError.
    """
    with Preparation(path) as file:
        return file.examine(Choice(chosen))


def written(path: Path, folder: Path, chosen: frozenset[str] | None) -> Written:
    """Write a file as it was chosen into a folder. Raises DatasetError."""
    with Preparation(path) as file:
        files = file.write(folder, Choice(chosen))
    return Written(files, counted(files.train))


def counted(path: Path, model: str = COUNTED_AS) -> Counted:
    """The tokens of a prepared file for a model."""
    count = TokenCount(model)
    for row in rows(path):
        count.see(row)
    return count.counted


@dataclass(frozen=True, slots=True)
class Measured:
    """What a job would train from: its tokens, and what speaks against it, as sentences."""

    counted: Counted
    warnings: tuple[str, ...]


def measured(training: Path, validation: Path | None, model: str) -> Measured:
    """Count a prepared file for a model, and look for examples that are too long for it, or that
    stand in the file to validate with as well. Raises DatasetError.
    """
    count, most, found = counted(training, model), trained_window(model), []
    if most and count.longest > most:
        found.append(
            f"The longest example has {count.longest:,} tokens (line {count.longest_line:,}), and "
            f"of each only the first {most:,} are trained."
        )
    if validation and validation != training and (shared := overlap(training, validation)):
        found.append(shared.says)
    return Measured(count, tuple(found))


def rows(path: Path) -> Iterator[Row]:
    """The examples of a prepared file."""
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            yield Row(number, json.loads(line))


def dataset_name(source: str) -> str:
    """The name of a dataset made from a file: one word, as it is typed in commands."""
    return NO_WORD.sub("-", Path(source).stem).strip("-.") or "data"


def described(written: Written, source: str, person: str, now: float) -> Dataset:
    """A dataset, from what was written of a file that a person sent under the name `source`."""
    files, report = written.files, written.files.report
    classes = report.task is Task.CLASSIFICATION
    return Dataset(
        dataset_name(source),
        KINDS[report.format],
        str(files.train),
        str(files.valid or ""),
        files.train_rows,
        files.valid_rows,
        written.counted.tokens,
        report.separator,
        report.answer_prefix,
        report.stop,
        files.labels if classes else (),
        source=source,
        person=person,
        at=now,
    )
