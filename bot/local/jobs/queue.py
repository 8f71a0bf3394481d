"""The queue: one job after the other, each in a process of its own."""

from __future__ import annotations

import asyncio
import errno
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import aclosing, suppress
from pathlib import Path

import structlog
from filelock import AsyncFileLock

from bot.local.jobs.database import Database, for_want_of_room
from bot.local.jobs.folder import Folder
from bot.local.jobs.lives import Lives
from bot.local.jobs.telling import Telling
from bot.local.jobs.trainer import Trainer
from bot.local.jobs.values import Failure, Job
from bot.local.training.spec import Spec

TICK = 1.0  # seconds between two looks at what other processes have changed
BREATH = 2.0  # seconds until a job whose folder or database is not to be had is tried again
BUSY = "busy"  # the trainer of a tunebot that was killed has not yet noticed

log = structlog.get_logger(__name__)


class Queue:
    """Runs the jobs of a folder, as long as no other process does. `run` it once.

    `command` is what trains a base; None where only another process can.
    """

    def __init__(
        self,
        database: Database,
        folder: Folder,
        now: Callable[[], float],
        command: Callable[[Path], Sequence[str] | None],
    ) -> None:
        self._database = database
        self._folder = folder
        self._telling = Telling(database, folder, now)
        self._command = command
        self._changed = asyncio.Event()
        self._lives: defaultdict[str, Lives] = defaultdict(Lives)  # of the jobs that have begun
        self.trainer: Trainer | None = None  # while one runs

    def poke(self) -> None:
        """Look at once at what has changed."""
        self._changed.set()

    async def run(self) -> None:
        """Run one job after the other until cancelled. A job that ran then goes on next time."""
        while True:
            try:
                async with AsyncFileLock(self._folder.lock, poll_interval=TICK):
                    await self._run_ours()
                await self._change()
            except Exception:  # nobody else would begin again
                log.exception("queue of fine-tune jobs begins again")
                await asyncio.sleep(BREATH)

    async def _run_ours(self) -> None:
        """Run jobs until all that wait are for another process."""
        while True:
            try:
                waiting = await asyncio.to_thread(self._waiting)
                commands = ((job, self._command(Path(job.base))) for job in waiting)
                ours = [(job, command) for job, command in commands if command]
                if not waiting:
                    await self._change()
                elif not ours:
                    for job in waiting:
                        await asyncio.to_thread(self._telling.leave, job)
                    return
                elif not await self._work(*ours[0]):
                    await asyncio.sleep(BREATH)
            except (OSError, sqlite3.Error) as error:
                log.warning("queue of fine-tune jobs waits", reason=str(error))
                await asyncio.sleep(BREATH)

    async def _work(self, job: Job, command: Sequence[str]) -> bool:
        """Take a job as far as it gets; False where it is to be tried again later."""
        try:
            went = await self._train(job.id, command)
        except Exception as error:  # a bug, too, ends its job and not the queue
            if getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_BUSY:
                return False
            failure = failure_of(error)
            log.warning("fine-tune job fails", job=job.id, code=failure.code, exc_info=error)
            await asyncio.to_thread(self._folder.make_room, job.id)  # to say it
            await asyncio.to_thread(self._telling.fail, job.id, failure)
            went = False  # as it has not even begun, unless it has ended now
        if await asyncio.to_thread(self._ended, job.id):
            await asyncio.to_thread(self._folder.tidy, job.id)
            self._lives.pop(job.id, None)
            return True
        return went

    async def _train(self, id_: str, command: Sequence[str]) -> bool:
        await asyncio.to_thread(self._folder.reserve)
        job = await asyncio.to_thread(self._telling.begin, id_)
        if job is None:
            return True
        spec = await asyncio.to_thread(self._write_spec, job)
        async with Trainer.started(command, spec) as trainer:
            self.trainer = trainer
            log.info("fine-tune job runs", job=id_, process=trainer.pid)
            unwanted = asyncio.create_task(self._until_unwanted(id_), name=f"watch {id_}")
            heard = asyncio.create_task(self._hear(id_, trainer), name=f"hear {id_}")
            try:
                await asyncio.wait({unwanted, heard}, return_when=asyncio.FIRST_COMPLETED)
                done = heard if heard.done() else unwanted
                return done.result()
            finally:
                self.trainer = None
                for task in (unwanted, heard):
                    task.cancel()
                await asyncio.gather(unwanted, heard, return_exceptions=True)

    async def _hear(self, id_: str, trainer: Trainer) -> bool:
        """Write down what a trainer says, until the job ends; False where another is to go on."""
        lives = self._lives[id_]
        async with aclosing(trainer.events()) as events:
            async for said in events:
                if said["type"] == "error" and said["code"] == BUSY:
                    return False
                if not await asyncio.to_thread(self._telling.hear, id_, said):
                    return True
                if said["type"] == "metrics":
                    lives.gets_to(said["step"])
        failure = await trainer.failure()
        if trainer.was_killed and lives.end():
            await asyncio.to_thread(self._telling.interrupt, id_, lives.step)
            return False
        await asyncio.to_thread(self._telling.fail, id_, failure)
        return True

    async def _until_unwanted(self, id_: str) -> bool:
        """Return when somebody has cancelled or paused a job."""
        while True:
            with suppress(OSError, sqlite3.Error):  # a look that fails says nothing of the job
                if await asyncio.to_thread(self._status, id_) != "running":
                    return True
            await self._change()

    async def _change(self) -> None:
        """Wait until something may have changed."""
        with suppress(TimeoutError):
            async with asyncio.timeout(TICK):
                await self._changed.wait()
        self._changed.clear()

    def _waiting(self) -> list[Job]:
        with self._database.look() as tables:
            return tables.waiting()

    def _status(self, id_: str) -> str | None:
        with self._database.look() as tables:
            return tables.status(id_)

    def _ended(self, id_: str) -> bool:
        with self._database.look() as tables:
            job = tables.job(id_)
            return job is None or job.ended

    def _write_spec(self, job: Job) -> Path:
        """What the trainer is told. The first time says it all: it is not written again."""
        path = self._folder.spec(job.id)
        if path.exists():
            return path
        asked = {key: each for key, each in job.hyperparameters.items() if each != "auto"}
        spec = Spec(
            model=Path(job.base),
            training_file=self._folder.lent(job.id, "training"),
            validation_file=(
                self._folder.lent(job.id, "validation") if job.validation_file else None
            ),
            kind=job.kind,
            output=self._folder.output(job.id),
            epochs=asked.get("n_epochs"),
            batch_size=asked.get("batch_size"),
            learning_rate_multiplier=asked.get("learning_rate_multiplier"),
            beta=asked.get("beta"),
            seed=job.seed,
        )
        partial = path.with_suffix(".partial")
        partial.write_text(spec.model_dump_json(), encoding="utf-8")
        partial.replace(path)
        return path


def failure_of(error: Exception) -> Failure:
    """Why a job could not go on, for the person who started it."""
    if for_want_of_room(error):
        return Failure("disk_full", "The disk is full: make room and start the job again.")
    if isinstance(error, OSError) and error.errno in {errno.ENOMEM, errno.EAGAIN}:
        return Failure(
            "out_of_memory", "No process could be started: close other programs and start it again."
        )
    if isinstance(error, OSError | sqlite3.Error):
        return Failure("storage_error", f"What it needs could not be read or written: {error}.")
    said = f"{type(error).__name__}: {error}"
    return Failure("internal_error", f"The job met a bug of tunebot ({said}): please report it.")
