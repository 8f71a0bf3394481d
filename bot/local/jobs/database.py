"""The SQLite file of the jobs: what is committed is there after the death of every process.

Apart from the bot's own database, because this server also runs alone, and several may share it.
"""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from bot.errors import LocalUnavailable
from bot.local.jobs.tables import Tables
from bot.local.jobs.values import Job, TunedModel

BUSY_SECONDS = 10.0  # another process holds it for milliseconds
NO_ROOM = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE}  # the second: for shared memory

STEPS = (  # append only: a file that has been written stays readable
    """
    create table files (seq integer primary key, id text unique not null, facts text not null);
    create table jobs (
        seq integer primary key, id text unique not null, model text not null,
        status text not null, facts text not null
    );
    create table events (
        seq integer primary key, id text unique not null, job text not null, key text,
        facts text not null, unique (job, key)
    );
    create index events_of_a_job on events (job, seq);
    create table models (
        seq integer primary key, name text unique not null, job text not null,
        base text not null, step integer not null, facts text not null
    );
    """,
)


class Database:
    """The file; every transaction has a connection of its own, so that any thread may begin one.

    One more rests while it is open. The last connection to a file takes the memory that readers
    share with it, and on a full disk there is no room to make that again: then nothing could be
    read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._resting: sqlite3.Connection | None = None

    def open(self) -> None:
        """Make the file, or bring it up to date. Raises LocalUnavailable for one of a newer
        tunebot, OSError and sqlite3.Error.
        """
        with ExitStack() as failed:
            connection = failed.enter_context(closing(self._connect()))
            connection.execute("pragma journal_mode = wal")
            connection.execute("begin immediate")
            done = connection.execute("pragma user_version").fetchone()[0]
            if done > len(STEPS):
                raise LocalUnavailable(
                    f"{self._path} was written by a newer tunebot: run that one, or set another "
                    f"data_folder."
                )
            for step in STEPS[done:]:
                for statement in step.split(";"):
                    connection.execute(statement)
            if done < len(STEPS):
                connection.execute(f"pragma user_version = {len(STEPS)}")
            connection.execute("commit")
            failed.pop_all()
        self.close()
        self._resting = connection

    def close(self) -> None:
        """Let the file go, in the thread that opened it."""
        if self._resting is not None:
            self._resting.close()
            self._resting = None

    @contextmanager
    def transaction(self) -> Iterator[Tables]:
        """Everything in it, or nothing. Raises sqlite3.Error."""
        with closing(self._connect()) as connection:
            connection.execute("begin immediate")
            yield Tables(connection)
            connection.execute("commit")

    @contextmanager
    def look(self) -> Iterator[Tables]:
        """One moment of it, for reading, which waits for nobody. Raises sqlite3.Error."""
        with closing(self._connect()) as connection:
            connection.execute("begin")
            yield Tables(connection)

    def _connect(self) -> sqlite3.Connection:
        # Transactions are begun here by name.
        connection = sqlite3.connect(self._path, timeout=BUSY_SECONDS, isolation_level=None)
        connection.execute("pragma synchronous = full")  # a power cut takes nothing back
        return connection


def overview(path: Path, model: str) -> tuple[list[Job], list[TunedModel]]:
    """The jobs of the queue and the models that were made from a base, for a person to read.

    Raises LocalUnavailable where the file cannot be read.
    """
    if not path.exists():
        return [], []
    with readable(path), Database(path).look() as tables:
        return tables.waiting(), tables.models(model)


def base_of(path: Path, job: str) -> str:
    """What a job trains, "" where it is not known. Raises LocalUnavailable as `overview` does."""
    if not path.exists():
        return ""
    with readable(path), Database(path).look() as tables:
        found = tables.job(job)
    return found.base if found else ""


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Raise LocalUnavailable, with the path, for whatever SQLite raises."""
    try:
        yield
    except sqlite3.Error as error:
        raise LocalUnavailable(f"{path} cannot be read: {error}.") from error


def for_want_of_room(error: Exception) -> bool:
    """Whether the disk, or what somebody may use of it, is full."""
    if isinstance(error, OSError):
        return error.errno in {errno.ENOSPC, errno.EDQUOT}
    return getattr(error, "sqlite_errorcode", 0) in NO_ROOM
