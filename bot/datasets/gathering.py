"""A file's rows, read once and spooled: prompts with completions, or chat and preference rows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from itertools import chain, compress
from operator import or_
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from bot.datasets import sentences as say
from bot.datasets.columns import Columns, columns_of
from bot.datasets.examples import Format, format_of_all
from bot.datasets.findings import MOST_LINES, Finding, Level
from bot.datasets.pairs import PairSpool
from bot.datasets.reading import Chunk, Problems, Progress, open_rows
from bot.datasets.reading.chunk import check_width
from bot.datasets.reading.problems import NO_PROMPT, NO_TEXT, NUMBER, TOO_DEEP
from bot.datasets.spool import Pairs, Spool
from bot.datasets.suspects import suspects


class Rows(NamedTuple):
    """Some chat or preference rows, and the lines where they stand."""

    lines: list[int]
    rows: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Gathered:
    """What was read. `rows` counts the rows that can be read. `held` are those that can be trained
    on: prompts with their completions, or chat and preference rows, as `format` says; `suspects`
    has a byte for each of these, a 1 where a secret or a special token may be.
    """

    format: Format
    rows: int
    findings: tuple[Finding, ...]
    held: PairSpool | Spool[Rows]
    suspects: bytes

    @property
    def ready(self) -> bool:
        """Whether there is anything to check."""
        return all(finding.level is not Level.ERROR for finding in self.findings)


def gather(path: Path, progress: Progress) -> Gathered:
    """Read a file. Raises DatasetError where that is not possible."""
    problems = Problems()
    source = open_rows(path, problems, progress)
    first = next((chunk for chunk in source.chunks if chunk.rows), Chunk((), ()))
    format_ = format_of_all(first.rows)
    notes = list(source.notes)
    if format_ is Format.COMPLETIONS:
        return gather_pairs(path, first, chain([first], source.chunks), problems, notes, progress)
    with ExitStack() as stack:
        spool = stack.enter_context(closing(Spool(Rows)))
        suspected = bytearray()
        for chunk in chain([first], source.chunks):
            rows, written = writable(chunk, problems)
            spool.add(rows)
            suspected += suspects(written)
        stack.pop_all()
    findings = (*notes, *problems.findings())
    return Gathered(format_, spool.rows, findings, spool, bytes(suspected))


def writable(chunk: Chunk, problems: Problems) -> tuple[Rows, list[bytes]]:
    """The rows that can be written as JSON again, and how: not those in which values stand in each
    other hundreds deep.
    """
    rows, written = Rows([], []), []
    for line, row in zip(chunk.lines, chunk.rows, strict=True):
        try:
            written.append(orjson.dumps(row))
        except orjson.JSONEncodeError:
            problems.add(TOO_DEEP, line)
        else:
            rows.lines.append(line)
            rows.rows.append(row)
    return rows, written


def gather_pairs(
    path: Path,
    first: Chunk,
    chunks: Iterator[Chunk],
    problems: Problems,
    notes: list[Finding],
    progress: Progress,
) -> Gathered:
    """Read prompts and completions. Where rows far down have columns that are better named than
    those of the first rows, the file is read a second time.
    """
    columns = columns_of(list(dict.fromkeys(chain.from_iterable(first.rows))))
    while True:
        with ExitStack() as stack:
            spool = stack.enter_context(closing(Spool(Pairs)))
            gatherer = PairGatherer(columns, problems, spool)
            for chunk in chunks:
                gatherer.add(chunk)
            found = columns_of(list(gatherer.names))
            if found.used == columns.used:
                stack.pop_all()
                break
        columns, problems = found, Problems()
        chunks = open_rows(path, problems, progress).chunks
    findings = [*notes, *problems.findings(), *gatherer.findings(found)]
    return Gathered(
        Format.COMPLETIONS,
        gatherer.rows,
        tuple(findings),
        PairSpool(gatherer.spool),
        bytes(gatherer.suspects),
    )


class PairGatherer:
    """Takes prompts and completions out of rows."""

    def __init__(self, columns: Columns, problems: Problems, spool: Spool[Pairs]) -> None:
        self.spool = spool
        self.names: dict[str, None] = {}
        self.rows = 0
        self.suspects = bytearray()
        self._columns = columns
        self._problems = problems
        self._shapes: set[tuple[str, ...]] = set()
        self._empty = 0
        self._empty_lines: list[int] = []

    def add(self, chunk: Chunk) -> None:
        """More rows."""
        new = set(map(tuple, chunk.rows)) - self._shapes
        for shape in new:
            self.names.update(dict.fromkeys(shape))
            check_width(len(self.names), chunk.lines[0])
        if len(self._shapes) < 10_000:
            self._shapes |= new
        prompts = self._texts(chunk, self._columns.prompt)
        if self._columns.details:
            prompts = list(map(with_details, prompts, self._texts(chunk, self._columns.details)))
        completions = self._texts(chunk, self._columns.completion)
        self.rows += len(prompts)
        lines = chunk.lines
        if None in prompts or None in completions:
            good = [
                p is not None and c is not None for p, c in zip(prompts, completions, strict=True)
            ]
            self.rows -= good.count(False)
            lines = list(compress(lines, good))
            prompts, completions = (list(compress(each, good)) for each in (prompts, completions))
        self._spool(list(lines), prompts, completions)

    def _spool(self, lines: list[int], prompts: list[Any], completions: list[Any]) -> None:
        full = list(map(bool, map(str.strip, completions)))
        if False in full:
            empty = [line for line, is_full in zip(lines, full, strict=True) if not is_full]
            self._empty += len(empty)
            self._empty_lines = (self._empty_lines + empty)[:MOST_LINES]
            lines, prompts, completions = (
                list(compress(each, full)) for each in (lines, prompts, completions)
            )
        if lines:
            self.spool.add(Pairs(lines, prompts, completions))
            marks = (suspects(list(map(str.encode, each))) for each in (prompts, completions))
            self.suspects += bytes(map(or_, *marks))

    def _texts(self, chunk: Chunk, name: str) -> list[str | None]:
        """The texts of a column; None where there is something that cannot be a text."""
        values = [row.get(name) for row in chunk.rows]
        if set(map(type, values)) <= {str}:
            return values
        if name == self._columns.prompt:
            for line, value in zip(chunk.lines, values, strict=True):
                if value is None:
                    self._problems.add(NO_PROMPT, line)
        return [self._text(line, each) for line, each in zip(chunk.lines, values, strict=True)]

    def _text(self, line: int, value: Any) -> str | None:
        if isinstance(value, str) or value is None:
            return value or ""
        if isinstance(value, list | dict):
            self._problems.add(NO_TEXT, line)
            return None
        self._problems.add(NUMBER, line)
        return str(value)

    def findings(self, columns: Columns) -> Iterator[Finding]:
        """What is said about the columns and the rows without completion."""
        if not self.rows:
            yield Finding(
                "no-rows", Level.ERROR, "There is no example in the file that can be read."
            )
            return
        yield from columns.findings()
        if not columns.prompt or not columns.completion:
            return
        if self._empty:
            yield say.empty(self._empty, tuple(self._empty_lines))
        if not self.spool.rows:
            yield Finding("no-rows", Level.ERROR, "No example has a completion: add them.")


def with_details(instruction: str | None, details: str | None) -> str | None:
    """An instruction with what it is about; None where one of them cannot be a text."""
    if instruction is None or details is None:
        return None
    return f"{instruction}\n\n{details}" if details.strip() else instruction
