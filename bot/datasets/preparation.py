"""From a file to a dataset: read once, looked at as often as decisions change, written at the end.

    with Preparation(Path("data.csv"), progress=print) as preparation:
        report = preparation.examine()  # with everything that is recommended
        fewer = Choice(frozenset({"drop-duplicates"}))
        report = preparation.examine(fewer)
        dataset = preparation.write(folder, fewer)

All of it blocks: it is for a thread or a process of its own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from bot.datasets import sentences as say
from bot.datasets.checks import Choice
from bot.datasets.examples import Format
from bot.datasets.findings import Finding, Level, Remedy, Weight
from bot.datasets.gathering import Gathered, gather
from bot.datasets.output import free_names, parted, write_parts
from bot.datasets.pairs import PairSpool
from bot.datasets.prepared import Prepared, PreparedPairs
from bot.datasets.prepared_rows import PreparedRows
from bot.datasets.reading import Progress
from bot.datasets.selection import Task
from bot.datasets.split import LEAST, held_back, training_rows, twice
from bot.errors import DatasetError

# A file that was split before is not split again unless somebody asks for it.
_DIVIDED = re.compile(r"_prepared_(train|valid)( \(\d+\))?$")


@dataclass(frozen=True, slots=True)
class Report:
    """What is said about a file with a choice of remedies. It depends on nothing else.

    `rows` can be read, `kept` of them stay. `separator` is what every prompt will end with, `stop`
    what every completion will end with, `answer_prefix` what it will begin with; each may be "".
    """

    format: Format
    rows: int
    kept: int
    findings: tuple[Finding, ...]
    choice: Choice
    task: Task | None = None
    separator: str = ""
    stop: str = ""
    answer_prefix: str = ""

    @property
    def applied(self) -> tuple[Remedy, ...]:
        """The remedies that are chosen, in the order in which they are applied, each once."""
        remedies = (finding.remedy for finding in self.findings)
        return tuple(dict.fromkeys(each for each in remedies if each and self.choice.takes(each)))

    @property
    def obstacles(self) -> tuple[Finding, ...]:
        """What makes the file useless, in spite of the remedies that are chosen."""
        return tuple(
            finding
            for finding in self.findings
            if finding.level is Level.ERROR
            and not (finding.remedy and self.choice.takes(finding.remedy))
        )

    @property
    def splits(self) -> bool:
        """Whether rows are held back for validation."""
        return any(remedy.key == "split" for remedy in self.applied)


@dataclass(frozen=True, slots=True)
class Dataset:
    """What was written. `valid` is None without a split. `labels` are the classes of a
    classification without answer prefix and stop, up to a thousand.
    """

    report: Report
    train: Path
    train_rows: int
    train_bytes: int
    valid: Path | None = None
    valid_rows: int = 0
    valid_bytes: int = 0
    labels: tuple[str, ...] = ()


def nothing(_: float) -> None:
    """Tell nobody."""


class Preparation:
    """One file. Its rows are spooled to the system's folder for temporary files until `close`."""

    def __init__(
        self, path: Path, *, progress: Progress = nothing, model: str = "", context: int = 0
    ) -> None:
        """`progress` follows the reading. `model` and `context` tell how long an example may be;
        see `bot.datasets.general`.
        """
        self._path = path
        self._progress = progress
        self._model = model
        self._context = context
        self._gathered: Gathered | None = None
        self._reports: dict[Choice, Report] = {}
        self._prepared: dict[Choice, Prepared] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Delete what was spooled."""
        for prepared in self._prepared.values():
            prepared.close()
        if self._gathered:
            self._gathered.held.close()

    def examine(self, choice: Choice | None = None) -> Report:
        """The report for a choice of remedies; by default for those that are recommended.

        The first call reads the file. Raises DatasetError, with a line, where that is not possible.
        """
        choice = choice or Choice()
        if choice not in self._reports:
            self._reports[choice] = self._report(choice)
        return self._reports[choice]

    def write(
        self,
        folder: Path,
        choice: Choice | None = None,
        *,
        seed: int = 0,
        progress: Progress = nothing,
    ) -> Dataset:
        """Write the rows as a choice of remedies leaves them, under the first free name of
        `X_prepared.jsonl`, or `X_prepared_train.jsonl` and `X_prepared_valid.jsonl`, in a folder
        that exists.

        The same file, choice and seed give the same bytes. Raises DatasetError where an obstacle
        stands in the way, or the disk does not take it.
        """
        report = self.examine(choice)
        if report.obstacles:
            raise DatasetError(report.obstacles[0].says)
        prepared = self._prepared[report.choice]
        marks = bytes(report.kept)
        if report.splits:
            marks = held_back(prepared.groups(), seed, twice(prepared.contents()))
        valid = marks.count(1)
        names = free_names(folder, self._path.stem, split=valid > 0)
        sizes = write_parts(names, parted(prepared.lines(), marks, progress))
        return Dataset(
            report,
            names[0],
            report.kept - valid,
            sizes[0],
            names[1] if valid else None,
            valid,
            sizes[1] if valid else 0,
            prepared.labels(),
        )

    def _report(self, choice: Choice) -> Report:
        """The report for a choice, from passes over what was read."""
        if self._gathered is None:
            self._gathered = gather(self._path, self._progress)
        read = self._gathered
        if not read.ready:
            return Report(read.format, read.rows, 0, read.findings, choice)
        prepared = self._prepared[choice] = self._prepare(read, choice)
        findings = (*read.findings, *prepared.findings, *self._split(prepared))
        return Report(
            read.format,
            read.rows,
            prepared.kept,
            findings,
            choice,
            prepared.task,
            prepared.separator,
            prepared.stop,
            prepared.answer_prefix,
        )

    def _prepare(self, read: Gathered, choice: Choice) -> Prepared:
        """The rows as a choice leaves them."""
        if isinstance(read.held, PairSpool):
            return PreparedPairs(
                read.held, read.suspects, read.rows, choice, self._model, self._context
            )
        return PreparedRows(
            read.held, read.suspects, read.format, choice, self._model, self._context
        )

    def _split(self, prepared: Prepared) -> tuple[Finding, ...]:
        """The offer to hold rows back: recommended for classification, where it shows most."""
        train = training_rows(prepared.kept)
        classes = prepared.task is Task.CLASSIFICATION
        if not 0 < train < prepared.kept or (prepared.kept < LEAST and not classes):
            return ()
        wanted = classes and not _DIVIDED.search(self._path.stem)
        weight = Weight.RECOMMENDED if wanted else Weight.OFFERED
        return (say.split(train, prepared.kept - train, weight),)
