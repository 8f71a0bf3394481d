"""From a confirmed job to one that its service has: files go up, then it is made, once.

There is no idempotency key (facts/fine-tuning.md). So every job carries our own id in its metadata,
and whenever an answer was lost, or this program was, it is looked for before it is made again.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import astuple, replace
from pathlib import Path
from typing import TypeVar

import structlog

from bot.errors import TuningBusy, TuningError, TuningSpent, TuningUnreached
from bot.ports import Clock
from bot.store import Store, jobs, stages, uploads
from bot.store.jobs import Stage, Tracked
from bot.training import Job, NewJob, TrainingFile
from bot.tuning.service import TuningService

T = TypeVar("T")
OURS = "tunebot_request"  # the key of our id in a job's metadata
SETTLING = 5.0  # seconds in which a job may appear whose answer was lost
LOOK = 2.0  # seconds between two looks at a file that is being read
LONGEST_READING = 3600.0
FIRST_RETRY, LONGEST_RETRY = 2.0, 300.0
MOST_BEFORE = 50  # jobs that are kept in mind
MOST_PAGES = 10  # of newer jobs in which one is looked for

Say = Callable[[str], None]

log = structlog.get_logger()


class Starter:
    """Has jobs made. `say` shows how far that is, on the cards of those who follow."""

    def __init__(self, store: Store, services: Mapping[str, TuningService], clock: Clock) -> None:
        self._store = store
        self._services = services
        self._clock = clock
        # One at a time at a service, until it is stored: where no metadata is kept, two that are
        # made from one file at the same time could not be told apart.
        self._making: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def start(self, tracked: Tracked, say: Say) -> None:
        """Upload, wait, make, store. What an earlier run may have made is looked for first.

        Raises TuningError when the service refuses; then nothing runs there.
        """
        if tracked.before is not None:
            say("Looking whether it was made already …")
            async with self._making[tracked.service]:
                if found := await self._found(tracked):
                    await self._store.insist(stages.made, tracked.id, found)
                    return
        service = self._services[tracked.service]
        await self._with_files(tracked, service, say)
        async with self._making[tracked.service]:
            say("Making the job …")
            page = await self._insist(service.jobs, say)
            before = [job.id for job in page.items[:MOST_BEFORE]]
            tracked = await self._store.insist(stages.offered, tracked.id, before)
            job = await self._made(service, tracked, say)
            await self._store.insist(stages.made, tracked.id, job)

    async def take_back(self, tracked: Tracked) -> bool:
        """Cancel a job that was withdrawn, if its service made it; False where it did not."""
        if tracked.before is None:
            return False
        async with self._making[tracked.service]:
            found = await self._found(tracked)
            if found is None:
                return False
            service, job = self._services[tracked.service], found
            try:
                job = await self._insist(lambda: service.cancel(found.id))
            except TuningError as error:  # it had ended
                log.warning("job not cancelled", job=job.id, reason=str(error))
            await self._store.insist(stages.made, tracked.id, job, Stage.WITHDRAWN)
        return True

    async def _with_files(self, tracked: Tracked, service: TuningService, say: Say) -> None:
        """Have the files of a job at its service, and read by it."""
        wanted = replace(
            tracked.wanted,
            training_file=await self._sent(tracked, tracked.wanted.training_file, say),
            validation_file=await self._sent(tracked, tracked.wanted.validation_file, say),
        )
        await self._store.insist(stages.uploaded, tracked.id, wanted)
        for id_ in filter(None, (wanted.training_file, wanted.validation_file)):
            await self._until_read(service, id_, say)

    async def _sent(self, tracked: Tracked, file: str, say: Say) -> str:
        """The id of a file at the service: the one that it had before, if it still has it."""
        path, name = Path(file), tracked.service
        if not path.is_absolute():
            return file  # "", or an id already
        service = self._services[name]
        try:
            digest = await asyncio.to_thread(sha256, path)
            known = await self._store.insist(uploads.known_as, name, digest, path.name)
            if known and await self._is_there(service, known, say):
                return known
            say(f"Sending {path.name} …")
            shares = Shares(path, say)
            sent = await self._insist(lambda: service.upload(path, path.name, shares.sent), say)
        except OSError as error:
            raise TuningError(
                f"{path.name} cannot be read ({error.strerror}): the dataset may have been deleted "
                f"meanwhile."
            ) from None
        await self._store.insist(uploads.remember, name, digest, path.name, sent.id)
        return sent.id

    async def _is_there(self, service: TuningService, id_: str, say: Say) -> bool:
        try:
            await self._insist(lambda: service.file(id_), say)
        except TuningError:
            return False
        return True

    async def _until_read(self, service: TuningService, id_: str, say: Say) -> TrainingFile:
        """A file that its service has read: before that no job can be made from it."""
        until = self._clock.now() + LONGEST_READING
        while True:
            file = await self._insist(lambda: service.file(id_), say)
            if file.failure:
                raise TuningError(f"{file.name} cannot be trained from: {file.failure}")
            if file.processed:
                return file
            if self._clock.now() > until:
                raise TuningError(f"{file.name} was not read within an hour; try it again later.")
            say(f"Waiting until {file.name} is read …")
            await self._clock.sleep(LOOK)

    async def _made(self, service: TuningService, tracked: Tracked, say: Say) -> Job:
        """Make the job. After a lost answer it is looked for before it is made again."""
        wanted = with_request(tracked)
        wait = FIRST_RETRY
        while True:
            try:
                return await service.create(wanted)
            except TuningSpent:
                raise
            except TuningBusy as error:
                wait = max(wait, error.retry_after or 0.0)
                say(f"Waiting. {error}")
            except TuningUnreached as error:
                log.warning("answer lost", job=tracked.name, reason=str(error))
                say(f"Looking whether it was made: no answer came. {error}")
                if found := await self._found(tracked):
                    return found
            await self._clock.sleep(wait)
            wait = min(2 * wait, LONGEST_RETRY)

    async def _found(self, tracked: Tracked) -> Job | None:
        """The job that was made already: the one with our id, or where a service keeps no metadata
        the oldest that is like it, came after it was to be made, and is none that we know.
        """
        await self._clock.sleep(SETTLING)
        service = self._services[tracked.service]
        page = await self._insist(lambda: service.jobs(metadata={OURS: tracked.request}))
        newer = await self._newer(service, tracked.before or ())
        for job in (*page.items, *newer):
            if job.metadata.get(OURS) == tracked.request:
                return job
        ids = [job.id for job in newer]
        known = await self._store.insist(jobs.known, tracked.service, ids)
        strangers = (job for job in reversed(newer) if job.id not in known)
        return next((job for job in strangers if is_it(job, tracked.wanted)), None)

    async def _newer(self, service: TuningService, before: Collection[str]) -> list[Job]:
        """The jobs of a service that came after those, newest first."""
        found: list[Job] = []
        after = ""
        for _ in range(MOST_PAGES):
            page = await self._insist(lambda after=after: service.jobs(after))  # type: ignore[misc]
            fresh = [job for job in page.items if job.id not in before]
            found += fresh
            if not page.more or len(fresh) < len(page.items):
                break
            after = page.items[-1].id
        return found

    async def _insist(self, call: Callable[[], Awaitable[T]], say: Say = lambda _: None) -> T:
        """What a service answers in the end; its refusals rise."""
        wait = FIRST_RETRY
        while True:
            try:
                return await call()
            except TuningSpent:
                raise
            except TuningBusy as error:
                wait = max(wait, error.retry_after or 0.0)
                say(f"Waiting. {error}")
            except TuningUnreached as error:
                log.warning("service out of reach", reason=str(error))
                say(f"Waiting. {error}")
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


def with_request(tracked: Tracked) -> NewJob:
    """What is wanted, with our own id in its metadata."""
    wanted = tracked.wanted
    return replace(wanted, metadata={**wanted.metadata, OURS: tracked.request})


def is_it(job: Job, wanted: NewJob) -> bool:
    """Whether a job without metadata may be the one that was wanted: nothing that its service tells
    of it differs. Services tell a base model with its date, and some tell no suffix.
    """
    told = (job.validation_file, job.suffix, job.seed, *astuple(job.hyperparameters))
    asked = (wanted.validation_file, wanted.suffix, wanted.seed, *astuple(wanted.hyperparameters))
    return (
        not job.metadata
        and bool(job.training_file)
        and job.training_file == wanted.training_file
        and (not job.model or job.model.startswith(wanted.model))
        and all(not t or not a or t == a for t, a in zip(told, asked, strict=True))
    )


def sha256(path: Path) -> str:
    """The hash of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
