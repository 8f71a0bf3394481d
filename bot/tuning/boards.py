"""The cards of running jobs, edited in place while they change.

What a card shows on the way may be dropped. Its first and its last text go through the outbox.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import structlog

from bot.errors import DeliveryError, DeliveryRefused, StoreError
from bot.ports import Adapter, Clock
from bot.store import Store, boards
from bot.store.boards import Follower

PAUSE = 5.0  # seconds after a refusal that names no wait
ON_ITS_WAY = 1.0  # seconds between two looks for a card that is owed
MOST_TRIES = 600

log = structlog.get_logger()


class Boards:
    """Shows each follower the newest text: one writer a card, at its platform's pace."""

    def __init__(self, store: Store, adapters: Mapping[str, Adapter], clock: Clock) -> None:
        self._store = store
        self._adapters = adapters
        self._clock = clock
        self._newest: dict[int, str] = {}
        self._writers: dict[int, asyncio.Task[None]] = {}

    def show(self, follower: Follower, text: str) -> None:
        """Have a card show this text, unless a newer one comes first."""
        if not self._edits(follower):
            return
        self._newest[follower.id] = text
        writer = self._writers.get(follower.id)
        if writer is None or writer.done():
            writer = asyncio.create_task(self._write(follower), name=f"board {follower.id}")
            self._writers[follower.id] = writer
            writer.add_done_callback(lambda done: self._forget(follower, done))

    async def leave(self, follower: Follower) -> None:
        """Show nothing more: what is said next must stand last."""
        self._newest.pop(follower.id, None)
        if writer := self._writers.get(follower.id):
            writer.cancel()
            await asyncio.wait([writer])

    async def close(self) -> None:
        """End all writers."""
        writers = list(self._writers.values())
        for writer in writers:
            writer.cancel()
        await asyncio.gather(*writers, return_exceptions=True)

    def _forget(self, follower: Follower, writer: asyncio.Task[None]) -> None:
        if self._writers.get(follower.id) is writer:
            del self._writers[follower.id]

    def _edits(self, follower: Follower) -> bool:
        """Whether a card can be edited there at all."""
        adapter = self._adapters.get(follower.conversation.adapter)
        return adapter is not None and adapter.limits.edits

    async def _write(self, follower: Follower) -> None:
        tries = 0
        while text := self._newest.pop(follower.id, ""):
            tries += 1
            try:
                await self._put(follower, text)
                tries = 0
            except DeliveryRefused:
                return
            except DeliveryError as error:
                if tries == MOST_TRIES:
                    return
                self._newest.setdefault(follower.id, text)
                await self._clock.sleep(error.retry_after or PAUSE)
            except StoreError:
                return
            except Exception:  # a card that is not shown ends no job
                log.exception("card not shown", follower=follower.id)
                return

    async def _put(self, follower: Follower, text: str) -> None:
        handles = await self._store.do(boards.handles, follower.id)
        if not handles:
            raise DeliveryError("Its first text is on its way.", ON_ITS_WAY)
        sink = self._adapters[follower.conversation.adapter].sink(follower.to)
        try:
            await sink.ready()
            handle = await sink.finish(0, self._newest.pop(follower.id, text), handles[0])
            if handle != handles[0]:  # somebody deleted the card: it stands anew
                await self._store.do(boards.stands, follower.id, handle)
        finally:
            await sink.close()
