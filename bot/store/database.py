"""The database and the one thread that owns it.

Steps that arrive together are committed together: each runs in a savepoint of its own, one commit
makes all of them durable, and only then is any of them reported as done. So an fsync is paid once
for as many steps as were waiting, and what was reported survives a power cut (synchronous FULL).
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

import structlog
from filelock import Timeout
from sqlite_utils import Database

from bot.errors import StoreBusy, StoreFull, StoreTaken
from bot.ports import Clock
from bot.store import file, steps
from bot.store.steps import Step

P = ParamSpec("P")
T = TypeVar("T")

MOST_STEPS = 256  # in one commit, so that the first of them does not wait for too many others
FIRST_RETRY, LONGEST_RETRY = 0.5, 30.0  # seconds

log = structlog.get_logger()


class Store:
    """Runs steps on the database, in the order in which they were asked for.

    `busy_seconds` is how long a step waits for a lock that another program holds.
    """

    def __init__(self, path: Path, clock: Clock, *, busy_seconds: float = 5.0) -> None:
        self._path = path
        self._clock = clock
        self._busy_seconds = busy_seconds
        self._lock = file.lock_of(path)
        self._queue: queue.SimpleQueue[Step | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._own, name="store", daemon=True)
        self._scrubber = ThreadPoolExecutor(1, thread_name_prefix="scrub")

    async def open(self) -> None:
        """Take the database for this process and bring its schema up to date.

        Raises StoreTaken when another tunebot has it, StoreError when it cannot be used.
        """
        try:
            if self._path.is_dir():
                raise file.unusable(self._path, "it is a folder")
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._lock.acquire()
        except Timeout:
            raise StoreTaken(
                f"Another tunebot runs on {self._path}: stop it, or configure another database."
            ) from None
        except OSError as error:
            raise file.unusable(self._path, error.strerror) from None
        self._loop = asyncio.get_running_loop()
        self._opened = self._loop.create_future()
        self._thread.start()
        try:
            await self._opened
        except BaseException:
            self._lock.release()
            raise

    async def do(
        self, step: Callable[Concatenate[Database, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run `step(database, …)` as one transaction and return its result once it is durable.

        A step that was asked for runs, even if nobody waits for it any more. Raises StoreBusy or
        StoreFull when nothing of it was stored, and what the step raises.
        """
        future: asyncio.Future[T] = self._loop.create_future()
        self._queue.put(Step(lambda database: step(database, *args, **kwargs), future))
        return await future

    async def insist(
        self, step: Callable[Concatenate[Database, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Like `do`, but wait for a locked or full database until the step is stored."""
        wait = FIRST_RETRY
        while True:
            try:
                return await self.do(step, *args, **kwargs)
            except (StoreBusy, StoreFull) as error:
                log.warning("database step waits", reason=str(error), seconds=wait)
            await self._clock.sleep(wait)
            wait = min(2 * wait, LONGEST_RETRY)

    async def close(self) -> None:
        """Finish the steps that wait, close the file and let others have it."""
        # Who closes last deletes the write-ahead log; the owner does it before this returns.
        await asyncio.to_thread(self._scrubber.shutdown)
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)
        self._lock.release()

    async def scrub(self) -> None:
        """Empty the write-ahead log, so that nothing deleted is left in it.

        It is left for later where that fails, and while another program reads.
        """
        try:
            await self._loop.run_in_executor(self._scrubber, file.checkpoint, self._path)
        except sqlite3.Error as error:
            log.warning("write-ahead log not emptied", reason=str(error))

    def beat(self) -> None:
        """Leave a sign of life for `healthy`. Raises OSError."""
        Path(self._lock.lock_file).touch()

    def _own(self) -> None:
        """The life of the owning thread."""
        try:
            database = file.connect(self._path, self._busy_seconds)
        except (sqlite3.Error, OSError) as error:
            self._loop.call_soon_threadsafe(
                self._opened.set_exception, file.unusable(self._path, str(error))
            )
            return
        with closing(database):
            self._loop.call_soon_threadsafe(self._opened.set_result, None)
            while waiting := self._waiting():
                outcomes = steps.together(database, waiting)
                self._loop.call_soon_threadsafe(steps.settle, waiting, outcomes)

    def _waiting(self) -> list[Step]:
        """All steps that wait now, at least one; none when the store closes."""
        waiting: list[Step] = []
        step = self._queue.get()
        while step:
            waiting.append(step)
            if len(waiting) == MOST_STEPS or self._queue.empty():
                return waiting
            step = self._queue.get()
        if waiting:
            self._queue.put(None)  # finish these first, then close
        return waiting
