"""What the services tell of jobs, and what those who follow them are told of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlite_utils import Database

from bot.messages import Card, Profile
from bot.store import boards, jobs, outbox, stages
from bot.store.jobs import Stage, Tracked
from bot.store.learned import learn
from bot.store.outbox import Owed
from bot.training import Job, JobEvent


@dataclass(frozen=True, slots=True)
class Notice:
    """What followers are told: beneath the card of each, or in its conversation; `edits` the card
    itself for the last time.
    """

    card: Card
    beneath: bool = False
    edits: bool = False


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
    rows = db.execute(
        "SELECT event FROM job_events WHERE job = ? AND event IN (SELECT value FROM json_each(?))",
        [row, json.dumps(list(ids))],
    )
    return {event for (event,) in rows.fetchall()}


def tell(
    db: Database,
    row: int,
    job: Job,
    new_events: Sequence[JobEvent],
    notices: Sequence[Notice],
    stage: Stage = Stage.MADE,
) -> list[Owed]:
    """Keep what a service told of a job, oldest event first, and owe its followers the notices,
    all in one: nothing is told twice or never. Nothing is told of a job whose end was told.
    """
    if not stages.moved(db, row, Stage.MADE, stage):
        return []
    db.execute("UPDATE jobs SET told = ? WHERE id = ?", [jobs.dumped(job), row])
    keep(db, row, new_events)
    return notify(db, row, notices)


def keep(db: Database, row: int, new_events: Sequence[JobEvent]) -> None:
    """Know events of a job from now on."""
    db.conn.executemany(
        "INSERT OR IGNORE INTO job_events (job, event, at, level, text, data) VALUES (?,?,?,?,?,?)",
        [
            (row, e.id, e.at, e.level, e.text, json.dumps(dict(e.data), default=str))
            for e in new_events
        ],
    )


def adopt(
    db: Database, service: str, job: Job, past: Sequence[JobEvent], person: str, now: float
) -> Tracked:
    """Know a job that somebody made elsewhere, with its past, of which nothing is told; one that is
    known stays as it is.
    """
    if known := jobs.of_service(db, service, job):
        return known
    tracked = jobs.adopt(db, service, job, person, now)
    keep(db, tracked.id, past)
    return tracked


def end(
    db: Database,
    row: int,
    job: Job,
    new_events: Sequence[JobEvent],
    notices: Sequence[Notice],
    profile: Profile | None,
    billed: float | None,
    now: float,
) -> list[Owed]:
    """Keep how a job ended, what was billed where that is known, the profile of the model that it
    made, and owe what is told of it.
    """
    if jobs.tracked(db, row).stage is not Stage.MADE:
        return []
    owed = tell(db, row, job, new_events, notices, Stage.ENDED)
    db.execute("UPDATE jobs SET cost = coalesce(?, cost) WHERE id = ?", [billed, row])
    if profile:
        learn(db, row, profile, now)
    return owed


def give_up(db: Database, row: int, notices: Sequence[Notice]) -> list[Owed]:
    """A job that was not made: its followers are told, and it goes. Nothing is told of one that
    its service has.
    """
    return notify(db, row, notices) if stages.drop(db, row) else []


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
    if notice.edits:
        boards.end(db, follower.id, card.text)
    if notice.beneath or notice.edits:
        card = replace(card, board=follower.id, beneath=notice.beneath)
    return outbox.owe(db, follower.conversation, follower.person, follower.origin, card)
