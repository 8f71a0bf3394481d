"""Rows as a choice of remedies leaves them, and how prompts and completions become such."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from itertools import compress
from typing import Protocol

import orjson

from bot.datasets.checks import Choice
from bot.datasets.cleaning import clean
from bot.datasets.findings import Finding
from bot.datasets.pairs import PairSpool
from bot.datasets.sampling import content_key
from bot.datasets.selection import Task
from bot.datasets.settling import settle

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

    def contents(self) -> Sequence[int]:
        """A number for each row that stays; rows that say the same have the same one."""

    def lines(self) -> Iterator[list[bytes]]:
        """The rows that stay as lines of JSON, many at a time. One iteration at a time."""

    def close(self) -> None:
        """Delete what was written down for it."""


class PreparedPairs:
    """Prompts and completions."""

    def __init__(
        self,
        held: PairSpool,
        suspects: bytes,
        rows: int,
        choice: Choice,
        model: str,
        context: int,
    ) -> None:
        cleaned = clean(held.spool, suspects, choice)
        pairs = held if cleaned.pairs is held.spool else PairSpool(cleaned.pairs)
        settled = settle(pairs, rows, choice, model, context)
        examined = settled.examined
        self.findings: Sequence[Finding] = [
            *examined.findings,
            *cleaned.findings,
            *settled.findings,
        ]
        self.kept = examined.kept
        self.task: Task | None = examined.task
        self.separator = examined.separator
        self.stop = examined.stop
        self.answer_prefix = examined.answer_prefix
        self._pairs = settled.pairs
        self._edit = examined.edit
        self._derived = [*settled.derived, *([] if pairs is held else [pairs])]

    def close(self) -> None:
        """Delete what was written down for this choice alone."""
        for pairs in self._derived:
            pairs.close()

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

    def contents(self) -> Sequence[int]:
        """A number for the texts of each row."""
        numbers: array[int] = array("Q")
        for _, prompts, completions in self._pairs.kept(self._edit.lowered, self._edit.keep):
            texts = map("{}\n{}".format, prompts, self._edit.completions(completions))
            numbers.extend(map(content_key, texts))
        return numbers

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
