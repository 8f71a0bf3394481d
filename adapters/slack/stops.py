"""Slack's Stop button, of which the bot hears twice: by an event, and by the stream that ended."""

from __future__ import annotations

from collections import OrderedDict
from enum import Enum

from bot.messages import ConversationId
from bot.ports import Clock

APART = 30.0  # seconds by which the two may come apart
MOST = 1000  # conversations


class Heard(Enum):
    """By what a stop was heard of."""

    EVENT = "event"
    STREAM = "stream"


class Stops:
    """Tells the second word about a stop from a new stop."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: OrderedDict[ConversationId, tuple[Heard, float]] = OrderedDict()

    def is_new(self, where: ConversationId, by: Heard) -> bool:
        """Whether nothing was heard of this stop before; each is heard of once in each way."""
        now = self._clock.now()
        other, at = self._waiting.pop(where, (by, now))
        if other is not by and now - at < APART:
            return False
        self._waiting[where] = by, now
        if len(self._waiting) > MOST:
            self._waiting.popitem(last=False)
        return True
