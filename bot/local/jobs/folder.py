"""Where things lie in the data folder."""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

LONGEST_NAME = 100  # bytes; most file systems have 255
RESERVE = 1 << 18  # bytes: what the end of a job takes in the database, many times


class Folder:
    """The folder of files and jobs, shared by all tunebots of one person."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.database = path / "jobs.db"
        self.lock = path / "queue.lock"
        self.files = path / "files"
        self.servers = path / "servers"
        self._jobs = path / "jobs"
        self._reserve = path / "reserve"

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
        end = re.sub(r"[^\w.-]+", "_", name).encode()[-LONGEST_NAME:].decode(errors="ignore")
        lent = place / (end.lstrip(".") or "data.jsonl")
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
        """Delete what only a training that goes on needs."""
        for use in ("training", "validation"):
            shutil.rmtree(self._jobs / job / use, ignore_errors=True)
        self.drop_state(job)

    def drop_state(self, job: str) -> None:
        """Delete what a training goes on from, which is as large as three adapters: without it, it
        begins anew.
        """
        for rest in ("state.npz", "state.npz.partial"):
            with suppress(OSError):
                (self.output(job) / rest).unlink()
        shutil.rmtree(self.output(job) / "state", ignore_errors=True)

    def uploaded(self) -> list[Path]:
        """All uploaded files, those that are still on their way too."""
        return files_in(self.files)

    def of_jobs(self) -> Iterator[tuple[str, Path]]:
        """The files of all jobs, each with its job's id."""
        for path in files_in(self._jobs):
            yield path.relative_to(self._jobs).parts[0], path

    def reserve(self) -> None:
        """Keep a little room, if there is any, to say later that there is none."""
        with suppress(OSError):
            if not self._reserve.exists() or self._reserve.stat().st_size < RESERVE:
                self._reserve.write_bytes(bytes(RESERVE))

    def make_room(self, job: str) -> None:
        """Delete what was reserved, and what a job would go on from."""
        with suppress(OSError):
            self._reserve.unlink()
        self.drop_state(job)

    def drop_empty(self) -> None:
        """Delete the folders of jobs in which nothing is left."""
        folders = [path for path in self._jobs.rglob("*") if path.is_dir()]
        for path in sorted(folders, reverse=True):  # what is inside comes first
            with suppress(OSError):
                path.rmdir()

    @property
    def size(self) -> int:
        """How many bytes all of it takes. A file that a job was lent counts once."""
        found = {}
        for path in files_in(self.path):
            with suppress(OSError):  # it goes meanwhile
                said = path.stat()
                found[said.st_dev, said.st_ino] = said.st_size
        return sum(found.values())

    def drop(self, job: str) -> None:
        """Delete all of a job that was not made."""
        shutil.rmtree(self._jobs / job, ignore_errors=True)


def files_in(folder: Path) -> list[Path]:
    """The files in a folder and below it, in their order."""
    return sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
