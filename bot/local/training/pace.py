"""How long a training will go on, from how fast it went of late.

Other work shares the cores, and comes and goes: so old steps are forgotten. A step that is slow
alone, between two that are not, says nothing of what is left, and is passed over.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median_low

from bot.local.training.rows import Example

READING = 0.45  # of an example's effort is the forward pass, all that validation needs
PASS = 16  # tokens; what a pass costs before the first, to read all weights from the memory
LEAST = 8  # steps that are remembered, however short the training is
PART = 0.04  # of the steps are remembered
CHECK_INS = 3.0  # of which the mean is taken


def effort(example: Example) -> float:
    """What an example costs, in tokens: with a model of 135M the logits of a target cost as much as
    a quarter of a token's way through the layers.
    """
    return example.length + example.learned / 4


class Lately:
    """The seconds that a unit of work takes: a mean that forgets what is older than `memory` units,
    of the middle ones of three measurements each. `known` is the measurement before the first, 0
    where there is none.
    """

    def __init__(self, memory: float, known: float) -> None:
        self.each = known
        self._memory = memory
        self._three = deque([known] if known else [], maxlen=3)
        self._units = self._seconds = 0.0

    def took(self, units: float, seconds: float) -> None:
        self._three.append(seconds / units)
        self.each = median_low(self._three)  # of one or two the lower: the first is often slow
        if len(self._three) == self._three.maxlen:
            kept = math.exp(-units / self._memory)
            self._units = self._units * kept + units
            self._seconds = self._seconds * kept + units * self.each
            self.each = self._seconds / self._units


@dataclass(slots=True)
class Speeds:
    """Seconds that an effort of one token takes, and a check-in; 0 where none was measured."""

    effort: float = 0.0
    check_in: float = 0.0


@dataclass(slots=True)
class Left:
    """What is still to be done: steps, their effort in tokens, and check-ins at ends of epochs."""

    steps: int
    effort: float
    check_ins: int


class Pace:
    """What is left of a training, in seconds. Its clock runs from here on."""

    def __init__(self, left: Left, known: Speeds, clock: Callable[[], float]) -> None:
        self._left = left
        self._clock = clock
        self._since = clock()
        remembered = max(LEAST / max(left.steps, 1), PART)
        self._working = Lately(remembered * left.effort, known.effort)
        self._checking_in = Lately(CHECK_INS, known.check_in)

    @property
    def speeds(self) -> Speeds:
        """What a process that goes on with this training begins with."""
        return Speeds(self._working.each, self._checking_in.each)

    def stepped(self, effort: float) -> float:
        """A step of this effort is done; the seconds that are left."""
        self._working.took(effort, self._passed())
        self._left.steps -= 1
        self._left.effort -= effort
        return (
            max(0.0, self._left.effort) * self._working.each
            + self._left.check_ins * self._checking_in.each
        )

    def checked_in(self) -> None:
        """A check-in is done."""
        self._checking_in.took(1, self._passed())
        self._left.check_ins -= 1

    def _passed(self) -> float:
        before, self._since = self._since, self._clock()
        return self._since - before
