"""How much one may send, how slowly, and how often."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from math import ceil

from starlette.types import Message, Receive

from adapters.http.errors import Refusal

SLOWEST = 16_384  # bytes a second that a body must come with, once its first seconds are over
MOST_CALLERS = 10_000


class Body:
    """The `receive` of one request, counted and timed while its body streams in.

    Raises Refusal where the body is too long, or too slow.
    """

    def __init__(self, receive: Receive, most_bytes: int, seconds: float, *, empty: bool) -> None:
        self._receive = receive
        self._most_bytes = most_bytes
        self._until = asyncio.get_running_loop().time() + seconds
        self._bytes = 0
        self.ended = empty

    async def __call__(self) -> Message:
        """The next piece; after the last one, that the client has gone."""
        if self.ended:
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._until + self._bytes / SLOWEST):
                message = await self._receive()
        except TimeoutError:
            raise Refusal(408, "The body of the request came too slowly.") from None
        self._bytes += len(message.get("body", b""))
        self.announce(self._bytes)
        self.ended = not message.get("more_body", False)
        return message

    def announce(self, length: int) -> None:
        """Raises Refusal for a body of so many bytes, where that is too long."""
        if length > self._most_bytes:
            message = f"The body has more than {self._most_bytes} bytes."
            raise Refusal(413, message, field="body")

    async def discard(self) -> None:
        """Read the next piece for nothing."""
        self.ended = not (await self._receive()).get("more_body", False)


class Rate:
    """So many requests a minute for each caller: a bucket that fills steadily.

    `now` is a clock in seconds that only moves forward.
    """

    def __init__(self, a_minute: int, now: Callable[[], float] = time.monotonic) -> None:
        self._most = a_minute
        self._a_second = a_minute / 60
        self._now = now
        self._buckets: dict[str, tuple[float, float]] = {}  # what is left, and since when

    def take(self, caller: str) -> None:
        """Count a request. Raises Refusal, which says when to come back."""
        now = self._now()
        left, since = self._buckets.pop(caller, (self._most, now))
        left = min(self._most, left + (now - since) * self._a_second)
        taken = left >= 1
        self._buckets[caller] = (left - taken, now)
        if len(self._buckets) > MOST_CALLERS:
            del self._buckets[next(iter(self._buckets))]  # who has been away for longest
        if not taken:
            seconds = ceil((1 - left) / self._a_second)
            raise Refusal(
                429,
                f"More than {self._most} requests a minute; come back in {seconds} s.",
                {"retry-after": str(seconds)},
            )
