"""How well a model does on what it does not learn from."""

from __future__ import annotations

import math

from bot.local.training.fault import TrainingFault
from bot.local.training.learning import Examples, Measured
from bot.local.training.model import Llama
from bot.local.training.pace import READING

OFTEN = 10  # steps between two looks at a batch of the file


class Validation:
    """A validation file, which may be empty: a batch of it at every tenth step, in turn, and all of
    it at the end of an epoch.
    """

    def __init__(self, examples: Examples, batch_size: int, per_epoch: int) -> None:
        self._examples = examples
        self._batch_size = min(batch_size, len(examples))
        self._per_epoch = per_epoch

    def after(self, step: int, model: Llama) -> dict[str, float]:
        """What is measured after a step, as in its metrics; nothing after most."""
        rows = self._rows(step)
        if not rows:
            return {}
        measured = finite(self._examples.measure(model, rows), step)
        said = named("valid", measured)
        return said | named("full_valid", measured) if self._ends_epoch(step) else said

    def effort(self, step: int) -> float:
        return self._examples.effort(self._rows(step)) * READING

    def _rows(self, step: int) -> list[int]:
        count = len(self._examples)
        if self._ends_epoch(step):
            return list(range(count))
        if step % OFTEN == 0:
            first = step // OFTEN * self._batch_size
            return [index % count for index in range(first, first + self._batch_size)]
        return []

    def _ends_epoch(self, step: int) -> bool:
        return step % self._per_epoch == 0


def named(prefix: str, measured: Measured) -> dict[str, float]:
    return {
        f"{prefix}_loss": measured.loss,
        f"{prefix}_mean_token_accuracy": measured.accuracy,
    }


def finite(measured: Measured, step: int) -> Measured:
    """What was measured. Raises TrainingFault for a loss that is no number."""
    if math.isfinite(measured.loss):
        return measured
    raise TrainingFault(
        "diverged",
        f"The loss of step {step} is no number any more: choose a smaller learning rate "
        f"multiplier.",
    )
