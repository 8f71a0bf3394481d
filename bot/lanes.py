"""What conversations wait for: one thing at a time in each, side by side across them."""

from __future__ import annotations

import asyncio
from bisect import insort
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field, replace

import structlog
from structlog.contextvars import bound_contextvars

from bot.errors import StoreError
from bot.messages import ConversationId
from bot.store.answers import Asked
from bot.store.inbox import Received
from bot.store.outbox import Owed

log = structlog.get_logger()


@dataclass(slots=True)
class Lane:
    """What a conversation waits for: texts owed, then answers owed, then messages, in order.
    `places` are its ids: it has two while a channel moves.
    """

    places: list[ConversationId]
    owed: list[Owed] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    messages: list[Received] = field(default_factory=list)
    task: asyncio.Task[None] | None = None


class Lanes:
    """The lanes of all conversations that wait for something. `do_first` does what comes first in
    one, and takes it out.
    """

    def __init__(self, do_first: Callable[[Lane], Awaitable[None]]) -> None:
        self._do_first = do_first
        self._lanes: dict[ConversationId, Lane] = {}
        self._closing = False

    def __len__(self) -> int:
        return len(self._lanes)

    def get(self, where: ConversationId) -> Lane | None:
        """The lane of a conversation; None when it waits for nothing."""
        return self._lanes.get(where)

    def add(
        self,
        where: ConversationId,
        *,
        owed: Iterable[Owed] = (),
        asked: Iterable[Asked] = (),
        messages: Iterable[Received] = (),
    ) -> None:
        """Let a conversation wait for more; it begins once nothing else runs in it."""
        if where not in self._lanes:
            self._lanes[where] = Lane([where])
        lane = self._lanes[where]
        lane.owed += owed
        lane.asked += asked
        for message in messages:
            insort(lane.messages, message)
        if lane.task is None and not self._closing:
            name = f"serve {where.adapter}:{where.channel}:{where.thread}"
            lane.task = asyncio.create_task(self._empty(where, lane), name=name)

    def move(self, adapter: str, channel: str, to: str) -> None:
        """A channel has another id; what waits under the old one comes before what is new."""
        for where, lane in list(self._lanes.items()):
            moved = replace(where, channel=to)
            if (where.adapter, where.channel) == (adapter, channel) and moved not in self._lanes:
                self._lanes[moved] = lane
                lane.places.append(moved)

    async def idle(self, where: ConversationId) -> None:
        """Return when a conversation waits for nothing."""
        while (lane := self._lanes.get(where)) and lane.task:
            await asyncio.wait([lane.task])

    def close(self) -> None:
        """Begin with nothing more; what runs goes on."""
        self._closing = True

    async def end(self, seconds: float) -> None:
        """Give what runs so many seconds to end; what does not is left for the next start."""
        tasks = [lane.task for lane in self._lanes.values() if lane.task]
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=seconds)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        log.info("answers ended", finished=len(tasks) - len(late), left=len(late))

    async def _empty(self, where: ConversationId, lane: Lane) -> None:
        """Do what a conversation waits for, one after the other."""
        with bound_contextvars(conversation=f"{where.adapter}:{where.channel}:{where.thread}"):
            while not self._closing and (lane.owed or lane.asked or lane.messages):
                try:
                    await self._do_first(lane)
                except StoreError as error:
                    log.error("left for the next start", reason=str(error))  # noqa: TRY400  no bug
                except Exception:
                    log.exception("left for the next start")
        for place in lane.places:
            del self._lanes[place]
