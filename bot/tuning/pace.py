"""How often a job is looked at. Pure."""

from __future__ import annotations

from bot.training import JobStatus

SLOWER = 1.5  # times the wait, for each look at which nothing had changed
LONGEST = {  # seconds between two looks
    JobStatus.RUNNING: 20.0,
    JobStatus.VALIDATING: 20.0,
}
LONGEST_ELSE = 60.0  # in a queue, paused, or whatever it is
LONGEST_TROUBLE = 300.0


class Pace:
    """Fast while things change, slow in a queue, slower while the service has trouble.

    `shortest` is the wait in seconds after something changed.
    """

    def __init__(self, shortest: float) -> None:
        self._shortest = shortest
        self._wait = shortest

    def after(self, status: JobStatus, *, changed: bool) -> float:
        """Seconds until the next look."""
        longest = max(LONGEST.get(status, LONGEST_ELSE), self._shortest)
        self._wait = self._shortest if changed else min(self._wait * SLOWER, longest)
        return self._wait

    def after_trouble(self, asked: float | None) -> float:
        """Seconds until the next look when the service gave no answer; `asked` is its own wish."""
        self._wait = min(max(self._wait * 2, asked or 0.0), max(LONGEST_TROUBLE, asked or 0.0))
        return self._wait
