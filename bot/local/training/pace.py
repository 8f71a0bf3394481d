"""How long a training will go on, from how long it has taken."""

from __future__ import annotations

from collections.abc import Callable

from bot.local.training.rows import Example

READING = 1 / 3  # of an example's effort is the forward pass, all that validation needs


def effort(example: Example) -> float:
    """What an example costs, in tokens: with a model of 135M the logits of a target cost as much as
    a quarter of a token's way through the layers.
    """
    return example.length + example.learned / 4


class Pace:
    """The seconds that an effort takes, measured since the start of this process."""

    def __init__(self, total: float, done: float, clock: Callable[[], float]) -> None:
        self.done = done
        self._total = total
        self._clock = clock
        self._first = done
        self._began = clock()

    def left(self, more: float) -> float:
        """Seconds left after so much more has been done."""
        self.done += more
        passed = self._clock() - self._began
        return max(0.0, (self._total - self.done) * passed / (self.done - self._first))
