"""From a confirmed job to one that its service has: files go up, then it is made, once.

There is no idempotency key (facts/fine-tuning.md). So every job carries our own id in its metadata,
and whenever an answer was lost, or this program was, it is looked for before it is made again.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import structlog

from bot.errors import TuningBusy, TuningError, TuningUnreached
from bot.ports import Clock
from bot.store import Store, jobs
from bot.store.jobs import Tracked
from bot.training import Job, NewJob, TrainingFile
from bot.tuning.service import TuningService

T = TypeVar("T")
OURS = "tunebot_request"  # the key of our id in a job's metadata
SETTLING = 5.0  # seconds in which a job may appear whose answer was lost
LOOK = 2.0  # seconds between two looks at a file that is being read
LONGEST_READING = 3600.0
FIRST_RETRY, LONGEST_RETRY = 2.0, 300.0
EARLIER = 300.0  # seconds that a service's clock may be behind ours
NOT_RETRIED = "daily_rate_limit_exceeded"

Say = Callable[[str], None]

log = structlog.get_logger()


class Starter:
    """Has jobs made. `say` shows how far that is, on the cards of those who follow."""

    def __init__(self, store: Store, services: Mapping[str, TuningService], clock: Clock) -> None:
        self._store = store
        self._services = services
        self._clock = clock

    async def start(self, tracked: Tracked, say: Say, *, again: bool = False) -> Job:
        """Upload, wait, make. With `again` an earlier run may have made it: it is looked for first.

        Raises TuningError when the service refuses; then nothing runs there.
        """
        service = self._services[tracked.service]
        wanted = await self._with_files(tracked, service, say)
        say("Making the job …")
        job = await self._found(service, tracked, wanted) if again else None
        job = job or await self._made(service, tracked, wanted)
        await self._store.insist(jobs.made, tracked.id, job)
        return job

    async def _with_files(self, tracked: Tracked, service: TuningService, say: Say) -> NewJob:
        """What is wanted, with its files at the service and read by it."""
        wanted = replace(
            tracked.wanted,
            training_file=await self._sent(tracked, tracked.wanted.training_file, say),
            validation_file=await self._sent(tracked, tracked.wanted.validation_file, say),
        )
        await self._store.insist(jobs.uploaded, tracked.id, wanted)
        for id_ in filter(None, (wanted.training_file, wanted.validation_file)):
            await self._until_read(service, id_, say)
        return wanted

    async def _sent(self, tracked: Tracked, file: str, say: Say) -> str:
        """The id of a file at the service: the one that it had before, if it still has it."""
        path, name = Path(file), tracked.service
        if not path.is_absolute():
            return file  # "", or an id already
        service = self._services[name]
        digest = await asyncio.to_thread(sha256, path)
        known = await self._store.insist(jobs.uploaded_as, name, digest, path.name)
        if known and await self._is_there(service, known):
            return known
        say(f"Sending {path.name} …")
        shares = Shares(path, say)
        sent = await self._insist(lambda: service.upload(path, path.name, shares.sent))
        await self._store.insist(jobs.remember_upload, name, digest, path.name, sent.id)
        return sent.id

    async def _is_there(self, service: TuningService, id_: str) -> bool:
        try:
            await self._insist(lambda: service.file(id_))
        except TuningError:
            return False
        return True

    async def _until_read(self, service: TuningService, id_: str, say: Say) -> TrainingFile:
        """A file that its service has read: before that no job can be made from it."""
        until = self._clock.now() + LONGEST_READING
        while True:
            file = await self._insist(lambda: service.file(id_))
            if file.failure:
                raise TuningError(f"{file.name} cannot be trained from: {file.failure}")
            if file.processed:
                return file
            if self._clock.now() > until:
                raise TuningError(f"{file.name} was not read within an hour; try it again later.")
            say(f"Waiting until {file.name} is read …")
            await self._clock.sleep(LOOK)

    async def _made(self, service: TuningService, tracked: Tracked, wanted: NewJob) -> Job:
        """Make the job. After a lost answer it is looked for before it is made again."""
        wanted = replace(wanted, metadata={**wanted.metadata, OURS: tracked.request})
        wait = FIRST_RETRY
        while True:
            try:
                return await service.create(wanted)
            except TuningBusy as error:
                if error.code == NOT_RETRIED:
                    raise
                wait = max(wait, error.retry_after or 0.0)
            except TuningUnreached as error:
                log.warning("answer lost", job=tracked.name, reason=str(error))
                await self._clock.sleep(SETTLING)
                if found := await self._found(service, tracked, wanted):
                    return found
            await self._clock.sleep(wait)
            wait = min(2 * wait, LONGEST_RETRY)

    async def _found(self, service: TuningService, tracked: Tracked, wanted: NewJob) -> Job | None:
        """The job that was made already: the one with our id, or where a service keeps no metadata
        the newest from our file under our suffix.
        """
        ours = {OURS: tracked.request}
        page = await self._insist(lambda: service.jobs(metadata=ours))
        page_of_all = await self._insist(service.jobs)
        for job in (*page.items, *page_of_all.items):
            if job.metadata.get(OURS) == tracked.request:
                return job
        return next((job for job in page_of_all.items if is_it(job, wanted, tracked.at)), None)

    async def _insist(self, call: Callable[[], Awaitable[T]]) -> T:
        """What a service answers in the end; its refusals rise."""
        wait = FIRST_RETRY
        while True:
            try:
                return await call()
            except TuningBusy as error:
                if error.code == NOT_RETRIED:
                    raise
                wait = max(wait, error.retry_after or 0.0)
            except TuningUnreached as error:
                log.warning("service out of reach", reason=str(error))
            await self._clock.sleep(wait)
            wait = min(2 * wait, LONGEST_RETRY)


class Shares:
    """Says how much of a file went, at every tenth."""

    def __init__(self, path: Path, say: Say) -> None:
        self._name = path.name
        self._size = max(path.stat().st_size, 1)
        self._say = say
        self._told = 0

    def sent(self, size: int) -> None:
        """So many bytes went, in all."""
        tenths = min(10 * size // self._size, 10)
        if tenths > self._told:
            self._told = tenths
            self._say(f"Sending {self._name}: {10 * tenths} %")


def is_it(job: Job, wanted: NewJob, since: float) -> bool:
    """Whether a job without metadata is the one that was wanted. Some services tell no suffix."""
    return (
        not job.metadata
        and bool(job.training_file)
        and job.training_file == wanted.training_file
        and job.suffix in {"", wanted.suffix}
        and job.created_at >= since - EARLIER
    )


def sha256(path: Path) -> str:
    """The hash of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
