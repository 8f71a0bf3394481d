"""A job on its way from being asked for to being made, stage by stage."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from sqlite_utils import Database

from bot.messages import ConversationId
from bot.store import audit, boards, jobs
from bot.store.jobs import Stage, Tracked
from bot.training import Job, NewJob

Allow = Callable[[float | None, float], None]


def ask(
    db: Database,
    service: str,
    request: str,
    name: str,
    dataset: str,
    wanted: NewJob,
    cost: float | None,
    person: str,
    now: float,
) -> int:
    """Keep a job that is to be confirmed; returns its number."""
    new = db.execute(
        "INSERT INTO jobs (stage, service, request, name, dataset, wanted, cost, person, at) "
        "VALUES (?,?,?,?,?,?,?,?,?)",
        [Stage.ASKED, service, request, name, dataset, jobs.dumped(wanted), cost, person, now],
    )
    return int(new.lastrowid or 0)


def confirm(
    db: Database,
    row: int,
    message: int,
    where: ConversationId,
    person: str,
    origin: str,
    allow: Allow,
    since: float,
    now: float,
) -> boards.Follower | None:
    """Begin with a job that was asked for, followed where it was. Returns its follower; the same
    for the same message, None for one that was declined or that another message began.

    `allow` raises for a cost that may not be added to what was spent since a Unix time. All is one
    step: two that are confirmed at once cannot both take what is left.
    """
    if job := jobs.asked(db, row):
        allow(job.cost, jobs.spent(db, since))
        db.execute(
            "UPDATE jobs SET stage = ?, message = ?, at = ? WHERE id = ?",
            [Stage.STARTING, message, now, row],
        )
        audit.note(db, person, "start", f"job {row}", now)
        return boards.follow(db, row, where, person, origin)
    if jobs.begun_by(db, message) != row:
        return None
    return next((each for each in boards.followers(db, row) if each.conversation == where), None)


def decline(db: Database, row: int) -> bool:
    """Forget a job that was not confirmed; False when it was, or is gone."""
    gone = db.execute("DELETE FROM jobs WHERE id = ? AND stage = ?", [row, Stage.ASKED])
    return gone.rowcount == 1


def withdraw(db: Database, row: int, person: str, now: float) -> bool:
    """Do not go on with a job that is starting; False when it is none that does."""
    if not moved(db, row, Stage.STARTING, Stage.WITHDRAWN):
        return False
    audit.note(db, person, "cancel", f"job {row}", now)
    return True


def uploaded(db: Database, row: int, wanted: NewJob) -> None:
    """Its files are at the service: `wanted` names them as the service does."""
    db.execute("UPDATE jobs SET wanted = ? WHERE id = ?", [jobs.dumped(wanted), row])


def offered(db: Database, row: int, before: Sequence[str]) -> Tracked:
    """From now on its service may have it, beside what it had `before`."""
    ids = json.dumps(before)
    db.execute("UPDATE jobs SET before = coalesce(before, ?) WHERE id = ?", [ids, row])
    return jobs.tracked(db, row)


def made(db: Database, row: int, job: Job, stage: Stage = Stage.STARTING) -> None:
    """Its service has it; nothing happens to a job that is not at this stage any more."""
    if moved(db, row, stage, Stage.MADE):
        db.execute(
            "UPDATE jobs SET job = ?, told = ? WHERE id = ?", [job.id, jobs.dumped(job), row]
        )


def moved(db: Database, row: int, stage: Stage, to: Stage) -> bool:
    """Move a job from a stage to another; False when it is not there."""
    change = db.execute("UPDATE jobs SET stage = ? WHERE id = ? AND stage = ?", [to, row, stage])
    return change.rowcount == 1


def drop(db: Database, row: int) -> bool:
    """Forget a job that was never made; False when there is no such one."""
    gone = db.execute(
        "DELETE FROM jobs WHERE id = ? AND stage IN (?, ?)", [row, Stage.STARTING, Stage.WITHDRAWN]
    )
    return gone.rowcount == 1


def drop_asked(db: Database, before: float) -> None:
    """Forget the jobs that nobody confirmed since a Unix time, and the followers of jobs that were
    never made, once nothing is owed to them.
    """
    db.execute("DELETE FROM jobs WHERE stage = ? AND at < ?", [Stage.ASKED, before])
    db.execute(
        "DELETE FROM followers WHERE job NOT IN (SELECT id FROM jobs) "
        "AND id NOT IN (SELECT board FROM outbox)"
    )
