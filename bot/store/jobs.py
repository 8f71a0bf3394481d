"""Fine-tune jobs: what was asked for, what their services told, and who was told of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from sqlite_utils import Database

from bot.messages import Card, ConversationId, Profile
from bot.store import boards, outbox
from bot.store.outbox import Owed
from bot.training import Hyperparameters, Job, JobEvent, JobStatus, NewJob

COLUMNS = "id, stage, service, job, request, name, dataset, wanted, told, cost, person, at"


class Stage(StrEnum):
    """How far a job is on our side."""

    ASKED = "asked"  # shown with its price, not confirmed
    STARTING = "starting"  # confirmed: its files go up, it is being made; a restart goes on with it
    MADE = "made"  # its service has it: it is watched
    ENDED = "ended"  # its end was told


@dataclass(frozen=True, slots=True)
class Tracked:
    """A job that we know. `job` is empty but for its model until its service has it.

    `cost` is in US dollars, None where no price is known. Files in `wanted` are paths on this
    machine until they are uploaded.
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

    def now(self, job: Job) -> Tracked:
        """The same, as its service tells it now."""
        return replace(self, job=job)

    @property
    def cost_text(self) -> str:
        """What it is expected to cost, in words; "" where that is not known."""
        return "" if self.cost is None else f"about ${self.cost:,.2f}"


@dataclass(frozen=True, slots=True)
class Notice:
    """What followers are told: beneath the card of each, or in its conversation; `edits` the card
    itself for the last time.
    """

    card: Card
    beneath: bool = False
    edits: bool = False


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
        [Stage.ASKED, service, request, name, dataset, dumped(wanted), cost, person, now],
    )
    return int(new.lastrowid or 0)


def confirm(
    db: Database, row: int, where: ConversationId, person: str, origin: str, now: float
) -> tuple[boards.Follower | None, bool]:
    """Begin with a job that was asked for, followed where it was. Returns its follower there, None
    when it was declined or began elsewhere, and whether it begins now.
    """
    begun = db.execute(
        "UPDATE jobs SET stage = ?, at = ? WHERE id = ? AND stage = ?",
        [Stage.STARTING, now, row, Stage.ASKED],
    )
    if begun.rowcount:
        note(db, person, "start", f"job {row}", now)
        return boards.follow(db, row, where, person, origin), True
    known = (each for each in boards.followers(db, row) if each.conversation == where)
    return next(known, None), False


def decline(db: Database, row: int) -> bool:
    """Forget a job that was not confirmed; False when it was, or is gone."""
    gone = db.execute("DELETE FROM jobs WHERE id = ? AND stage = ?", [row, Stage.ASKED])
    return gone.rowcount == 1


def drop(db: Database, row: int) -> bool:
    """Forget a job that was never made; False when there is no such one."""
    gone = db.execute(
        "DELETE FROM jobs WHERE id = ? AND stage IN (?, ?)", [row, Stage.ASKED, Stage.STARTING]
    )
    return gone.rowcount == 1


def uploaded(db: Database, row: int, wanted: NewJob) -> None:
    """Its files are at the service: `wanted` names them as the service does."""
    db.execute("UPDATE jobs SET wanted = ? WHERE id = ?", [dumped(wanted), row])


def made(db: Database, row: int, job: Job) -> None:
    """Its service has it."""
    db.execute(
        "UPDATE jobs SET stage = ?, job = ?, told = ? WHERE id = ?",
        [Stage.MADE, job.id, dumped(job), row],
    )


def adopt(db: Database, service: str, job: Job, person: str, now: float) -> Tracked:
    """Know a job that somebody made elsewhere; one that is known stays as it is."""
    known = of_service(db, service, job.id)
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


def of_service(db: Database, service: str, job: str) -> Tracked | None:
    """The job that a service knows by this id."""
    found = db.execute(
        f"SELECT {COLUMNS} FROM jobs WHERE service = ? AND job = ?", [service, job]
    ).fetchone()
    return loaded(found) if found else None


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


def newest_event(db: Database, row: int) -> str:
    """The service's id of the newest event that is known of a job, "" for none."""
    found = db.execute(
        "SELECT event FROM job_events WHERE job = ? ORDER BY id DESC LIMIT 1", [row]
    ).fetchone()
    return str(found[0]) if found else ""


def events(db: Database, row: int) -> list[JobEvent]:
    """All that happened to a job, oldest first."""
    rows = db.execute(
        "SELECT event, at, level, text, data FROM job_events WHERE job = ? ORDER BY id", [row]
    )
    return [
        JobEvent(event, at, level, text, json.loads(data))
        for event, at, level, text, data in rows.fetchall()
    ]


