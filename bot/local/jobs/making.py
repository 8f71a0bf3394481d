"""Jobs as they begin, and what people may do to them. Each takes one transaction."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from dataclasses import replace

from bot.local.jobs.database import Database
from bot.local.jobs.folder import Folder
from bot.local.jobs.tables import Tables
from bot.local.jobs.values import Event, Job, Status


class Jobs:
    """What is done to jobs, by whichever process; `changed` hears of it when it is committed."""

    def __init__(
        self,
        database: Database,
        folder: Folder,
        now: Callable[[], float],
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self._database = database
        self._folder = folder
        self._now = now
        self._changed = changed

    def add(self, job: Job) -> None:
        """Put a job at the end of the queue. Its files are its own from now on. Raises OSError,
        FileNotFoundError where one of them has gone, and sqlite3.Error: then it is not there.
        """
        try:
            with self._database.transaction() as tables:
                self._lend(tables, job.id, "training", job.training_file)
                if job.validation_file:
                    self._lend(tables, job.id, "validation", job.validation_file)
                tables.put_job(job)
                ahead = len(tables.waiting()) - 1
                self._tell(tables, job, f"Created fine-tuning job: {job.id}")
                self._tell(tables, job, f"Validated training file: {job.training_file}")
                said = "Files validated, moving job to queued state"
                self._tell(tables, job, said + (f". Queue number: {ahead}" if ahead else ""))
        except BaseException:
            self._folder.drop(job.id)
            raise
        self._changed()

    def _lend(self, tables: Tables, job: str, use: str, id_: str) -> None:
        if (file := tables.file(id_)) is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), id_)
        self._folder.lend(job, use, id_, file.name)

    def cancel(self, id_: str) -> Job | None:
        """End a job; None where it has ended already, or is not there."""
        job = self._change(id_, {"queued", "running", "paused"}, "cancelled", "cancelled")
        if job:
            self._folder.tidy(id_)  # the queue does so only after what it ran
        return job

    def pause(self, id_: str) -> Job | None:
        """Let a job rest: it keeps what it has learned, and its place before later ones."""
        return self._change(id_, {"queued", "running"}, "paused", "paused")

    def resume(self, id_: str) -> Job | None:
        """Let a job go on that rests."""
        return self._change(id_, {"paused"}, "queued", "resumed")

    def _change(self, id_: str, before: set[Status], after: Status, word: str) -> Job | None:
        with self._database.transaction() as tables:
            job = tables.job(id_)
            if job is None or job.status not in before:
                return None
            now = int(self._now()) if after == "cancelled" else 0
            job = replace(job, status=after, finished_at=now, estimated_finish=0)
            tables.put_job(job)
            self._tell(tables, job, f"The job has been {word}")
            tell_places(tables, self._now())
        self._changed()
        return job

    def _tell(self, tables: Tables, job: Job, message: str) -> None:
        tables.tell(job.id, Event(message), self._now())


def tell_places(tables: Tables, now: float) -> None:
    """Tell each job of the queue its place in it, unless that was told last."""
    for place, job in enumerate(tables.waiting()):
        if job.status == "queued" and place:
            message = f"Waiting for jobs ahead to complete. Queue number: {place}"
            told = tables.events(job.id, "", 1)
            if not told or not told[0] or not told[0][0].message.endswith(f"number: {place}"):
                tables.tell(job.id, Event(message), now)
