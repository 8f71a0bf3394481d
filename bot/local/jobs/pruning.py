"""What jobs and uploads leave behind, and what of it may go.

Nothing that a person can still use goes by itself: `sweep` takes what is of no use to anybody,
`prune` also what was not used for a while, for somebody who was asked before.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bot.local.jobs.database import Database
from bot.local.jobs.folder import Folder
from bot.local.jobs.tables import Tables
from bot.local.jobs.values import Job, StoredFile, TunedModel

DAY = 86_400.0  # seconds after which nobody is about to say what a file is
TRAINING = "fine-tune"


@dataclass(frozen=True, slots=True)
class Rest:
    """What may go: models that ended jobs made on their way, uploaded files, and `paths`, the files
    of both and those that nothing refers to. `size` is in bytes.
    """

    checkpoints: Sequence[TunedModel]
    uploads: Sequence[StoredFile]
    paths: Sequence[Path]
    size: int


def mark_used(model: TunedModel) -> None:
    """Note that a model was asked: it is kept for another while."""
    with suppress(OSError):  # it may be somebody else's to change
        os.utime(model.adapter)


def rest(tables: Tables, folder: Folder, now: float, before: float) -> Rest:
    """What may go. Checkpoints and uploads do if nobody made or asked for them since `before`;
    a model with which a job ended never does. Times are in Unix seconds.
    """
    jobs = {job.id: job for job in tables.every_job()}
    models = tables.every_model()
    old = [each for each in models if is_done(jobs, each) and used_at(each) < before]
    needed = {
        file
        for job in jobs.values()
        if not job.ended
        for file in (job.training_file, job.validation_file)
    }
    uploads = [
        file
        for file in tables.files()
        if file.purpose == TRAINING and file.created_at < before and file.id not in needed
    ]
    gone = {file.id for file in uploads}
    known = {file.id for file in tables.files()}
    paths = [
        path
        for path in folder.uploaded()
        if path.name in gone or (path.name not in known and is_old(path, now))
    ]
    # By its name in its job's folder: the data folder may have been moved.
    kept = defaultdict(set)
    for model in models:
        if model not in old:
            kept[model.job].add(Path(model.adapter).name)
    for id_, path in folder.of_jobs():
        job = jobs.get(id_)
        if kept[id_].isdisjoint(path.parts) and (job.ended if job else is_old(path, now)):
            paths.append(path)
    return Rest(old, uploads, paths, sum(map(size_of, paths)))


def prune(database: Database, folder: Folder, now: float, before: float) -> Rest:
    """Delete what may go; returns it. Raises sqlite3.Error."""
    with database.transaction() as tables:
        gone = rest(tables, folder, now, before)
        for model in gone.checkpoints:
            tables.delete_model(model.name)
        for file in gone.uploads:
            tables.delete_file(file.id)
    for path in gone.paths:
        with suppress(OSError):  # another process may have been faster
            path.unlink()
    folder.drop_empty()
    return gone


def sweep(database: Database, folder: Folder, now: float) -> None:
    """Delete files whose time is over, and what processes that were killed had no time to: uploads
    that did not arrive, and what ended jobs needed to go on. Raises OSError and sqlite3.Error.
    """
    drop_expired(database, folder, now)
    for path in folder.uploaded():
        if path.suffix == ".partial" and is_old(path, now):
            path.unlink(missing_ok=True)
    with database.look() as tables:
        ended = [job.id for job in tables.every_job() if job.ended]
    for id_ in ended:
        folder.tidy(id_)


def drop_expired(database: Database, folder: Folder, now: float) -> None:
    """Delete files whose time is over. Raises OSError and sqlite3.Error."""
    with database.look() as tables:
        expired = [file.id for file in tables.files() if file.is_expired(now)]
    for id_ in expired:
        with database.transaction() as tables:
            tables.delete_file(id_)
        folder.file(id_).unlink(missing_ok=True)


def is_done(jobs: dict[str, Job], model: TunedModel) -> bool:
    """Whether a model was made on the way of a job that has ended."""
    job = jobs.get(model.job)
    return model.step > 0 and (job is None or job.ended)


def used_at(model: TunedModel) -> float:
    """When a model was made or last asked."""
    with suppress(OSError):
        return max(model.created_at, Path(model.adapter).stat().st_mtime)
    return model.created_at


def is_old(path: Path, now: float) -> bool:
    with suppress(OSError):
        return path.stat().st_mtime < now - DAY
    return False


def size_of(path: Path) -> int:
    with suppress(OSError):
        return path.stat().st_size
    return 0
