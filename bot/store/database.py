"""The SQLite file and the one thread that owns it.

Steps that arrive together are committed together: each runs in a savepoint of its own, one commit
makes all of them durable, and only then is any of them reported as done. So an fsync is paid once
for as many steps as were waiting, and what was reported survives a power cut (synchronous FULL).
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Concatenate, NamedTuple, ParamSpec, TypeVar

import structlog
from filelock import FileLock, Timeout
from sqlite_utils import Database

from bot.errors import BotError, StoreBusy, StoreError, StoreFull, StoreTaken
from bot.ports import Clock
from bot.store.migrations import migrations

P = ParamSpec("P")
T = TypeVar("T")

MOST_STEPS = 256  # in one commit, so that the first of them does not wait for too many others
FIRST_RETRY, LONGEST_RETRY = 0.5, 30.0  # seconds
BESIDE_SECONDS = 30.0  # that a step beside a running tunebot waits for its turn

log = structlog.get_logger()


class Job(NamedTuple):
    """A step that waits for its turn, and the future of who waits for it."""

    step: Callable[[Database], Any]
    future: asyncio.Future[Any]


class Outcome(NamedTuple):
    """What a step returned, or why nothing of it is stored."""

    result: Any = None
    error: Exception | None = None


class Store:
    """Runs steps on the database, in the order in which they were asked for.

    `busy_seconds` is how long a step waits for a lock that another program holds.
    """

    def __init__(self, path: Path, clock: Clock, *, busy_seconds: float = 5.0) -> None:
        self._path = path
        self._clock = clock
        self._busy_seconds = busy_seconds
        self._lock = lock_of(path)
        self._queue: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._own, name="store", daemon=True)
        self._scrubber = ThreadPoolExecutor(1, thread_name_prefix="scrub")

    async def open(self) -> None:
        """Take the database for this process and bring its schema up to date.

        Raises StoreTaken when another tunebot has it, StoreError when it cannot be used.
        """
        try:
            if self._path.is_dir():
                raise unusable(self._path, "it is a folder")
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._lock.acquire()
        except Timeout:
            raise StoreTaken(
                f"Another tunebot runs on {self._path}: stop it, or configure another database."
            ) from None
        except OSError as error:
            raise unusable(self._path, error.strerror) from None
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
        self._queue.put(Job(lambda database: step(database, *args, **kwargs), future))
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
            await self._loop.run_in_executor(self._scrubber, checkpoint, self._path)
        except sqlite3.Error as error:
            log.warning("write-ahead log not emptied", reason=str(error))

    def beat(self) -> None:
        """Leave a sign of life for `healthy`. Raises OSError."""
        Path(self._lock.lock_file).touch()

    def _own(self) -> None:
        """The life of the owning thread."""
        try:
            database = connect(self._path, self._busy_seconds)
        except (sqlite3.Error, OSError) as error:
            self._loop.call_soon_threadsafe(
                self._opened.set_exception, unusable(self._path, str(error))
            )
            return
        with closing(database):
            self._loop.call_soon_threadsafe(self._opened.set_result, None)
            while jobs := self._waiting():
                outcomes = together(database, jobs)
                self._loop.call_soon_threadsafe(settle, jobs, outcomes)

    def _waiting(self) -> list[Job]:
        """All jobs that wait now, at least one; none when the store closes."""
        jobs: list[Job] = []
        job = self._queue.get()
        while job:
            jobs.append(job)
            if len(jobs) == MOST_STEPS or self._queue.empty():
                return jobs
            job = self._queue.get()
        if jobs:
            self._queue.put(None)  # finish these first, then close
        return jobs


def connect(path: Path, busy_seconds: float) -> Database:
    """Open the file with full durability and bring its schema up to date."""
    if not path.exists():
        path.touch(mode=0o600)  # the log and the index beside it take over the mode
    connection = sqlite3.connect(path, timeout=busy_seconds)
    try:
        database = Database(connection)
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        database.execute("PRAGMA fullfsync = ON")  # macOS: an fsync there leaves the drive's cache
        database.execute("PRAGMA secure_delete = ON")  # /forget means it
        migrations.apply(database)
    except BaseException:
        connection.close()
        raise
    return database


def checkpoint(path: Path) -> None:
    """Move the write-ahead log into the database; over a connection of its own, as a transaction
    may be open on the owner's. Left for later where somebody reads just now.
    """
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def together(database: Database, jobs: Sequence[Job]) -> list[Outcome]:
    """Run jobs in one transaction. A step that fails takes back itself alone."""
    try:
        database.execute("BEGIN IMMEDIATE")
        outcomes = [attempt(database, job) for job in jobs]
        database.execute("COMMIT")
    except sqlite3.Error as error:
        with suppress(sqlite3.Error):
            database.conn.rollback()
        return [Outcome(error=translated(error))] * len(jobs)
    return outcomes


def attempt(database: Database, job: Job) -> Outcome:
    """Run one job in a savepoint. Raises sqlite3.Error when the whole transaction is lost."""
    try:
        with savepoint(database):
            return Outcome(job.step(database))
    except (sqlite3.Error, BotError) as error:
        if not database.conn.in_transaction:  # SQLite took everything back: disk full, I/O error
            raise
        return Outcome(error=translated(error) if isinstance(error, sqlite3.Error) else error)
    except Exception as error:
        return Outcome(error=error)


@contextmanager
def savepoint(database: Database) -> Iterator[None]:
    """Take back what the block did if it raises. sqlite-utils' own takes four times as long."""
    database.conn.execute("SAVEPOINT step")
    try:
        yield
    except BaseException:
        if database.conn.in_transaction:
            database.conn.execute("ROLLBACK TO step")
            database.conn.execute("RELEASE step")
        raise
    database.conn.execute("RELEASE step")


