"""Which examples are learned from together."""

from __future__ import annotations

from itertools import chain

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bot.local.training.automatic import steps_per_epoch
from bot.local.training.batches import batch, micro_batches
from bot.local.training.pack import pack
from bot.local.training.rows import Row

SEEDS = st.integers(0, 2**31 - 1)


@given(st.integers(1, 200), st.integers(1, 64), SEEDS, st.integers(0, 5))
def test_every_example_comes_once_an_epoch(examples: int, size: int, seed: int, epoch: int) -> None:
    per_epoch = steps_per_epoch(examples, size)
    steps = range(epoch * per_epoch + 1, (epoch + 1) * per_epoch + 1)
    batches = [batch(step, examples, size, seed) for step in steps]
    assert sorted(chain.from_iterable(batches)) == list(range(examples))
    assert all(len(each) == size for each in batches[:-1])


def test_epochs_and_seeds_have_orders_of_their_own() -> None:
    orders = {tuple(batch(step, 50, 50, seed)) for step in (1, 2) for seed in (1, 2)}
    assert len(orders) == 4


@given(st.lists(st.integers(1, 600), min_size=1, max_size=60))
def test_micro_batches_are_the_batch_in_parts_that_fit(lengths: list[int]) -> None:
    parts = list(micro_batches(range(len(lengths)), lengths, together=1024))
    assert list(chain.from_iterable(parts)) == list(range(len(lengths)))
    tokens = [sum(lengths[each] for each in part) for part in parts]
    assert all(tokens[at] <= 1024 or len(part) == 1 for at, part in enumerate(parts))


@given(
    st.lists(
        st.lists(st.tuples(st.integers(0, 99), st.sampled_from([0.0, 1.0])), min_size=1),
        min_size=1,
        max_size=6,
    )
)
def test_pack_has_every_weighted_token_after_the_one_before_it(
    rows: list[list[tuple[int, float]]],
) -> None:
    given_rows = [Row([token for token, _ in row], [weight for _, weight in row]) for row in rows]
    packed = pack(given_rows)
    expected = [
        (at, row[place - 1][0], row[place][0])
        for at, row in enumerate(rows)
        for place in range(1, len(row))
        if row[place][1]
    ]
    seen = zip(packed.row, packed.tokens[packed.before], packed.targets, strict=True)
    assert [tuple(map(int, each)) for each in seen] == expected
    assert np.array_equal(packed.positions, np.concatenate([np.arange(len(row)) for row in rows]))
