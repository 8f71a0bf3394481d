"""Watching jobs: one look at a service for each, however many follow.

What a look finds is stored together with what is told of it, so every event is told once, oldest
first, over pages and restarts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress

import structlog

from bot.errors import BotError, StoreError, TuningError
from bot.ports import Clock
from bot.store import Store, boards, jobs, telling
from bot.store.jobs import Stage, Tracked
from bot.store.outbox import Owed
from bot.store.telling import Notice
from bot.training import Job, JobEvent
from bot.tuning.boards import Boards
from bot.tuning.card import Shown, card_text
from bot.tuning.notices import news_of
from bot.tuning.pace import Pace
from bot.tuning.progress import Progress, after, progress_of
from bot.tuning.service import TuningService
from bot.tuning.unread import unread

Owe = Callable[[Sequence[Owed]], None]
Ended = Callable[
    [Tracked, Job, Progress, Sequence[JobEvent], Sequence[Notice]], Awaitable[list[Owed]]
]

FIRST_LOOK = 5.0  # seconds that somebody waits for it who asks how far a job is

log = structlog.get_logger()


class Watcher:
    """Looks at all jobs that run. `shortest` is the wait between two looks in seconds while things
    change; `ended` stores the end of a job, once, and what is told of it.
    """

    def __init__(
        self,
        store: Store,
        services: Mapping[str, TuningService],
        boards: Boards,
        owe: Owe,
        ended: Ended,
        clock: Clock,
        shortest: float,
    ) -> None:
        self._store = store
        self._services = services
        self._boards = boards
        self._owe = owe
        self._ended = ended
        self._clock = clock
        self._shortest = shortest
        self._watched: dict[int, Watched] = {}
        self._closing = False

    async def resume(self) -> None:
        """Take up the jobs that ran when the last run ended."""
        for tracked in await self._store.insist(jobs.at_stage, Stage.MADE):
            self.watch(tracked)

    def watch(self, tracked: Tracked) -> None:
        """Watch a job from now on, unless that is done already."""
        if self._closing or tracked.id in self._watched or tracked.service not in self._services:
            return
        watched = Watched(tracked, Pace(self._shortest))
        self._watched[tracked.id] = watched
        watched.task = asyncio.create_task(
            self._until_ended(watched), name=f"watch {tracked.job.id}"
        )
        watched.task.add_done_callback(lambda _: self._watched.pop(tracked.id, None))

    def poke(self, job: str) -> None:
        """Look at a job of this id now: its service says that something happened."""
        for watched in self._watched.values():
            if watched.tracked.job.id == job:
                watched.poked.set()

    async def looked(self, row: int) -> None:
        """Return once a watched job was looked at in this run, or its service takes too long."""
        if watched := self._watched.get(row):
            with suppress(TimeoutError):
                async with asyncio.timeout(FIRST_LOOK):
                    await watched.looked.wait()

    def shown(self, row: int) -> Shown | None:
        """What the card of a watched job shows just now."""
        watched = self._watched.get(row)
        return watched.shown() if watched and watched.loaded else None

    async def close(self) -> None:
        """End watching; the next start goes on."""
        self._closing = True
        tasks = [watched.task for watched in self._watched.values() if watched.task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _until_ended(self, watched: Watched) -> None:
        """Look again and again; nothing but the job's end ends it."""
        wait: float | None
        while True:
            try:
                wait = await self._look(watched)
            except (TuningError, StoreError) as error:
                wait = await self._trouble(watched, error)
            except Exception as bug:  # one bad answer ends no watching
                log.exception("look failed", job=watched.tracked.job.id)
                wait = await self._trouble(watched, bug)
            watched.looked.set()
            if wait is None:
                return
            await self._wait(watched, wait)

    async def _trouble(self, watched: Watched, error: Exception) -> float:
        """Say on the cards why a job is not seen; returns the seconds to the next look."""
        reason = str(error) if isinstance(error, BotError) else type(error).__name__
        if reason != watched.trouble:
            log.warning("job not seen", job=watched.tracked.job.id, reason=reason)
        watched.trouble = reason
        if watched.loaded:
            with suppress(StoreError):
                await self._show(watched)
        return watched.pace.after_trouble(getattr(error, "retry_after", None))

    async def _wait(self, watched: Watched, seconds: float) -> None:
        """Wait so long, or until somebody pokes."""
        sleep = asyncio.create_task(self._clock.sleep(seconds), name="between looks")
        poke = asyncio.create_task(watched.poked.wait(), name="poke")
        try:
            await asyncio.wait([sleep, poke], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (sleep, poke):
                task.cancel()
            await asyncio.gather(sleep, poke, return_exceptions=True)
        watched.poked.clear()

    async def _look(self, watched: Watched) -> float | None:
        """See what is new, store and tell it; returns the seconds to the next look, None at the
        job's end.

        The job is read before its events: once it has ended, all of them are there.
        """
        tracked = await self._known(watched)
        if tracked.stage is not Stage.MADE:
            return None
        service = self._services[tracked.service]
        job = await service.job(tracked.job.id)
        news = await unread(
            service,
            tracked.job.id,
            lambda ids: self._store.do(telling.known_events, tracked.id, ids),
        )
        progress = watched.progress
        for event in news:
            progress = after(progress, event)
        notices = news_of(tracked.name, tracked.job, job, news)
        if job.status.is_end:
            for follower in await self._store.insist(boards.followers, tracked.id):
                await self._boards.leave(follower)
            self._owe(await self._ended(tracked, job, progress, news, notices))
            return None
        changed = bool(news) or job != tracked.job
        if changed:
            self._owe(await self._store.do(telling.tell, tracked.id, job, news, notices))
        watched.saw(job, progress)
        await self._show(watched)
        return watched.pace.after(job.status, changed=changed)

    async def _known(self, watched: Watched) -> Tracked:
        """The job as it is known; before the first look as the store has it."""
        if not watched.loaded:
            row = watched.tracked.id
            watched.tracked = await self._store.do(jobs.tracked, row)
            events = await self._store.do(telling.events, row)
            watched.progress = progress_of(events)
            watched.loaded = True
        return watched.tracked

    async def _show(self, watched: Watched) -> None:
        """Have all cards show the newest, where that differs from what they show."""
        text = card_text(watched.shown(), self._clock.now())
        if text == watched.text:
            return
        watched.text = text
        for follower in await self._store.do(boards.followers, watched.tracked.id):
            self._boards.show(follower, text)


class Watched:
    """A job that is looked at: what is known of it."""

    def __init__(self, tracked: Tracked, pace: Pace) -> None:
        self.tracked = tracked
        self.progress = Progress()
        self.loaded = False
        self.pace = pace
        self.poked = asyncio.Event()
        self.looked = asyncio.Event()
        self.trouble = ""
        self.text = ""
        self.task: asyncio.Task[None] | None = None

    def saw(self, job: Job, progress: Progress) -> None:
        """Know what a look found."""
        self.tracked = self.tracked.now(job)
        self.progress = progress
        self.trouble = ""

    def shown(self) -> Shown:
        """What its card shows."""
        tracked = self.tracked
        return Shown(tracked.job, self.progress, tracked.name, tracked.cost_text, self.trouble)