def known_events(db: Database, row: int, ids: Sequence[str]) -> set[str]:
    """Those of the ids that a job has already."""
    return {
        id_
        for id_ in ids
        if db.execute("SELECT 1 FROM job_events WHERE job = ? AND event = ?", [row, id_]).fetchone()
    }


def tell(
    db: Database,
    row: int,
    job: Job,
    new_events: Sequence[JobEvent],
    notices: Sequence[Notice],
    *,
    ended: bool = False,
) -> list[Owed]:
    """Keep what a service told of a job, oldest event first, and owe its followers the notices,
    all in one: nothing is told twice or never.
    """
    db.execute(
        "UPDATE jobs SET told = ?, stage = ? WHERE id = ?",
        [dumped(job), Stage.ENDED if ended else Stage.MADE, row],
    )
    db.conn.executemany(
        "INSERT OR IGNORE INTO job_events (job, event, at, level, text, data) VALUES (?,?,?,?,?,?)",
        [
            (row, e.id, e.at, e.level, e.text, json.dumps(dict(e.data), default=str))
            for e in new_events
        ],
    )
    return notify(db, row, notices)


def end(
    db: Database,
    row: int,
    job: Job,
    new_events: Sequence[JobEvent],
    notices: Sequence[Notice],
    profile: Profile | None,
    now: float,
) -> list[Owed]:
    """Keep how a job ended, the profile of the model that it made, and owe what is told of it."""
    if profile:
        learn(db, row, profile, now)
    return tell(db, row, job, new_events, notices, ended=True)


def learn(db: Database, row: int, profile: Profile, now: float) -> None:
    """Keep the profile of a model that a job made."""
    db.execute(
        "INSERT OR REPLACE INTO learned (name, profile, job, at) VALUES (?, ?, ?, ?)",
        [profile.name, json.dumps(asdict(profile), ensure_ascii=False), row, now],
    )


def unlearn(db: Database, model: str) -> list[str]:
    """Forget the profiles of a model; returns their names."""
    gone = [profile.name for profile in learned(db) if profile.model == model]
    db.conn.executemany("DELETE FROM learned WHERE name = ?", [(name,) for name in gone])
    return gone


def learned(db: Database) -> list[Profile]:
    """The profiles of all models that jobs made, oldest first."""
    rows = db.execute("SELECT profile FROM learned ORDER BY at, name")
    found = [json.loads(profile) for (profile,) in rows.fetchall()]
    return [Profile(**{**values, "stop": tuple(values["stop"])}) for values in found]


def give_up(db: Database, row: int, notices: Sequence[Notice]) -> list[Owed]:
    """A job that its service refused to make: its followers are told, and it goes."""
    owed = notify(db, row, notices)
    drop(db, row)
    return owed


def notify(db: Database, row: int, notices: Sequence[Notice]) -> list[Owed]:
    """Owe notices to all followers of a job."""
    return [
        notified(db, follower, notice)
        for follower in boards.followers(db, row)
        for notice in notices
    ]


def notified(db: Database, follower: boards.Follower, notice: Notice) -> Owed:
    """Owe a notice to a follower."""
    card = notice.card
    if notice.beneath or notice.edits:
        card = replace(card, board=follower.id, beneath=notice.beneath)
    return outbox.owe(db, follower.conversation, follower.person, follower.origin, card)


def remember_upload(db: Database, service: str, sha256: str, name: str, file: str) -> None:
    """Which file at a service is ours."""
    db.execute(
        "INSERT OR REPLACE INTO uploads (service, sha256, name, file) VALUES (?, ?, ?, ?)",
        [service, sha256, name, file],
    )


def uploaded_as(db: Database, service: str, sha256: str, name: str) -> str:
    """The service's id of a file that went up before, "" for none."""
    found = db.execute(
        "SELECT file FROM uploads WHERE service = ? AND sha256 = ? AND name = ?",
        [service, sha256, name],
    ).fetchone()
    return str(found[0]) if found else ""


def note(db: Database, person: str, what: str, about: str, now: float) -> None:
    """Note who changed what, for whoever asks later."""
    db.execute(
        "INSERT INTO audit (at, person, what, about) VALUES (?, ?, ?, ?)",
        [now, person, what, about],
    )


def dumped(value: NewJob | Job) -> str:
    """A value as a column has it."""
    return json.dumps(asdict(value), ensure_ascii=False)


def loaded(row: Sequence[Any]) -> Tracked:
    """A job as its row has it."""
    id_, stage, service, job, request, name, dataset, wanted, told, cost, person, at = row
    new = new_job(json.loads(wanted))
    state = told_job(json.loads(told)) or Job(job, new.model, JobStatus.QUEUED, suffix=new.suffix)
    return Tracked(id_, Stage(stage), service, state, request, name, dataset, new, cost, person, at)


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
