"""Which rows are held back for validation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from random import Random

MOST_VALID = 1000  # rows: more do not show more
LEAST = 10  # rows that are worth a split


def training_rows(rows: int) -> int:
    """How many rows stay for training, as facts/prepare-data.md has it."""
    return max(rows - MOST_VALID, int(rows * 0.8))


def twice(contents: Sequence[int]) -> bytes:
    """A byte 1 for each row whose content another row has too."""
    counts = Counter(contents)
    return bytes(counts[content] > 1 for content in contents)


def held_back(labels: Sequence[Hashable], seed: int, trained: bytes = b"") -> bytes:
    """A byte 1 for each row of the validation set; `labels` has one value for each row. Rows marked
    by a 1 in `trained` are never held back, even where too few others are left.

    Every label is held back in proportion to its rows, as far as whole rows allow; a label that has
    a single row is only trained on while others can be held back. The same seed gives the same
    rows.
    """
    valid = len(labels) - training_rows(len(labels))
    groups: dict[Hashable, list[int]] = {}
    for index, label in enumerate(labels):
        if not trained or not trained[index]:
            groups.setdefault(label, []).append(index)
    random = Random(seed)
    marks = bytearray(len(labels))
    sizes = list(map(len, groups.values()))
    valid = min(valid, sum(sizes))
    for group, number in zip(groups.values(), shares(sizes, valid), strict=True):
        for index in random.sample(group, number):
            marks[index] = 1
    return bytes(marks)


def shares(sizes: Sequence[int], wanted: int) -> list[int]:
    """Divide a number in proportion to sizes. What is left over goes where most was cut off; the
    last one of a group is taken last.
    """
    total = sum(sizes)
    exact = [size * wanted / total for size in sizes]
    given = [min(int(part), size - 1) for part, size in zip(exact, sizes, strict=True)]
    order = sorted(range(len(sizes)), key=lambda each: given[each] - exact[each])
    while left := wanted - sum(given):
        able = [each for each in order if given[each] < sizes[each] - 1]
        for each in (able or [each for each in order if given[each] < sizes[each]])[:left]:
            given[each] += 1
    return given
