"""How fast Telegram is written to: a rate for each chat, and one for all of them together.

Edits share the limits of sends (facts/telegram.md). What matters less leaves room for what matters
more: an answer's end finds a slot free where its progress would have to wait. A wait that Telegram
asks for holds its own chat only.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from bot.errors import DeliveryError
from bot.ports import Clock

MOST_CHATS = 1000  # remembered before those at rest are forgotten
MINUTE = 60.0
ROUNDING = 1e-6  # seconds that are none: sums of fractions are not exact
MOST_STRETCH, RELAXING = 8.0, 0.9
LONGEST_WAIT = 10.0  # seconds that a text waits here; what takes longer is the core's to remember


class Urgency(IntEnum):
    """What a call is for, the most urgent first."""

    FINAL = 0
    ERROR = 1
    FIRST = 2
    PROGRESS = 3


# The share of what is taken at once that is left to what is more urgent.
LEFT = {Urgency.FINAL: 0.0, Urgency.ERROR: 0.05, Urgency.FIRST: 0.15, Urgency.PROGRESS: 0.25}


@dataclass(frozen=True, slots=True)
class Rates:
    """How much is taken: so many a second in a chat and in all, with a burst at once, and so many
    in any minute in a group. 0 is without a limit.
    """

    chat: float = 1.0
    group: int = 20
    everywhere: float = 30.0
    chat_burst: int = 3
    everywhere_burst: int = 20


class Bucket:
    """So many calls a second in the long run, `burst` at once."""

    def __init__(self, a_second: float, burst: int, now: float) -> None:
        self._a_second = a_second
        self._burst = burst
        self._left = float(burst)
        self._at = now

    def wait(self, now: float, urgency: Urgency) -> float:
        """Seconds until a call of such urgency may be made."""
        if not self._a_second:
            return 0.0
        gained = max(0.0, now - self._at) * self._a_second
        self._left, self._at = min(self._burst, self._left + gained), now
        needed = 1 + LEFT[urgency] * (self._burst - 1)
        return (needed - self._left) / self._a_second

    def take(self, now: float) -> None:  # noqa: ARG002 - `wait` knew it
        """One call less."""
        self._left -= 1


class Minute:
    """So many calls in any minute."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken: deque[float] = deque(maxlen=most)

    def wait(self, now: float, urgency: Urgency) -> float:
        """Seconds until a call of such urgency may be made."""
        usable = self._most - int(LEFT[urgency] * self._most)
        if not self._most or len(self._taken) < usable:
            return 0.0
        return self._taken[-usable] + MINUTE - now

    def take(self, now: float) -> None:
        """A call is made."""
        self._taken.append(now)


@dataclass(slots=True)
class Pace:
    """One chat: until when it is left alone, and until when what grows there is.

    `stretch` is how much longer than usual its growing texts wait for their next look.
    """

    gauges: Sequence[Bucket | Minute]
    held_until: float = 0.0
    quiet_until: float = 0.0
    stretch: float = 1.0
    used_at: float = 0.0


class Pacer:
    """Lets calls through at the pace that Telegram takes."""

    def __init__(self, clock: Clock, rates: Rates) -> None:
        self._clock = clock
        self._rates = rates
        self._everywhere = Bucket(rates.everywhere, rates.everywhere_burst, clock.now())
        self._paces: dict[int, Pace] = {}

    def wait(self, chat: int, urgency: Urgency) -> float:
        """Seconds until a call may be made."""
        now = self._clock.now()
        pace = self._pace(chat)
        waits = [each.wait(now, urgency) for each in (*pace.gauges, self._everywhere)]
        wait = max(*waits, pace.held_until - now)
        return wait if wait > ROUNDING else 0.0

    def silence(self, chat: int) -> float:
        """Seconds until a preview may be shown; previews are not counted with the messages."""
        pace = self._pace(chat)
        return max(pace.held_until, pace.quiet_until) - self._clock.now()

    async def turn(self, chat: int, urgency: Urgency) -> None:
        """Return when a call may be made, which is counted. Raises DeliveryError with the wait
        where that takes long.
        """
        while (wait := self.wait(chat, urgency)) > 0:
            if wait > LONGEST_WAIT:
                raise DeliveryError("Telegram asks to wait.", wait)
            await self._clock.sleep(wait)
        self._count(chat)

    def at_once(self, chat: int, urgency: Urgency) -> None:
        """Count a call that is made now. Raises DeliveryError with the wait if it may not be."""
        if (wait := self.wait(chat, urgency)) > 0:
            raise DeliveryError("Telegram takes no more for now.", wait)
        self._count(chat)

    def hold(self, chat: int, seconds: float) -> None:
        """Leave a chat alone for as long as Telegram asks."""
        pace = self._pace(chat)
        pace.held_until = max(pace.held_until, self._clock.now() + seconds)
        pace.stretch = min(pace.stretch * 2, MOST_STRETCH)

    def hush(self, chat: int, seconds: float) -> None:
        """Show no preview in a chat for so long; what is final may go."""
        pace = self._pace(chat)
        pace.quiet_until = max(pace.quiet_until, self._clock.now() + seconds)
        pace.stretch = min(pace.stretch * 2, MOST_STRETCH)

    def pause(self, chat: int, usual: float) -> float:
        """Seconds until the next look at a growing text: more after a refusal, then less again."""
        pace = self._pace(chat)
        seconds, pace.stretch = usual * pace.stretch, max(1.0, pace.stretch * RELAXING)
        return seconds

    def _count(self, chat: int) -> None:
        pace, now = self._pace(chat), self._clock.now()
        for each in (*pace.gauges, self._everywhere):
            each.take(now)
        pace.used_at = now

    def _pace(self, chat: int) -> Pace:
        if chat not in self._paces:
            now = self._clock.now()
            if len(self._paces) >= MOST_CHATS:
                self._forget(now)
            rates = self._rates
            bucket = Bucket(rates.chat, rates.chat_burst, now)
            gauges = (bucket, Minute(rates.group)) if chat < 0 else (bucket,)
            self._paces[chat] = Pace(gauges, used_at=now)
        return self._paces[chat]

    def _forget(self, now: float) -> None:
        """Drop the chats that are at rest."""
        self._paces = {
            chat: pace
            for chat, pace in self._paces.items()
            if max(pace.used_at, pace.held_until, pace.quiet_until) > now - MINUTE
        }
