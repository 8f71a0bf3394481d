"""Where things lie in the data folder."""

from __future__ import annotations

import errno
import os
import re
import shutil
from contextlib import suppress
from pathlib import Path

LONGEST_NAME = 100


class Folder:
    """The folder of files and jobs, shared by all tunebots of one person."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.database = path / "jobs.db"
        self.lock = path / "queue.lock"
        self.files = path / "files"
        self.servers = path / "servers"
        self._jobs = path / "jobs"

    def make(self) -> None:
        """Make what is missing. What people upload is nobody else's to read. Raises OSError."""
        for each in (self.files, self._jobs):
            each.mkdir(mode=0o700, parents=True, exist_ok=True)

    def file(self, id_: str) -> Path:
        return self.files / id_

    def spec(self, job: str) -> Path:
        return self._jobs / job / "spec.json"

    def output(self, job: str) -> Path:
        """Where the trainer of a job leaves what it makes."""
        return self._jobs / job / "output"

    def lend(self, job: str, use: str, file: str, name: str) -> Path:
        """Give a job a file of its own, which it still has when the file is deleted. It bears the
        name under which it was uploaded: the trainer speaks of that. Raises OSError.
        """
        place = self._jobs / job / use
        place.mkdir(parents=True, exist_ok=True)
        lent = place / (re.sub(r"[^\w.-]+", "_", name)[-LONGEST_NAME:].lstrip(".") or "data.jsonl")
        lent.unlink(missing_ok=True)
        try:
            lent.hardlink_to(self.file(file))
        except OSError:  # not on this file system
            shutil.copyfile(self.file(file), lent)
        return lent

    def lent(self, job: str, use: str) -> Path:
        """The file that a job was given. Raises FileNotFoundError."""
        for file in (self._jobs / job / use).iterdir():
            return file
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), use)

    def tidy(self, job: str) -> None:
        """Delete what only a training that goes on needs: it is as large as three adapters."""
        for use in ("training", "validation"):
            shutil.rmtree(self._jobs / job / use, ignore_errors=True)
        for rest in ("state.npz", "state.npz.partial"):
            with suppress(OSError):
                (self.output(job) / rest).unlink()

    def drop(self, job: str) -> None:
        """Delete all of a job that was not made."""
        shutil.rmtree(self._jobs / job, ignore_errors=True)