def settle(jobs: Sequence[Job], outcomes: Sequence[Outcome]) -> None:
    """Tell those who wait what became of their steps, in order."""
    for job, outcome in zip(jobs, outcomes, strict=True):
        if job.future.done():
            continue
        if outcome.error:
            job.future.set_exception(outcome.error)
        else:
            job.future.set_result(outcome.result)


def translated(error: sqlite3.Error) -> StoreError:
    """SQLite's error as a sentence."""
    name = getattr(error, "sqlite_errorname", "")
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return StoreBusy("The database is locked by another program; it will be tried again.")
    if name.startswith(("SQLITE_FULL", "SQLITE_IOERR")):
        return StoreFull("The disk is full or failing; free some space, then it will go on.")
    return StoreError(f"The database failed ({name or error}); see the log.")


def unusable(path: Path, reason: str | None) -> StoreError:
    """The sentence for a file that is no database or that may not be written."""
    return StoreError(
        f"{path} cannot be used ({reason}): configure a database in a folder that tunebot may "
        f"write to."
    )


def lock_of(path: Path) -> FileLock:
    """The lock that a running tunebot holds on its database, released by any way of dying."""
    return FileLock(f"{path.resolve()}.lock", blocking=False, thread_local=False, mode=0o600)


def healthy(path: Path, now: float, seconds: float = 60.0) -> bool:
    """Whether a tunebot runs on this database and showed life in the last `seconds`."""
    lock = lock_of(path)
    if not Path(lock.lock_file).exists():
        return False
    try:
        with lock:
            return False
    except Timeout:
        return now - Path(lock.lock_file).stat().st_mtime < seconds


def beside(
    path: Path, step: Callable[Concatenate[Database, P], T], *args: P.args, **kwargs: P.kwargs
) -> T:
    """Run one step on a database that a running tunebot may own at the same time.

    Raises StoreError.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with closing(connect(path, BESIDE_SECONDS)) as database, database.atomic():
            return step(database, *args, **kwargs)
    except (sqlite3.Error, OSError) as error:
        raise unusable(path, str(error)) from None


def backup(path: Path, target: Path) -> None:
    """Copy the database to a new file, consistently, while a tunebot may be writing to it.

    Raises StoreError with a sentence; an existing file is never overwritten.
    """
    if not path.exists():
        raise StoreError(f"{path}: no such database; nothing was copied.")
    if not target.parent.is_dir():
        raise StoreError(f"{target.parent}: no such folder; nothing was copied.")
    if target.exists():
        raise StoreError(f"{target} exists already: name a new file.")
    partial = target.with_name(target.name + ".partial")
    try:
        partial.touch(mode=0o600)
        with (
            closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as source,
            closing(sqlite3.connect(partial)) as copy,
        ):
            source.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, complete by itself
        partial.rename(target)
    except (sqlite3.Error, OSError) as error:
        partial.unlink(missing_ok=True)
        raise StoreError(f"The copy to {target} failed ({error}); nothing was kept.") from None
