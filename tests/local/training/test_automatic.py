"""The hyperparameters that nobody chose."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.local.training.automatic import chosen
from bot.local.training.spec import Spec

NONE_CHOSEN = Spec(model=Path("m"), training_file=Path("t"), kind="completion", output=Path("o"))


@pytest.mark.parametrize(
    ("examples", "epochs", "batch_size"),
    [
        (1, 16, 1),
        (10, 16, 1),
        (50, 16, 4),
        (200, 16, 4),
        (500, 14, 7),
        (1_000, 7, 15),
        (10_000, 3, 16),
    ],
)
def test_few_examples_are_read_often(examples: int, epochs: int, batch_size: int) -> None:
    automatic = chosen(NONE_CHOSEN, examples, examples)
    assert (automatic.epochs, automatic.batch_size) == (epochs, batch_size)


@pytest.mark.parametrize(
    ("examples", "answers", "epochs"),
    [(10, 2, 15), (50, 13, 12), (500, 13, 3), (500, 250, 8), (5_000, 13, 1), (5_000, 4_000, 3)],
)
def test_answers_that_come_again_are_read_in_fewer_epochs(
    examples: int, answers: int, epochs: int
) -> None:
    assert chosen(NONE_CHOSEN, examples, answers).epochs == epochs


@pytest.mark.parametrize(("pairs", "epochs"), [(4, 5), (50, 2), (1000, 1)])
def test_preferences_are_seen_less_and_in_smaller_steps(pairs: int, epochs: int) -> None:
    preferring = chosen(NONE_CHOSEN.model_copy(update={"kind": "preference"}), pairs, pairs)
    assert preferring.epochs == epochs
    assert preferring.learning_rate < chosen(NONE_CHOSEN, pairs, pairs).learning_rate / 3


def test_multiplier_scales_the_rate_and_choices_are_kept() -> None:
    spec = NONE_CHOSEN.model_copy(
        update={"epochs": 7, "batch_size": 3, "learning_rate_multiplier": 2.0, "beta": 0.5}
    )
    automatic = chosen(spec, 50, 50)
    assert (automatic.epochs, automatic.batch_size, automatic.beta) == (7, 3, 0.5)
    assert automatic.learning_rate == 2 * chosen(NONE_CHOSEN, 50, 50).learning_rate


def test_long_training_takes_smaller_steps() -> None:
    rates = [chosen(NONE_CHOSEN, rows, rows).learning_rate for rows in (50, 500, 10_000)]
    assert rates == sorted(rates, reverse=True)
    assert rates[0] == 1.2e-3
    assert rates[2] > 1e-3
