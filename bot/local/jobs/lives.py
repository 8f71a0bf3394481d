"""Whether a training that was killed is started again."""

from __future__ import annotations

MOST_DEATHS = 3


class Lives:
    """The lives of one job's trainers. A job goes on as long as that takes it further: where memory
    does not suffice, the next trainer is killed at the same step again.
    """

    def __init__(self) -> None:
        self.step = 0  # the furthest
        self._deaths = 0  # since then

    def gets_to(self, step: int) -> None:
        """A trainer has done a step, which may be one that was done before a death."""
        if step > self.step:
            self.step, self._deaths = step, 0

    def end(self) -> bool:
        """A trainer was killed; whether another one is worth it."""
        self._deaths += 1
        return self._deaths < MOST_DEATHS
