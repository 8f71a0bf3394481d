"""What a training makes smaller."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np

from bot.local.training.arrays import Array
from bot.local.training.model import Pass
from bot.local.training.rows import Example


class Loss(NamedTuple):
    """A share of a batch's loss, and its slope by each target's log-probability."""

    value: float
    coefficients: Array


class Objective(Protocol):
    """A loss that is a mean over a batch. A micro-batch gives its share of it."""

    def amount(self, example: Example) -> float:
        """What an example counts in the mean."""

    def loss(self, done: Pass, examples: Sequence[int], amount: float) -> Loss:
        """The share of these examples in the loss of a batch that counts `amount`."""

    def wanted(self, done: Pass) -> Array:
        """Which targets the model is to say, as booleans."""


class Likelihood:
    """The mean negative log-probability of the weighted tokens."""

    def amount(self, example: Example) -> float:
        return sum(sum(row.weights[1:]) for row in example.rows)

    def loss(self, done: Pass, _examples: Sequence[int], amount: float) -> Loss:
        coefficients = -done.pack.weights / amount
        return Loss(float(coefficients @ done.log_probabilities), coefficients)

    def wanted(self, done: Pass) -> Array:
        return np.full(len(done.hits), fill_value=True)


class Preference:
    """Direct preference optimisation (Rafailov et al. 2023, equation 7), a mean over the pairs.

    `reference` has for each example the log-probabilities that the base gives to its two rows.
    """

    def __init__(self, reference: Array, beta: float) -> None:
        self._reference = reference
        self._beta = beta

    def amount(self, _example: Example) -> float:
        return 1.0

    def loss(self, done: Pass, examples: Sequence[int], amount: float) -> Loss:
        gained = row_log_probabilities(done) - self._reference[list(examples)]
        margins = self._beta * (gained[:, 0] - gained[:, 1])
        slopes = self._beta * np.exp(-np.logaddexp(0, margins)) / amount
        by_row = np.column_stack([-slopes, slopes]).ravel()
        value = float(np.logaddexp(0, -margins).sum()) / amount
        return Loss(value, by_row[done.pack.row] * done.pack.weights)

    def wanted(self, done: Pass) -> Array:
        return np.asarray(done.pack.row % 2 == 0)


def row_log_probabilities(done: Pass) -> Array:
    """Of each pair of rows, [examples, 2]."""
    weighed = done.log_probabilities * done.pack.weights
    rows = len(done.pack.spans)
    return np.bincount(done.pack.row, weighed, rows).reshape(-1, 2)
