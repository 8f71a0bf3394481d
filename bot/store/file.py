"""The SQLite file: opened, locked, looked at and copied, also beside a tunebot that runs on it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from filelock import FileLock, Timeout
from sqlite_utils import Database

from bot.errors import StoreError
from bot.store.migrations import migrations

P = ParamSpec("P")
T = TypeVar("T")

BESIDE_SECONDS = 30.0  # that a step beside a running tunebot waits for its turn


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


def unusable(path: Path, reason: str | None) -> StoreError:
    """The sentence for a file that is no database or that may not be written."""
    return StoreError(
        f"{path} cannot be used ({reason}): configure a database in a folder that tunebot may "
        f"write to."
    )
