"""The heavy part of preparing training data, as functions for a process of their own."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path

import orjson

from bot.datasets import preparation
from bot.datasets.checks import Choice
from bot.datasets.conversion import Converter
from bot.datasets.counting import Counted, TokenCount, trained_window
from bot.datasets.examples import Format
from bot.datasets.findings import Finding, Row
from bot.datasets.overlap import overlap
from bot.datasets.preparation import Preparation, Report
from bot.datasets.reinforcement import graded_fields
from bot.datasets.selection import Task
from bot.errors import DatasetError
from bot.messages import Profile
from bot.prompt import end_asked
from bot.training import Dataset, Kind

NO_WORD = re.compile(r"[^\w.-]+")
COUNTED_AS = "gpt-4o-mini"  # whose encoding counts until a model is named
KINDS: dict[Format, Kind] = {
    Format.COMPLETIONS: "completion",
    Format.CHAT: "chat",
    Format.PREFERENCE: "preference",
    Format.REINFORCEMENT: "reinforcement",
}
FORMATS = {kind: format_ for format_, kind in KINDS.items()}


@dataclass(frozen=True, slots=True)
class Written:
    """The files that a preparation wrote, and what the one to train from holds."""

    files: preparation.Dataset
    counted: Counted
    single_turn: bool


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
    return summed_up(files)


def summed_up(files: preparation.Dataset) -> Written:
    """Files that were written, with what the one to train from holds."""
    single = single_turn(files.train, files.report.separator, files.report.stop)
    return Written(files, counted(files.train), single)


def single_turn(path: Path, separator: str, stop: str = "") -> bool:
    """Whether every prompt of a prepared file ends at its first separator: an earlier exchange
    would have another one, and after that the stop of its answer where the separator is what people
    say themselves, as "?" is.
    """
    end = stop if end_asked(separator) == separator else ""
    said = (row.fields["prompt"].removesuffix(separator) for row in rows(path))
    return bool(separator) and not any(
        separator in each and end in each.partition(separator)[2] for each in said
    )


def counted(path: Path, model: str = COUNTED_AS) -> Counted:
    """The tokens of a prepared file for a model."""
    count = TokenCount(model)
    for row in rows(path):
        count.see(row)
    return count.counted


@dataclass(frozen=True, slots=True)
class Measured:
    """What a job would train from: its tokens, and what speaks against it, as sentences. `fields`
    are those that a grader finds in every example.
    """

    counted: Counted
    warnings: tuple[str, ...]
    fields: frozenset[str] = frozenset()


def measured(
    training: Path, validation: Path | None, model: str, *, graded: bool = False
) -> Measured:
    """Count a prepared file for a model, and look for examples that are too long for it, or that
    stand in the file to validate with as well; if they are graded, for what all of them have.
    Raises DatasetError.
    """
    count, most, found = counted(training, model), trained_window(model), []
    if most and count.longest > most:
        found.append(
            f"The longest example has {count.longest:,} tokens (line {count.longest_line:,}), and "
            f"of each only the first {most:,} are trained."
        )
    if validation and validation != training and (shared := overlap(training, validation)):
        found.append(shared.says)
    files = filter(None, (training, validation))
    return Measured(count, tuple(found), fields_of(files) if graded else frozenset())


def fields_of(files: Iterable[Path]) -> frozenset[str]:
    """The fields that a grader finds in every example of prepared files."""
    names = (graded_fields(row.fields) for path in files for row in rows(path))
    return reduce(frozenset.__and__, names, frozenset(next(names, ())))


def rows(path: Path) -> Iterator[Row]:
    """The examples of a prepared file. Raises DatasetError where it is gone."""
    try:
        file = path.open("rb")
    except OSError as error:
        raise DatasetError(f"{path.name} cannot be read: {error.strerror}.") from None
    with file as lines:
        for number, line in enumerate(lines, 1):
            yield Row(number, json.loads(line))


def rewritten(source: Path, target: Path, kind: Kind, dataset: Dataset) -> Sequence[Finding]:
    """Write a dataset's file as examples of another kind; what was left out, and why.

    Raises DatasetError where nothing is left.
    """
    converter = Converter(written_as(dataset), FORMATS[kind])
    count = 0
    with target.open("wb") as file:
        for row in rows(source):
            for each in converter.rows(row):
                file.write(orjson.dumps(each.fields, None, orjson.OPT_APPEND_NEWLINE))
                count += 1
    findings = converter.findings()
    if not count:
        reason = findings[0].says if findings else "It has no examples."
        raise DatasetError(f"Nothing of {dataset.name} can be written so. {reason}")
    return findings


def written_as(dataset: Dataset) -> Profile:
    """How the prompts and completions of a dataset are written, as far as it knows."""
    stop = (dataset.stop,) if dataset.stop else ()
    return Profile(
        dataset.name,
        provider="",
        model="",
        system=dataset.system,
        separator=dataset.separator,
        answer_prefix=dataset.answer_prefix,
        stop=stop,
    )


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
        single_turn=written.single_turn,
        source=source,
        person=person,
        at=now,
    )
