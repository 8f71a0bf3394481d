"""Rates at which the servers of the tests take calls, as the platforms publish them."""

from __future__ import annotations

import math
from dataclasses import dataclass

LENIENT = 0.95


@dataclass(frozen=True, slots=True)
class Rate:
    """So many calls a second in the long run, `burst` at once."""

    a_second: float
    burst: int

    def gauge(self) -> Bucket:
        """Nothing is used up yet."""
        return Bucket(self)


class Bucket:
    """What a rate leaves."""

    def __init__(self, rate: Rate) -> None:
        self._rate = rate
        self._left = float(rate.burst)
        self._at = -math.inf

    def wait(self, now: float) -> float:
        """Seconds until another call is taken."""
        self._left = min(self._rate.burst, self._left + (now - self._at) * self._rate.a_second)
        self._at = now
        # Who keeps the pace is not refused because a call was faster on its way than another.
        return (LENIENT - self._left) / self._rate.a_second

    def take(self, now: float) -> None:  # noqa: ARG002  known from `wait`
        """A call came."""
        self._left -= 1
