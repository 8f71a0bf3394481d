"""What people are called: asked of Slack, kept for a while, and never waited for long."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass

from bot.errors import BotError
from bot.ports import Clock

Ask = Callable[[str], Awaitable[str]]
MOST = 10_000  # people that are remembered
MOST_ASKED = 20  # at a time, for one text
FRESH = 3600.0  # seconds until a name is asked for again
UNKNOWN = 60.0  # seconds until somebody whom Slack did not name is asked for again
WAIT = 1.0  # seconds that a message waits for the names in it


@dataclass(frozen=True, slots=True)
class Known:
    """A name, "" where there is none, and the Unix time until which it is good."""

    name: str
    until: float


class Names:
    """The names of a workspace's people. `ask` is a call to Slack: it raises BotError."""

    def __init__(self, ask: Ask, clock: Clock, wait: float = WAIT) -> None:
        self._ask = ask
        self._clock = clock
        self._wait = wait
        self._known: OrderedDict[str, Known] = OrderedDict()
        self._asking: dict[str, asyncio.Task[None]] = {}

    async def of(self, people: Iterable[str]) -> Mapping[str, str]:
        """The names of those whose name is known in time; what comes later is for the next time."""
        people = list(dict.fromkeys(people))
        old = [each for each in people if not self._is_fresh(each)][:MOST_ASKED]
        if old:
            await asyncio.wait([self._find(each) for each in old], timeout=self._wait)
        found = {each: self._known[each].name for each in people if each in self._known}
        return {each: name for each, name in found.items() if name}

    async def close(self) -> None:
        """Ask no more."""
        tasks = list(self._asking.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _is_fresh(self, user: str) -> bool:
        known = self._known.get(user)
        return bool(known and self._clock.now() < known.until)

    def _find(self, user: str) -> asyncio.Task[None]:
        if user not in self._asking:
            task = asyncio.create_task(self._learn(user), name=f"name of {user}")
            self._asking[user] = task
            task.add_done_callback(lambda _: self._asking.pop(user))
        return self._asking[user]

    async def _learn(self, user: str) -> None:
        try:
            name, seconds = await self._ask(user), FRESH
        except BotError:
            # An old name is better than none.
            name, seconds = getattr(self._known.get(user), "name", ""), UNKNOWN
        self._known[user] = Known(name, self._clock.now() + seconds)
        self._known.move_to_end(user)
        if len(self._known) > MOST:
            self._known.popitem(last=False)
