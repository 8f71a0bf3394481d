"""Fine-tune jobs: what was asked for, and what became of it."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from sqlite_utils import Database

from bot.training import Hyperparameters, Job, JobStatus, NewJob

COLUMNS = "id, stage, service, job, request, name, dataset, wanted, told, cost, person, at, before"


class Stage(StrEnum):
    """How far a job is on our side."""

    ASKED = "asked"  # shown with its price, not confirmed
    STARTING = "starting"  # confirmed: its files go up, it is being made; a restart goes on with it
    WITHDRAWN = "withdrawn"  # cancelled while it started: if it was made, it is cancelled there
    MADE = "made"  # its service has it: it is watched
    ENDED = "ended"  # its end was told


@dataclass(frozen=True, slots=True)
class Tracked:
    """A job that we know. `job` is empty but for its model until its service has it.

    `cost` is in US dollars, None where no price is known. Files in `wanted` are paths on this
    machine until they are uploaded. `before` has the newest jobs of its service before this
    one was to be made; None says that the service was not asked for it yet.
    """

    id: int
    stage: Stage
    service: str
    job: Job
    request: str
    name: str
    dataset: str
    wanted: NewJob
    cost: float | None
    person: str
    at: float
    before: tuple[str, ...] | None = None

    def now(self, job: Job) -> Tracked:
        """The same, as its service tells it now."""
        return replace(self, job=job)

    @property
    def cost_text(self) -> str:
        """What it is expected to cost, in words; "" where that is not known."""
        return "" if self.cost is None else f"about ${self.cost:,.2f}"


def begun_by(db: Database, message: int) -> int:
    """The number of the job that a message began, 0 for none: it is run again after a crash."""
    found = db.execute("SELECT id FROM jobs WHERE message = ?", [message]).fetchone()
    return int(found[0]) if found else 0


def forget(db: Database, person: str) -> None:
    """Forget who asked for jobs, what they did not confirm, and that they follow. What was spent
    stays, and so does the audit, which is there to say who did it.
    """
    db.execute("DELETE FROM jobs WHERE person = ? AND stage = ?", [person, Stage.ASKED])
    db.execute("UPDATE jobs SET person = '' WHERE person = ?", [person])
    db.execute("DELETE FROM followers WHERE person = ?", [person])


def adopt(db: Database, service: str, job: Job, person: str, now: float) -> Tracked:
    """Know a job that somebody made elsewhere; one that is known stays as it is, also where its
    service just made it and we do not know its id yet.
    """
    known = of_service(db, service, job)
    if known:
        return known
    name = job.suffix or job.id
    new = db.execute(
        "INSERT INTO jobs (stage, service, job, request, name, told, person, at) "
        "VALUES (?,?,?,?,?,?,?,?)",
        [Stage.MADE, service, job.id, f"{service}/{job.id}", name, dumped(job), person, now],
    )
    return tracked(db, int(new.lastrowid or 0))


def tracked(db: Database, row: int) -> Tracked:
    """The job of a number. Raises KeyError when there is none."""
    found = db.execute(f"SELECT {COLUMNS} FROM jobs WHERE id = ?", [row]).fetchone()
    if found is None:
        raise KeyError(row)
    return loaded(found)


def asked(db: Database, row: int) -> Tracked | None:
    """A job that waits to be confirmed; None for any other."""
    found = db.execute(
        f"SELECT {COLUMNS} FROM jobs WHERE id = ? AND stage = ?", [row, Stage.ASKED]
    ).fetchone()
    return loaded(found) if found else None


def of_service(db: Database, service: str, job: Job) -> Tracked | None:
    """The job that a service knows by this id, or that carries our request."""
    requests = json.dumps(list(job.metadata.values()))
    found = db.execute(
        f"SELECT {COLUMNS} FROM jobs WHERE service = ? AND "
        "(job = ? OR request IN (SELECT value FROM json_each(?)))",
        [service, job.id, requests],
    ).fetchone()
    return loaded(found) if found else None


def known(db: Database, service: str, ids: Collection[str]) -> set[str]:
    """Those of a service's ids that are of jobs which we know."""
    rows = db.execute(
        "SELECT job FROM jobs WHERE service = ? AND job IN (SELECT value FROM json_each(?))",
        [service, json.dumps(list(ids))],
    )
    return {job for (job,) in rows.fetchall()}


def at_stage(db: Database, *stages: Stage) -> list[Tracked]:
    """The jobs at these stages, oldest first."""
    marks = ",".join("?" * len(stages))
    rows = db.execute(f"SELECT {COLUMNS} FROM jobs WHERE stage IN ({marks}) ORDER BY id", stages)
    return [loaded(row) for row in rows.fetchall()]


def newest(db: Database, most: int) -> list[Tracked]:
    """The newest jobs that are more than asked for, newest first."""
    rows = db.execute(
        f"SELECT {COLUMNS} FROM jobs WHERE stage != ? ORDER BY id DESC LIMIT ?",
        [Stage.ASKED, most],
    )
    return [loaded(row) for row in rows.fetchall()]


def spent(db: Database, since: float) -> float:
    """What the jobs confirmed since a Unix time are expected to cost, in US dollars."""
    total = db.execute(
        "SELECT coalesce(sum(cost), 0) FROM jobs WHERE stage != ? AND at >= ?",
        [Stage.ASKED, since],
    ).fetchone()
    return float(total[0])


def dumped(value: NewJob | Job) -> str:
    """A value as a column has it."""
    return json.dumps(asdict(value), ensure_ascii=False)


def loaded(row: Sequence[Any]) -> Tracked:
    """A job as its row has it."""
    id_, stage, service, job, request, name, dataset, wanted, told, cost, person, at, before = row
    new = new_job(json.loads(wanted))
    state = told_job(json.loads(told)) or Job(job, new.model, JobStatus.QUEUED, suffix=new.suffix)
    earlier = None if before is None else tuple(json.loads(before))
    return Tracked(
        id_, Stage(stage), service, state, request, name, dataset, new, cost, person, at, earlier
    )


def new_job(values: Mapping[str, Any]) -> NewJob:
    """What was asked for; empty for a job that somebody made elsewhere."""
    if not values:
        return NewJob("", "")
    return NewJob(**{**values, "hyperparameters": Hyperparameters(**values["hyperparameters"])})


def told_job(values: Mapping[str, Any]) -> Job | None:
    """A job as its service told it last; None before it did."""
    if not values:
        return None
    return Job(
        **{
            **values,
            "status": JobStatus(values["status"]),
            "result_files": tuple(values["result_files"]),
            "hyperparameters": Hyperparameters(**values["hyperparameters"]),
        }
    )
