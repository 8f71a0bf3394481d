"""How much Slack takes in a while, by method and for a channel, and how long texts may be."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.rates import Bucket, Rate

# facts/slack.md; 0 is a rate of its own, which Slack calls special.
TIERS = {
    "apps.connections.open": 3,
    "assistant.threads.setStatus": 0,
    "assistant.threads.setSuggestedPrompts": 4,
    "assistant.threads.setTitle": 4,
    "auth.test": 0,
    "bots.info": 3,
    "chat.appendStream": 4,
    "chat.delete": 3,
    "chat.postEphemeral": 4,
    "chat.postMessage": 0,
    "chat.startStream": 2,
    "chat.stopStream": 2,
    "chat.update": 3,
    "conversations.history": 3,
    "conversations.info": 3,
    "conversations.open": 3,
    "conversations.replies": 3,
    "files.completeUploadExternal": 4,
    "files.getUploadURLExternal": 4,
    "files.info": 4,
    "reactions.add": 3,
    "reactions.remove": 2,
    "team.info": 3,
    "users.info": 4,
    "users.list": 2,
    "views.open": 4,
    "views.publish": 4,
    "views.push": 4,
    "views.update": 4,
}


class TooFast(Exception):
    """Slack takes no such call for so many seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"Retry after {seconds:.1f} s")
        self.retry_after = math.ceil(seconds)


def tier(number: int, a_minute: int) -> tuple[int, Rate]:
    """A tier's rate: what it takes in a minute it takes at once, too, if it came slowly before."""
    return number, Rate(a_minute / 60, burst=a_minute)


@dataclass(frozen=True, slots=True)
class Limits:
    """facts/slack.md: the tiers hold for a method in the whole workspace, `posts` for a channel.

    Slack says "20+ a minute" and not what a burst is; here a minute's calls are one.
    """

    tiers: dict[int, Rate] = field(
        default_factory=lambda: dict([tier(2, 20), tier(3, 50), tier(4, 100), tier(0, 600)])
    )
    posts: Rate = field(default=Rate(1, burst=3))


@dataclass(slots=True)
class Lengths:
    """How long texts may be: `text` in characters for postMessage and update, `markdown_text` for
    one call, `stream` in UTF-8 bytes for a streamed message in all, `stream_seconds` its life.
    """

    text: int = 4_000
    markdown_text: int = 12_000
    stream: int = 10_600
    stream_seconds: float = 300.0
    metadata: int = 16_000


class RateLimits:
    """Refuses what comes too fast; without `limits` only what a test floods.

    `refused` counts the calls refused, by method.
    """

    def __init__(self, limits: Limits | None, now: Callable[[], float]) -> None:
        self.limits = limits
        self.refused: Counter[str] = Counter()
        self._now = now
        self._buckets: dict[tuple[str, str], Bucket] = {}
        self._flooded: dict[str, float] = {}

    def flood(self, method: str, seconds: float) -> None:
        """Take no call of a method ("" for any) for a while."""
        self._flooded[method] = self._now() + seconds

    def count(self, method: str, channel: str) -> None:
        """Count a call. Raises TooFast."""
        now = self._now()
        buckets = self._of(method, channel)
        floods = [self._flooded.get(flooded, 0.0) - now for flooded in ("", method)]
        wait = max([*floods, *(bucket.wait(now) for bucket in buckets)])
        if wait > 0:
            self.refused[method] += 1
            raise TooFast(wait)
        for bucket in buckets:
            bucket.take(now)

    def _of(self, method: str, channel: str) -> list[Bucket]:
        """The buckets that a call draws from."""
        if not self.limits or method not in TIERS:
            return []
        rates = {(method, ""): self.limits.tiers[TIERS[method]]}
        if method == "chat.postMessage":
            rates = {(method, channel): self.limits.posts}
        return [self._buckets.setdefault(key, rate.gauge()) for key, rate in rates.items()]
