"""Which examples are learned from together. All of it follows from the seed: nothing is kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from bot.local.training.automatic import steps_per_epoch

TOGETHER = 256  # tokens that go through the model at once: 4 times as many are slower by a fifth


def batch(step: int, examples: int, size: int, seed: int) -> list[int]:
    """The examples of a step, counted from 1. Each comes once an epoch, shuffled by the seed."""
    epoch, index = divmod(step - 1, steps_per_epoch(examples, size))
    order = np.random.default_rng([seed, epoch]).permutation(examples)
    return [int(each) for each in order[index * size : (index + 1) * size]]


def micro_batches(
    batch: Sequence[int], lengths: Sequence[int], together: int = TOGETHER
) -> Iterator[list[int]]:
    """Parts of a batch, in its order, of at most `together` tokens or one example each."""
    part: list[int] = []
    for example in batch:
        if part and sum(lengths[each] for each in part) + lengths[example] > together:
            yield part
            part = []
        part.append(example)
    if part:
        yield part
