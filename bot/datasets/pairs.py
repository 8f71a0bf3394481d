"""The prompts and completions of a file, and what passes over them find out."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import compress
from operator import add
from typing import Literal, TypeAlias

from bot.datasets.endings import ENDINGS, LAST_ENDING, LAST_SEPARATOR, SEPARATORS
from bot.datasets.findings import MOST_LINES
from bot.datasets.patches import Batches, Patch, Patched
from bot.datasets.spool import Pairs
from bot.datasets.traits import Traits

Column: TypeAlias = Literal["prompt", "completion"]
Lowered: TypeAlias = frozenset[Column]

LONG = 10_000  # characters of prompt and completion, without what preparation adds to them
OTHER = bytes([1, 0]) + bytes(254)  # translates each mark to its opposite
_ARROW, _NEWLINE = SEPARATORS[0], "\n"


@dataclass(frozen=True, slots=True)
class Places:
    """Rows that something was seen in: a byte 1 for each of them, 0 for the others; how many there
    are, and the lines of the first few.
    """

    marks: bytes
    count: int
    lines: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Marks:
    """What is known of each row by itself: which are repeated, which are long, and a number for
    each completion. Completions that differ only in a leading space are the same.
    """

    repeated: Places
    long: Places
    completions: array[int]


class PairSpool:
    """All rows that have a completion, spooled. What a pass has found is kept.

    Equal texts are recognised by Python's own hash of 64 bits: among a million rows two different
    ones are taken for equal once in thirty million files, and nobody can make them on purpose.
    """

    def __init__(self, spool: Batches[Pairs]) -> None:
        self.spool = spool
        self._marks: dict[Lowered, Marks] = {}
        self._traits: dict[tuple[Lowered, bytes], tuple[Traits, Traits]] = {}
        self._inside: dict[tuple[Lowered, bytes, Column, str], Places] = {}

    @property
    def rows(self) -> int:
        """How many there are."""
        return self.spool.rows

    def close(self) -> None:
        """Delete them."""
        self.spool.close()

    def without(self, gone: bytes) -> PairSpool:
        """All rows but those that are marked by a 1."""
        patched, begin = Patched(self.spool), 0
        for batch in self.spool:
            end = begin + len(batch.lines)
            patched.add(Patch(gone[begin:end].translate(OTHER), (), ((), ())))
            begin = end
        return PairSpool(patched)

    def batches(self, lowered: Lowered) -> Iterator[Pairs]:
        """All rows, with the columns that are to be in lower case."""
        for lines, prompts, completions in self.spool:
            yield Pairs(
                lines,
                [each.lower() for each in prompts] if "prompt" in lowered else prompts,
                [each.lower() for each in completions] if "completion" in lowered else completions,
            )

    def kept(self, lowered: Lowered, keep: bytes) -> Iterator[Pairs]:
        """The rows that are marked by a 1."""
        begin = 0
        for lines, prompts, completions in self.batches(lowered):
            chosen = keep[begin : begin + len(prompts)]
            begin += len(prompts)
            if 0 not in chosen:
                yield Pairs(lines, prompts, completions)
            elif 1 in chosen:
                yield Pairs(
                    list(compress(lines, chosen)),
                    list(compress(prompts, chosen)),
                    list(compress(completions, chosen)),
                )

    def marks(self, lowered: Lowered) -> Marks:
        """What is known of each row."""
        if lowered not in self._marks:
            self._marks[lowered] = marks(self.batches(lowered))
        return self._marks[lowered]

    def traits(self, lowered: Lowered, keep: bytes) -> tuple[Traits, Traits]:
        """What the prompts and the completions of the rows that are kept have in common; the
        completions without the space that they should begin with.
        """
        key = (lowered, keep)
        if key not in self._traits:
            prompts = Traits([*SEPARATORS, _NEWLINE])
            completions = Traits(list(ENDINGS))
            for batch in self.kept(lowered, keep):
                prompts.add(batch.prompts)
                completions.leads &= all(each[:1] == " " for each in batch.completions)
                completions.add([each.removeprefix(" ") for each in batch.completions])
            if _NEWLINE not in prompts.unused and _ARROW in prompts.unused:
                prompts.unused.remove(_ARROW)  # it is for prompts of one line
            prompts.judge_alone((*SEPARATORS, LAST_SEPARATOR))
            completions.judge_alone((*ENDINGS, LAST_ENDING))
            self._traits[key] = prompts, completions
        return self._traits[key]

    def inside(self, lowered: Lowered, keep: bytes, column: Column, suffix: str) -> Places:
        """The texts in which the common suffix stands before their end too."""
        key = (lowered, keep, column, suffix)
        if key not in self._inside:
            self._inside[key] = inside(self.kept(lowered, keep), column, suffix)
        return self._inside[key]


def marks(batches: Iterable[Pairs]) -> Marks:
    """One pass over all rows, marking them."""
    seen: set[int] = set()
    repeated, long = Marker(), Marker()
    numbers: array[int] = array("q")
    for lines, prompts, completions in batches:
        bare = [each[1:] if each[:1] == " " else each for each in completions]
        numbers.extend(map(hash, bare))
        digests = list(map(hash, zip(prompts, bare, strict=True)))
        fresh = set(digests)
        if len(fresh) == len(digests) and seen.isdisjoint(fresh):
            seen |= fresh
            repeated.skip(len(digests))
        else:
            for line, digest in zip(lines, digests, strict=True):
                repeated.mark(line, marked=digest in seen)
                seen.add(digest)
        lengths = list(map(add, map(len, prompts), map(len, completions)))
        if max(lengths) <= LONG:
            long.skip(len(lengths))
        else:
            for line, length, *pair in zip(lines, lengths, prompts, completions, strict=True):
                long.mark(line, marked=length > LONG and is_long(*pair))
    return Marks(repeated.places(), long.places(), numbers)


class Marker:
    """Marks being made."""

    def __init__(self) -> None:
        self._marks = bytearray()
        self._lines: list[int] = []

    def skip(self, rows: int) -> None:
        """The next rows are not marked."""
        self._marks.extend(bytes(rows))

    def mark(self, line: int, *, marked: bool) -> None:
        """The next row, and whether it is marked."""
        self._marks.append(marked)
        if marked and len(self._lines) < MOST_LINES:
            self._lines.append(line)

    def places(self) -> Places:
        """The marks, when all are made."""
        return Places(bytes(self._marks), self._marks.count(1), tuple(self._lines))


def is_long(prompt: str, completion: str) -> bool:
    """Whether a row is too long by itself, and not by what a preparation has added to it."""
    for separator in (*SEPARATORS, LAST_SEPARATOR):
        prompt = prompt.removesuffix(separator)
    for ending in (*ENDINGS, LAST_ENDING):
        completion = completion.removesuffix(ending)
    return len(prompt) + len(completion.removeprefix(" ")) > LONG


def inside(batches: Iterable[Pairs], column: Column, suffix: str) -> Places:
    """The texts of a column in which their common end stands before it too."""
    places, end = Marker(), -len(suffix)
    for lines, prompts, completions in batches:
        texts = prompts if column == "prompt" else completions
        for line, text in zip(lines, texts, strict=True):
            places.mark(line, marked=suffix in text[:end])
    return places.places()
