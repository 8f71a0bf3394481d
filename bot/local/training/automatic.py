"""The hyperparameters that nobody chose."""

from __future__ import annotations

import math
from dataclasses import dataclass

from bot.local.training.spec import Spec

LEARNING_RATE = 3e-3  # a third of it learns nothing from 50 rows: facts/local-models.md
PREFERENCE_RATE = 3e-4
SEEN = 1000  # examples, over all epochs: of 50 rows 9 were learned by 500, and all 50 by 1,000
LONG = 500  # steps; a longer training takes smaller ones
BETA = 0.1


@dataclass(frozen=True, slots=True)
class Chosen:
    """The hyperparameters of one training."""

    epochs: int
    batch_size: int
    learning_rate_multiplier: float
    learning_rate: float  # the highest, after the warm-up
    beta: float


def chosen(spec: Spec, examples: int) -> Chosen:
    """What a training of so many examples is done with: what the spec says, else what worked.

    Few examples are read often and in small batches, so that there are about a hundred steps.
    """
    few, many = clamp(examples // 12, 1, 4), clamp(examples // 64, 1, 16)
    batch_size = min(spec.batch_size or max(few, many), examples)
    epochs = spec.epochs or clamp(SEEN // examples, 3, 20)
    steps = epochs * steps_per_epoch(examples, batch_size)
    multiplier = spec.learning_rate_multiplier or 1.0
    rate = PREFERENCE_RATE if spec.kind == "preference" else LEARNING_RATE
    return Chosen(
        epochs=epochs,
        batch_size=batch_size,
        learning_rate_multiplier=multiplier,
        learning_rate=rate * min(1.0, math.sqrt(LONG / steps)) * multiplier,
        beta=spec.beta or BETA,
    )


def steps_per_epoch(examples: int, size: int) -> int:
    return -(-examples // size)


def clamp(value: int, least: int, most: int) -> int:
    return max(least, min(value, most))
