"""Jobs between their confirmation and the moment in which their service has them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import structlog

from bot.errors import StoreError, TuningError
from bot.messages import Card
from bot.store import Store, boards, jobs, stages, telling
from bot.store.jobs import Stage, Tracked
from bot.store.outbox import Owed
from bot.store.telling import Notice
from bot.tuning.boards import Boards
from bot.tuning.quoting import quoted
from bot.tuning.starting import Starter

Owe = Callable[[Sequence[Owed]], None]

log = structlog.get_logger()


class Beginning:
    """One task for each job that begins; `watch` takes over what is made."""

    def __init__(
        self,
        store: Store,
        starter: Starter,
        boards: Boards,
        owe: Owe,
        watch: Callable[[Tracked], None],
        served: Callable[[str], bool],
    ) -> None:
        self._store = store
        self._starter = starter
        self._boards = boards
        self._owe = owe
        self._watch = watch
        self._served = served
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._closing = False

    async def resume(self) -> None:
        """Go on with what the last run began."""
        for tracked in await self._store.insist(jobs.at_stage, Stage.STARTING):
            self.go_on(tracked)
        for tracked in await self._store.insist(jobs.at_stage, Stage.WITHDRAWN):
            self._begin(tracked, self._until_gone(tracked))

    def go_on(self, tracked: Tracked) -> None:
        """Have a job made, unless that is going on, or its service is not configured any more."""
        self._begin(tracked, self._until_made(tracked))

    async def withdraw(self, tracked: Tracked, person: str, now: float) -> bool:
        """Take a job back that is starting; False when it has started."""
        if not await self._store.insist(stages.withdraw, tracked.id, person, now):
            return False
        if task := self._tasks.get(tracked.id):
            task.cancel()
            await asyncio.wait([task])
        tracked = await self._store.insist(jobs.tracked, tracked.id)
        self._begin(tracked, self._until_gone(tracked))
        return True

    async def close(self) -> None:
        """Leave every job as it is, for the next start."""
        self._closing = True
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _begin(self, tracked: Tracked, work: Coroutine[Any, Any, None]) -> None:
        if self._closing or tracked.id in self._tasks or not self._served(tracked.service):
            work.close()
            return
        task = asyncio.create_task(work, name=f"begin {tracked.name}")
        self._tasks[tracked.id] = task
        task.add_done_callback(lambda done: self._forget(tracked.id, done))

    def _forget(self, row: int, task: asyncio.Task[None]) -> None:
        if self._tasks.get(row) is task:
            del self._tasks[row]

    async def _until_made(self, tracked: Tracked) -> None:
        """Have a job made and watched; a refusal is told, and nothing of it is left."""
        followers = await self._store.insist(boards.followers, tracked.id)

        def say(sentence: str) -> None:
            for follower in followers:
                self._boards.show(follower, starting_text(tracked, sentence))

        try:
            await self._starter.start(tracked, say)
            self._watch(await self._store.insist(jobs.tracked, tracked.id))
        except TuningError as error:
            await self._not_made(tracked, str(error))
        except StoreError as error:  # its service may have it: the next start looks for it
            log.error("job left for the next start", job=tracked.name, reason=str(error))  # noqa: TRY400  no bug
            say(f"{error} The next start of tunebot goes on with it.")
        except Exception:  # the same holds
            log.exception("job left for the next start", job=tracked.name)
            say("Something went wrong on my side; it is in the log. The next start tries it again.")

    async def _until_gone(self, tracked: Tracked) -> None:
        """Cancel a job that was withdrawn, if it was made; or tell that it was not."""
        try:
            if await self._starter.take_back(tracked):
                self._watch(await self._store.insist(jobs.tracked, tracked.id))
            else:
                await self._not_made(tracked, "it was cancelled before it began.")
        except Exception:
            log.exception("withdrawn job left for the next start", job=tracked.name)

    async def _not_made(self, tracked: Tracked, reason: str) -> None:
        """Tell that there is no job."""
        log.warning("job not made", job=tracked.name, reason=reason)
        for follower in await self._store.insist(boards.followers, tracked.id):
            await self._boards.leave(follower)
        text = f"❌ **{quoted(tracked.name)}** was not started: {reason}"
        notices = [Notice(Card(text, failed=True), edits=True)]
        self._owe(await self._store.insist(telling.give_up, tracked.id, notices))


def starting_text(tracked: Tracked, sentence: str) -> str:
    """The card of a job that is not made yet."""
    return f"📤 **{quoted(tracked.name)}** · {quoted(tracked.wanted.model)}  \n{sentence}"
