"""What is done again and again while a tunebot runs: it shows life, and deletes what is too old."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection

import structlog

from bot.errors import StoreError
from bot.files import Files
from bot.ports import Clock
from bot.store import Store, privacy, shelf
from bot.tuning.jobs import Jobs
from bot.tuning.library import Library

PRUNE_SECONDS = 3600.0
BEAT_SECONDS = 15.0  # well below what `tunebot health` allows

log = structlog.get_logger()


class Chores:
    """Looks after what is stored. Turns are deleted after `retention_days`; 0 keeps them."""

    def __init__(
        self,
        store: Store,
        files: Files,
        library: Library,
        jobs: Jobs,
        adapters: Collection[str],
        retention_days: int,
        clock: Clock,
    ) -> None:
        self._store = store
        self._files = files
        self._library = library
        self._jobs = jobs
        self._adapters = adapters
        self._retention_days = retention_days
        self._clock = clock

    def begin(self, group: asyncio.TaskGroup) -> list[asyncio.Task[None]]:
        """Do them all until they are cancelled."""
        return [
            group.create_task(self._every(BEAT_SECONDS, self._beat), name="beat"),
            group.create_task(self._every(PRUNE_SECONDS, self._prune), name="prune"),
        ]

    async def _every(self, seconds: float, chore: Callable[[], Awaitable[None]]) -> None:
        """Do a chore again and again; one that fails is logged, and tried again in its time."""
        while True:
            try:
                await chore()
            except (StoreError, OSError) as error:
                log.warning("chore failed", reason=str(error))
            await self._clock.sleep(seconds)

    async def _beat(self) -> None:
        """Show life to `tunebot health`."""
        self._store.beat()

    async def _prune(self) -> None:
        """Delete what is older than its time."""
        now = self._clock.now()
        gone = await self._store.insist(privacy.prune, now, self._retention_days)
        await self._store.insist(shelf.prune, self._clock.now(), self._adapters)
        if gone:
            log.info("pruned", turns=gone)
        await self._store.scrub()
        await self._files.sweep()
        await self._library.sweep()
        await self._jobs.sweep()
