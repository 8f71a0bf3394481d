"""Examples that a model learns from, or is measured on."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from bot.local.training.batches import micro_batches
from bot.local.training.model import Llama
from bot.local.training.objective import (
    Likelihood,
    Objective,
    Preference,
    row_log_probabilities,
)
from bot.local.training.pace import PASS, effort
from bot.local.training.pack import Pack, pack
from bot.local.training.rows import Example, answers


class Measured(NamedTuple):
    """The loss of some examples, and the share of their tokens that were the most probable."""

    loss: float
    accuracy: float


class Examples:
    """A file's examples with what they are to teach."""

    def __init__(self, examples: Sequence[Example]) -> None:
        self.objective: Objective = Likelihood()
        self._examples = examples
        self._lengths = [example.length for example in examples]
        self._efforts = [effort(example) for example in examples]

    def __len__(self) -> int:
        return len(self._examples)

    @property
    def tokens(self) -> int:
        return sum(self._lengths)

    @property
    def answers(self) -> int:
        """How many different ones there are."""
        return answers(self._examples)

    def effort(self, chosen: Sequence[int]) -> float:
        """What it costs to learn from some examples as one batch, in tokens."""
        passes = sum(1 for _ in micro_batches(chosen, self._lengths))
        return sum(self._efforts[each] for each in chosen) + PASS * passes

    def prefer(self, model: Llama, beta: float) -> None:
        """Teach preferences from here on, against what the base says of them."""
        reference = np.empty((len(self), 2))
        for part in micro_batches(range(len(self)), self._lengths):
            reference[part] = row_log_probabilities(model.forward(self.pack(part), adapted=False))
        self.objective = Preference(reference, beta)

    def measure(self, model: Llama, chosen: Sequence[int], *, learning: bool = False) -> Measured:
        """Read some examples as one batch; with `learning` their gradient is added to the
        adapter's. A loss that is no number is returned as it is.
        """
        amount = sum(self.objective.amount(self._examples[each]) for each in chosen)
        loss, hits, counted = 0.0, 0, 0
        for part in micro_batches(chosen, self._lengths):
            done = model.forward(self.pack(part), learning=learning)
            share = self.objective.loss(done, part, amount)
            if learning and math.isfinite(share.value):
                model.backward(done, share.coefficients)
            loss += share.value
            of_interest = done.hits[self.objective.wanted(done)]
            hits, counted = hits + int(of_interest.sum()), counted + of_interest.size
        return Measured(loss, hits / counted)

    def identify(self, see: Callable[[bytes], None]) -> None:
        """Show every token and weight."""
        for example in self._examples:
            for row in example.rows:
                see(json.dumps([row.tokens, row.weights]).encode())

    def pack(self, part: Sequence[int]) -> Pack:
        return pack([row for each in part for row in self._examples[each].rows])
