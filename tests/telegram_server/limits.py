"""How much Telegram takes in a while, in a chat and over all chats."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.rates import LENIENT, Bucket, Rate
from tests.telegram_server.values import Refused


@dataclass(frozen=True, slots=True)
class Quota:
    """So many calls in any so many seconds."""

    most: int
    seconds: float

    def gauge(self) -> Window:
        """Nothing is used up yet."""
        return Window(self)


@dataclass(frozen=True, slots=True)
class Limits:
    """facts/telegram.md: 1 message a second a chat, 20 a minute a group, 30 a second over all.

    Edits count as messages; a chat takes three at once. `drafts` is the rate of previews in a chat,
    which Telegram does not publish.
    """

    chat: Rate = field(default=Rate(1, burst=3))
    group: Quota = Quota(20, 60)
    everywhere: Rate = field(default=Rate(30, burst=30))
    drafts: Rate = field(default=Rate(5, burst=10))


class Window:
    """When the last calls of a quota came."""

    def __init__(self, quota: Quota) -> None:
        self._seconds = quota.seconds * LENIENT
        self._taken: deque[float] = deque([-math.inf] * quota.most, quota.most)

    def wait(self, now: float) -> float:
        """Seconds until another call is taken."""
        return self._taken[0] + self._seconds - now

    def take(self, now: float) -> None:
        """A call came."""
        self._taken.append(now)


class FloodControl:
    """Refuses what comes too fast; without limits only what a test floods."""

    def __init__(self, limits: Limits | None, now: Callable[[], float]) -> None:
        self.limits = limits
        self._now = now
        self._gauges: dict[tuple[str, int], Bucket | Window] = {}
        self._flooded: dict[int, float] = {}

    def flood(self, chat: int, seconds: float) -> None:
        """Take nothing in a chat (0: anywhere) for a while."""
        self._flooded[chat] = self._now() + seconds

    def message(self, chat: int, *, group: bool) -> None:
        """Count a message or an edit; raises Refused."""
        if not self.limits:
            self._take(chat, {})
            return
        rates: dict[tuple[str, int], Rate | Quota] = {
            ("chat", chat): self.limits.chat,
            ("all", 0): self.limits.everywhere,
        }
        if group:
            rates["group", chat] = self.limits.group
        self._take(chat, rates)

    def draft(self, chat: int) -> None:
        """Count a preview; raises Refused."""
        self._take(chat, {("drafts", chat): self.limits.drafts} if self.limits else {})

    def _take(self, chat: int, rates: dict[tuple[str, int], Rate | Quota]) -> None:
        now = self._now()
        for key, rate in rates.items():
            if key not in self._gauges:
                self._gauges[key] = rate.gauge()
        gauges = [self._gauges[key] for key in rates]
        floods = [self._flooded.get(flooded, 0.0) - now for flooded in (0, chat)]
        wait = max([*floods, *(gauge.wait(now) for gauge in gauges)])
        if wait > 0:
            seconds = math.ceil(wait)
            asked = {"retry_after": seconds}
            raise Refused(f"Too Many Requests: retry after {seconds}", 429, asked)
        for gauge in gauges:
            gauge.take(now)
