"""How fast Slack is written to: a budget for each method in the workspace, and for posts in each
channel; 0 is without a limit.

Slack counts calls of a method in a minute (facts/slack.md): so many in any minute go out, fewer
after Slack asked to wait, and more again bit by bit. What matters less leaves room for what
matters more. A wait that Slack asks for holds that method only, and for posts that channel.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Hashable
from enum import IntEnum
from typing import TypeVar

from adapters.slack.failures import RateLimited
from bot.errors import DeliveryError
from bot.ports import Clock

T = TypeVar("T")

POST, UPDATE, DELETE = "chat.postMessage", "chat.update", "chat.delete"
START, APPEND, STOP = "chat.startStream", "chat.appendStream", "chat.stopStream"
EPHEMERAL, STATUS = "chat.postEphemeral", "assistant.threads.setStatus"
REPLIES, HISTORY = "conversations.replies", "conversations.history"
REACTIONS = "reactions.get"
UPLOAD_URL, SHARE = "files.getUploadURLExternal", "files.completeUploadExternal"

# Calls a minute: tiers 2, 3 and 4 are 20, 50 and 100.
TIERS = {
    **dict.fromkeys((START, STOP), 20),
    **dict.fromkeys((UPDATE, DELETE, REPLIES, HISTORY, REACTIONS), 50),
    **dict.fromkeys((APPEND, EPHEMERAL, UPLOAD_URL, SHARE), 100),
}
OTHERS = 100
MINUTE = 60.0
CHANNEL_BURST = 3
UNLIMITED = 1_000_000
MOST_CHANNELS = 1000  # remembered before those at rest are forgotten
LEAST_SHARE = 0.1  # of a budget, however often Slack asks to wait
RECOVERY = 600.0  # seconds until a whole budget is there again
ROUNDING = 1e-6
LONGEST_WAIT = 10.0  # seconds that a call waits here; what takes longer is the core's to remember
KEPT_FOR_STOPS = 2  # calls that streams leave to what ends without having been planned
KEPT_FOR_EDITS = 5  # the same of edits, which texts that grow by them leave
SHORTEST_PAUSE, PAUSE_EACH, LONGEST_PAUSE = 0.75, 0.7, 5.0  # seconds between two appends
EDIT_PAUSE = 1.5  # seconds between two edits, for each text that grows so


class Urgency(IntEnum):
    """What a call is for, the most urgent first."""

    FINAL = 0
    ERROR = 1
    FIRST = 2
    PROGRESS = 3


# The share of a budget that is left to what is more urgent.
LEFT = {Urgency.FINAL: 0.0, Urgency.ERROR: 0.05, Urgency.FIRST: 0.15, Urgency.PROGRESS: 0.2}


class Budget:
    """So many calls in any `seconds`; less of them since Slack complained."""

    def __init__(self, calls: float, seconds: float) -> None:
        self._calls = calls
        self._seconds = seconds
        self._taken: deque[float] = deque()
        self._held_until = 0.0
        self._share = 1.0
        self._share_at = 0.0

    def wait(self, now: float, urgency: Urgency) -> float:
        """Seconds until a call of such urgency may be made."""
        while self._taken and self._taken[0] <= now - self._seconds:
            self._taken.popleft()
        usable = self._most(now)
        usable = max(1, usable - int(LEFT[urgency] * usable))
        free = self._taken[-usable] + self._seconds - now if len(self._taken) >= usable else 0.0
        wait = max(free, self._held_until - now)
        return wait if wait > ROUNDING else 0.0

    def left(self, now: float) -> int:
        """How many calls may be made now."""
        return 0 if self.wait(now, Urgency.FINAL) else self._most(now) - len(self._taken)

    def take(self, now: float) -> None:
        """A call is made."""
        self._taken.append(now)

    def hold(self, now: float, seconds: float) -> None:
        """Slack asks to wait: half of what was used until now goes out from then on."""
        self._share = max(LEAST_SHARE, self._shared(now) / 2)
        self._share_at = self._held_until = max(self._held_until, now + seconds)

    def rests(self, now: float) -> bool:
        """Whether nothing of it needs to be remembered."""
        return not self.wait(now, Urgency.FINAL) and not self._taken and self._shared(now) >= 1

    def _most(self, now: float) -> int:
        return max(1, int(self._calls * self._shared(now)))

    def _shared(self, now: float) -> float:
        return min(1.0, self._share + max(0.0, now - self._share_at) / RECOVERY)


class Pacer:
    """Lets calls through at the pace that Slack takes. `channel_rate` is posts a second."""

    def __init__(self, clock: Clock, channel_rate: float = 1.0) -> None:
        self._clock = clock
        self._channel_rate = channel_rate
        self._budgets: dict[tuple[str, str], Budget] = {}
        self._streaming: set[Hashable] = set()
        self._editing: set[Hashable] = set()

    def wait(self, method: str, urgency: Urgency, channel: str = "") -> float:
        """Seconds until a call may be made."""
        return self._budget(method, channel).wait(self._clock.now(), urgency)

    async def call(
        self,
        method: str,
        urgency: Urgency,
        made: Callable[[], Awaitable[T]],
        channel: str = "",
    ) -> T:
        """Make a call when it may be made. What is urgent waits for that a little, what grows comes
        again with a newer text. Raises DeliveryError with the wait where that takes long.
        """
        most = LONGEST_WAIT if urgency < Urgency.FIRST else 0.0
        while (wait := self.wait(method, urgency, channel)) > 0:
            if wait > most:
                raise DeliveryError("Slack takes no more for now.", wait)
            await self._clock.sleep(wait)
        budget = self._budget(method, channel)
        budget.take(self._clock.now())
        try:
            return await made()
        except RateLimited as error:
            budget.hold(self._clock.now(), error.seconds)
            raise

    # What grows

    def may_stream(self) -> bool:
        """Whether one more stream may start: its end, too, must fit into what Slack takes."""
        now = self._clock.now()
        stops = self._budget(STOP).left(now) - len(self._streaming)
        return stops > KEPT_FOR_STOPS and not self._budget(START).wait(now, Urgency.FINAL)

    def may_edit(self) -> bool:
        """Whether a text may grow by an edit: the ends of all that grow so must fit, too."""
        edits = self._budget(UPDATE).left(self._clock.now()) - len(self._editing)
        return edits > KEPT_FOR_EDITS

    def streams(self, who: Hashable) -> None:
        """A text grows by a stream."""
        self._streaming.add(who)
        self._editing.discard(who)

    def edits(self, who: Hashable) -> None:
        """A text grows by edits."""
        self._editing.add(who)
        self._streaming.discard(who)

    def rests(self, who: Hashable) -> None:
        """A text grows no more."""
        self._streaming.discard(who)
        self._editing.discard(who)

    def pause(self, who: Hashable) -> float:
        """Seconds between two looks at a growing text."""
        if who in self._editing:
            return EDIT_PAUSE * len(self._editing)
        return min(max(SHORTEST_PAUSE, PAUSE_EACH * len(self._streaming)), LONGEST_PAUSE)

    def _budget(self, method: str, channel: str = "") -> Budget:
        """What a call draws from."""
        key = (method, channel if method == POST else "")
        if key not in self._budgets:
            if len(self._budgets) >= MOST_CHANNELS:
                self._forget()
            self._budgets[key] = self._new(method)
        return self._budgets[key]

    def _new(self, method: str) -> Budget:
        if method == POST and not self._channel_rate:
            return Budget(UNLIMITED, 1.0)
        if method == POST:
            return Budget(CHANNEL_BURST, CHANNEL_BURST / self._channel_rate)
        return Budget(TIERS.get(method, OTHERS), MINUTE)

    def _forget(self) -> None:
        now = self._clock.now()
        for key in [key for key, budget in self._budgets.items() if budget.rests(now)]:
            del self._budgets[key]
