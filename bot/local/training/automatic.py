"""The hyperparameters that nobody chose."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from bot.local.training.spec import Spec

# Measured with SmolLM2-135M on made-up facts, each with an answer of its own, and on questions to a
# shop with 13 answers in all; how many learned answers were exact, of 50 at most, and the loss of
# what was held out, afterwards. Over 1.4e-3 the loss leaps up on the way with some seeds. More than
# 500 facts and other models were not tried.
#
#     rows          rate  batch  epochs  exact  held out
#      10 facts     1e-3    1      20    all    0.36
#      10 facts     2e-3    1      14    all    0.25
#      10 facts     3e-3    1      20    all    0.78
#      50 facts     1e-3    4      20    all    0.29
#      50 facts     1.2e-3  4      16    49, 50 with another seed
#      50 facts     1.4e-3  4      20    all, with both seeds
#      50 facts     2e-3    4      14    all    0.34; with other seeds 3, 46 and all
#      50 facts     2e-3    4      20    23, and all with another seed
#      50 facts     3e-3    4      20    all    0.78, and 2.76 on the way
#      50 facts     3e-3    8      20    48     0.27, and 2.67 on the way
#      50 questions 1e-3    4      10    all    0.02
#     200 facts     1e-3    4       5     7     0.54
#     200 facts     2e-3    4      10     20    0.57
#     200 facts     1.7e-3  4      14     49    not measured
#     200 facts     1.2e-3  4      14     49    0.34
#     500 facts     1.2e-3  7       5      0    0.46
#     500 facts     1.2e-3  7      14     40    0.50
#     500 questions 1.2e-3  7       3     all   0.003, all of them exact
#    5000 questions 1.2e-3  16      1     all, also of what was held out
#
# Preferences: of 4 and of 8 pairs with one preferred sentence, held-out questions were answered
# with it after 20 steps at 3e-4. Of 8 pairs that prefer short answers, the held-out loss fell from
# 0.69 to 0.11 in 6 steps, which did not shorten answers yet; at 1e-3 it fell to 0.002, and answers
# became nonsense: what is preferred becomes improbable, too, only less so than the rest.


class Habit(NamedTuple):
    """What is done unless somebody chooses."""

    rate: float  # of learning, the highest
    seen: int  # examples, over all epochs, at most
    least: int  # epochs, even of more
    most: int


LIKELIHOOD = Habit(rate=1.2e-3, seen=7000, least=3, most=16)
PREFERENCE = Habit(rate=3e-4, seen=100, least=1, most=5)
FEWEST_STEPS = 150  # where examples have few answers, which are soon known
LONG = 1500  # steps; a longer training takes smaller ones: of 700 at 1.7e-3 that was no need
BETA = 0.1


@dataclass(frozen=True, slots=True)
class Chosen:
    """The hyperparameters of one training."""

    epochs: int
    batch_size: int
    learning_rate_multiplier: float
    learning_rate: float  # the highest, after the warm-up
    beta: float


def chosen(spec: Spec, examples: int, answers: int) -> Chosen:
    """What a training of examples with so many different answers is done with: what the spec says,
    else what worked.

    Few examples are read often and in small batches, so that there are about a hundred steps.
    """
    few, many = clamp(examples // 12, 1, 4), clamp(examples // 64, 1, 16)
    batch_size = min(spec.batch_size or max(few, many), examples)
    habit = PREFERENCE if spec.kind == "preference" else LIKELIHOOD
    epochs = spec.epochs or clamp(habit.seen // examples, habit.least, habit.most)
    if not spec.epochs and habit is LIKELIHOOD:
        epochs = min(epochs, enough(examples, answers, batch_size))
    steps = epochs * steps_per_epoch(examples, batch_size)
    multiplier = spec.learning_rate_multiplier or 1.0
    return Chosen(
        epochs=epochs,
        batch_size=batch_size,
        learning_rate_multiplier=multiplier,
        learning_rate=habit.rate * min(1.0, math.sqrt(LONG / steps)) * multiplier,
        beta=spec.beta or BETA,
    )


def enough(examples: int, answers: int, batch_size: int) -> int:
    """The epochs after which all answers are known: each was read often, and there were steps."""
    read = math.ceil(LIKELIHOOD.most * answers / examples)
    return max(read, math.ceil(FEWEST_STEPS / steps_per_epoch(examples, batch_size)))


def steps_per_epoch(examples: int, size: int) -> int:
    return -(-examples // size)


def clamp(value: int, least: int, most: int) -> int:
    return max(least, min(value, most))
