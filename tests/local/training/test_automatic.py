"""The hyperparameters that nobody chose."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.local.training.automatic import chosen
from bot.local.training.spec import Spec

NONE_CHOSEN = Spec(model=Path("m"), training_file=Path("t"), kind="completion", output=Path("o"))


@pytest.mark.parametrize(
    ("examples", "epochs", "batch_size"),
    [(1, 20, 1), (10, 20, 1), (50, 20, 4), (100, 10, 4), (200, 5, 4), (10_000, 3, 16)],
)
def test_few_examples_are_read_often(examples: int, epochs: int, batch_size: int) -> None:
    automatic = chosen(NONE_CHOSEN, examples)
    assert (automatic.epochs, automatic.batch_size) == (epochs, batch_size)


def test_multiplier_scales_the_rate_and_choices_are_kept() -> None:
    spec = NONE_CHOSEN.model_copy(
        update={"epochs": 7, "batch_size": 3, "learning_rate_multiplier": 2.0, "beta": 0.5}
    )
    automatic = chosen(spec, 50)
    assert (automatic.epochs, automatic.batch_size, automatic.beta) == (7, 3, 0.5)
    assert automatic.learning_rate == 2 * chosen(NONE_CHOSEN, 50).learning_rate


def test_long_training_takes_smaller_steps() -> None:
    rates = [chosen(NONE_CHOSEN, examples).learning_rate for examples in (50, 500, 10_000)]
    assert rates == sorted(rates, reverse=True)
    assert rates[0] == 3e-3
    assert rates[2] > 1e-3
