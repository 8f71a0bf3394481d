"""Steps that are committed together: one that fails takes back itself alone."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

from sqlite_utils import Database

from bot.errors import BotError, StoreBusy, StoreError, StoreFull


class Step(NamedTuple):
    """What waits for its turn, and the future of who waits for it."""

    run: Callable[[Database], Any]
    future: asyncio.Future[Any]


class Outcome(NamedTuple):
    """What a step returned, or why nothing of it is stored."""

    result: Any = None
    error: Exception | None = None


def together(database: Database, steps: Sequence[Step]) -> list[Outcome]:
    """Run steps in one transaction. One that fails takes back itself alone."""
    try:
        database.execute("BEGIN IMMEDIATE")
        outcomes = [attempt(database, step) for step in steps]
        database.execute("COMMIT")
    except sqlite3.Error as error:
        with suppress(sqlite3.Error):
            database.conn.rollback()
        return [Outcome(error=translated(error))] * len(steps)
    return outcomes


def attempt(database: Database, step: Step) -> Outcome:
    """Run a step in a savepoint. Raises sqlite3.Error when the whole transaction is lost."""
    try:
        with savepoint(database):
            return Outcome(step.run(database))
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


def settle(steps: Sequence[Step], outcomes: Sequence[Outcome]) -> None:
    """Tell those who wait what became of their steps, in order."""
    for step, outcome in zip(steps, outcomes, strict=True):
        if step.future.done():
            continue
        if outcome.error:
            step.future.set_exception(outcome.error)
        else:
            step.future.set_result(outcome.result)


def translated(error: sqlite3.Error) -> StoreError:
    """SQLite's error as a sentence."""
    name = getattr(error, "sqlite_errorname", "")
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return StoreBusy("The database is locked by another program; it will be tried again.")
    if name.startswith(("SQLITE_FULL", "SQLITE_IOERR")):
        return StoreFull("The disk is full or failing; free some space, then it will go on.")
    return StoreError(f"The database failed ({name or error}); see the log.")
