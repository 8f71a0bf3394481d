"""Uploaded files, looked through beside everything else: a large one takes half a minute."""

from __future__ import annotations

import asyncio
import sqlite3
from dataclasses import replace
from threading import Event

import structlog

from bot.local.jobs.data import Examined, Interrupted, examine
from bot.local.jobs.database import Database
from bot.local.jobs.folder import Folder

AT_ONCE = 2  # files; others wait, so that threads are left for what runs
BREATH = 1.0  # seconds until the database is tried again

log = structlog.get_logger(__name__)


class Examining:
    """Looks through files that nobody has looked through yet: those that come, and those that a
    process left that was killed. Several processes may look through the same file; what they write
    is the same.
    """

    def __init__(self, database: Database, folder: Folder) -> None:
        self._database = database
        self._folder = folder
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._places = asyncio.Semaphore(AT_ONCE)
        self._closing = Event()

    async def resume(self) -> None:
        """Begin with all that is left."""
        for id_ in await asyncio.to_thread(self._left):
            self.begin(id_)

    def begin(self, id_: str) -> asyncio.Task[None]:
        """Look through a file, unless that is being done."""
        if id_ not in self._tasks:
            self._tasks[id_] = asyncio.create_task(self._examine(id_), name=f"examine {id_}")
            self._tasks[id_].add_done_callback(lambda _: self._tasks.pop(id_))
        return self._tasks[id_]

    async def settled(self, *ids: str) -> None:
        """Return when these files have been looked through."""
        for id_ in ids:
            if id_ in await asyncio.to_thread(self._left):
                await asyncio.shield(self.begin(id_))

    async def close(self) -> None:
        """Leave what is not done to the next start."""
        self._closing.set()
        tasks = [*self._tasks.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _examine(self, id_: str) -> None:
        async with self._places:
            while not self._closing.is_set():
                try:
                    await asyncio.to_thread(self._look_through, id_)
                except Interrupted:
                    pass
                except sqlite3.Error as error:
                    log.warning("file not examined yet", file=id_, reason=str(error))
                    await asyncio.sleep(BREATH)
                else:
                    return

    def _look_through(self, id_: str) -> None:
        try:
            kind, fault = examine(self._folder.file(id_), self._closing.is_set)
        except OSError as error:
            kind, fault = Examined(None, f"The file cannot be read any more ({error.strerror}).")
        with self._database.transaction() as tables:
            if file := tables.file(id_):  # it may have been deleted meanwhile
                tables.put_file(replace(file, kind=kind or "", fault=fault, examined=True))

    def _left(self) -> list[str]:
        with self._database.look() as tables:
            return [file.id for file in tables.files(oldest_first=True) if not file.examined]
