"""Rows as a choice of remedies leaves them: prompts and completions, or chat and preferences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import compress
from typing import Protocol

import orjson

from bot.datasets import chat, preference
from bot.datasets.checks import Check, Choice
from bot.datasets.completion import Examined, examine
from bot.datasets.examples import Format
from bot.datasets.findings import Finding, Row
from bot.datasets.gathering import Rows
from bot.datasets.pairs import PairSpool
from bot.datasets.selection import Task
from bot.datasets.spool import Spool

MOST_LABELS = 1000


class Prepared(Protocol):
    """What is left of a file. Facts that a format does not have are ""."""

    findings: Sequence[Finding]
    kept: int
    task: Task | None
    separator: str
    stop: str
    answer_prefix: str

    def labels(self) -> tuple[str, ...]:
        """The classes of a classification, up to a thousand."""

    def groups(self) -> Sequence[int]:
        """A number for each row that stays; rows with the same one are held back in proportion."""

    def lines(self) -> Iterator[list[bytes]]:
        """The rows that stay as lines of JSON, many at a time. One iteration at a time."""


class PreparedPairs:
    """Prompts and completions."""

    def __init__(self, pairs: PairSpool, rows: int, choice: Choice) -> None:
        examined: Examined = examine(pairs, rows, choice)
        self.findings: Sequence[Finding] = examined.findings
        self.kept = examined.kept
        self.task: Task | None = examined.task
        self.separator = examined.separator
        self.stop = examined.stop
        self.answer_prefix = examined.answer_prefix
        self._pairs = pairs
        self._edit = examined.edit

    def labels(self) -> tuple[str, ...]:
        """The completions without answer prefix and stop, in the order of the file."""
        if self.task is not Task.CLASSIFICATION:
            return ()
        found: dict[str, None] = {}
        for batch in self._pairs.kept(self._edit.lowered, self._edit.keep):
            found.update(dict.fromkeys(self._edit.completions(batch.completions)))
            if len(found) > MOST_LABELS:
                break
        bare = (each.removeprefix(self.answer_prefix).removesuffix(self.stop) for each in found)
        return tuple(bare)[:MOST_LABELS]

    def groups(self) -> Sequence[int]:
        """The completions, where they are classes."""
        if self.task is not Task.CLASSIFICATION:
            return bytes(self.kept)
        marks = self._pairs.marks(self._edit.lowered)
        return list(compress(marks.completions, self._edit.keep))

    def lines(self) -> Iterator[list[bytes]]:
        """{"prompt": …, "completion": …}"""
        edit, line = self._edit, orjson.dumps
        for _, prompts, completions in self._pairs.kept(edit.lowered, edit.keep):
            yield [
                line({"prompt": prompt, "completion": completion}, None, orjson.OPT_APPEND_NEWLINE)
                for prompt, completion in zip(
                    edit.prompts(prompts), edit.completions(completions), strict=True
                )
            ]


class PreparedRows:
    """Chat examples or preferences. Every pass makes its checks anew."""

    task: Task | None = None
    separator = ""
    stop = ""
    answer_prefix = ""

    def __init__(
        self, spool: Spool[Rows], form: Format, choice: Choice, model: str, context: int
    ) -> None:
        self._spool = spool
        self._make = chat.checks if form is Format.CHAT else preference.checks
        self._asked = (choice, model, context)
        checks = self._checks()
        self.kept = sum(len(rows) for rows in self._passed(checks))
        self.findings: Sequence[Finding] = [each for check in checks for each in check.findings()]

    def _checks(self) -> Sequence[Check]:
        return self._make(*self._asked)

    def _passed(self, checks: Sequence[Check]) -> Iterator[list[Row]]:
        """The rows that no check leaves out."""
        for lines, rows in self._spool:
            yield [
                row
                for line, fields in zip(lines, rows, strict=True)
                if (row := passed(Row(line, fields), checks))
            ]

    def labels(self) -> tuple[str, ...]:
        """There are none."""
        return ()

    def groups(self) -> Sequence[int]:
        """All in one."""
        return bytes(self.kept)

    def lines(self) -> Iterator[list[bytes]]:
        """The rows as they stood, but for the remedies."""
        for rows in self._passed(self._checks()):
            yield [orjson.dumps(row.fields, None, orjson.OPT_APPEND_NEWLINE) for row in rows]


def passed(row: Row | None, checks: Sequence[Check]) -> Row | None:
    """A row as all checks leave it, None where one leaves it out."""
    for check in checks:
        if row is None:
            return None
        row = check.see(row)
    return row
