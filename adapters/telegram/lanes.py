"""Work in order in a lane, side by side across the lanes."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import structlog

Work = Callable[[], Awaitable[None]]

log = structlog.get_logger()


class Lanes:
    """Runs what it is given. What fails is logged and ends nothing else.

    `most` is how much may wait and run before `room` waits.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._under_way = 0
        self._room = asyncio.Event()
        self._lanes: dict[str, deque[Work]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, lane: str, work: Work) -> None:
        """Do something after all that came before it in a lane."""
        self._under_way += 1
        if lane in self._lanes:
            self._lanes[lane].append(work)
        else:
            self._lanes[lane] = deque([work])
            self._run(self._empty(lane), f"lane {lane}")

    def at_once(self, work: Work) -> None:
        """Do something that waits for nothing."""
        self._under_way += 1
        self._run(self._do(work), "at once")

    @property
    def full(self) -> bool:
        """Whether nothing more should be begun."""
        return self._under_way >= self._most

    async def room(self) -> None:
        """Return when something more may be begun."""
        while self.full:
            self._room.clear()
            await self._room.wait()

    async def close(self) -> None:
        """End what still runs."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _run(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _empty(self, lane: str) -> None:
        waiting = self._lanes[lane]
        while waiting:
            await self._do(waiting.popleft())
        del self._lanes[lane]

    async def _do(self, work: Work) -> None:
        try:
            await work()
        except Exception:  # one update spoils no other
            log.exception("update not taken")
        finally:
            self._under_way -= 1
            self._room.set()
