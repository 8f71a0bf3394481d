"""How often and how long a provider is asked again."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime

from bot.errors import ModelUnavailable
from bot.messages import Provider
from bot.ports import Clock

FIRST_WAIT = 0.5
LONGEST_WAIT = 8.0


class Trouble(Exception):
    """A failure that may pass. `reason` is a clause: "The provider x is overloaded (503)".

    `asked_wait` is what the provider asks to wait, in seconds, None if it asks for nothing; `quote`
    its own words as a sentence, or "".
    """

    def __init__(
        self, reason: str, asked_wait: float | None = None, quote: str = "", status: int = 0
    ) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.asked_wait = asked_wait
        self.quote = quote


class Patience:
    """The retries of one question, up to the provider's `retry_deadline`."""

    def __init__(
        self, provider: Provider, clock: Clock, jitter: Callable[[], float] = random.random
    ) -> None:
        self._clock = clock
        self._jitter = jitter
        self._deadline = provider.retry_deadline
        self._began = clock.now()
        self._tries = 0

    def wait(self, trouble: Trouble) -> float:
        """How many seconds to wait before the next try.

        Raises ModelUnavailable when that would be later than the deadline.
        """
        self._tries += 1
        backoff = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(self._tries - 1, 10))
        seconds = trouble.asked_wait or backoff * (0.5 + self._jitter() / 2)
        if seconds > self.left:
            raise ModelUnavailable(self._given_up(trouble))
        return seconds

    @property
    def left(self) -> float:
        """Seconds until the deadline."""
        return self._began + self._deadline - self._clock.now()

    def _given_up(self, trouble: Trouble) -> str:
        tried = span(self._clock.now() - self._began)
        times = "once" if self._tries == 1 else f"{self._tries} times"
        asked = trouble.asked_wait
        rest = f" and asks for a pause of {span(asked)}" if asked else ""
        return (
            f"{trouble.reason}{rest}. It was asked {times} in {tried}; try again later."
            f"{trouble.quote}"
        )

    def sentence(self, trouble: Trouble, seconds: float) -> str:
        """Why the person waits, and how long at most."""
        return (
            f"{trouble.reason}: asking again in {span(seconds)}, giving up after {span(self.left)}."
        )


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """The wait that an answer's headers ask for, in seconds; None when they ask for none.

    `retry-after-ms` is Azure's and OpenAI's; Retry-After has seconds or a date (RFC 9110 10.2.3).
    """
    if (milliseconds := _number(headers.get("retry-after-ms"))) is not None:
        return milliseconds / 1000
    value = headers.get("retry-after")
    if value is None or (seconds := _number(value)) is not None:
        return seconds if value else None
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - now)
    except (ValueError, OverflowError):
        return None


def _number(value: str | None) -> float | None:
    try:
        number = float(value or "")
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None


def span(seconds: float) -> str:
    """A time for people: "0.5 s", "12 s", "3 min"."""
    if seconds < 10:
        return f"{math.ceil(seconds * 10) / 10:g} s"
    return f"{math.ceil(seconds)} s" if seconds < 120 else f"{math.ceil(seconds / 60)} min"
