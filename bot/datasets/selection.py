"""Which rows stay, in which case, and what they look like: checks 6 to 10."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from itertools import compress

from bot.datasets import sentences as say
from bot.datasets.affixes import completion_prefix, known_ending, prompt_prefix
from bot.datasets.checks import Choice
from bot.datasets.pairs import OTHER, Column, Lowered, Marks, PairSpool
from bot.datasets.told import Told
from bot.datasets.traits import Traits

ROWS_A_CLASS = 3  # fewer examples for each different completion are no classification


class Task(StrEnum):
    """What the model is to learn."""

    OPEN = "open-ended generation"
    CLASSIFICATION = "classification"
    CONDITIONAL = "conditional generation"


def lower_columns(pairs: PairSpool, choice: Choice) -> Lowered:
    """The columns that are to be in lower case. Lower case makes rows equal, which then may be
    dropped, which may leave more than a third of another column's letters in upper case: so this
    asks again until nothing is added.
    """
    lowered: Lowered = frozenset()
    while True:
        keep = drop(pairs.marks(lowered), pairs, lowered, Told(choice))
        loud = [
            column
            for column in loud_columns(*pairs.traits(lowered, keep))
            if column not in lowered and Told(choice).tell(say.upper_case(column))
        ]
        if not loud:
            return lowered
        lowered |= {loud[0]}


def loud_columns(prompts: Traits, completions: Traits) -> Iterator[Column]:
    """The columns with many capitals. What is removed from all texts does not count, nor does the
    ending that an earlier preparation has added.
    """
    if prompts.loud(prompt_prefix(prompts)):
        yield "prompt"
    if completions.loud(completion_prefix(completions), known_ending(completions)):
        yield "completion"


def drop(marks: Marks, pairs: PairSpool, lowered: Lowered, told: Told) -> bytes:
    """The rows that stay when repeated and long ones go, as far as that is chosen."""
    gone = bytes(pairs.rows)
    if marks.repeated.count and told.tell(say.repeated(marks.repeated)):
        gone = marks.repeated.marks
    if marks.long.count and not open_ended(pairs, lowered):
        both = int.from_bytes(gone) & int.from_bytes(marks.long.marks)
        count = marks.long.count - both.bit_count()
        if count and told.tell(say.long(marks.long, count)):
            gone = (int.from_bytes(gone) | int.from_bytes(marks.long.marks)).to_bytes(len(gone))
    return gone.translate(OTHER)


def open_ended(pairs: PairSpool, lowered: Lowered) -> bool:
    """Whether all prompts are empty."""
    prompts, _ = pairs.traits(lowered, b"\1" * pairs.rows)
    return prompts.longest == 0


def task_of(prompts: Traits, marks: Marks, keep: bytes) -> Task:
    """What the rows that stay look like."""
    if prompts.longest == 0:
        return Task.OPEN
    if different(marks, keep) * ROWS_A_CLASS < prompts.count:
        return Task.CLASSIFICATION
    return Task.CONDITIONAL


def different(marks: Marks, keep: bytes) -> int:
    """How many different completions there are."""
    return len(set(compress(marks.completions, keep)))
