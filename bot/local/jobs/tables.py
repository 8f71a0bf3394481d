"""What is in the database, read and written within one transaction."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import asdict, replace
from secrets import token_hex
from typing import Any, TypeVar

from bot.local.jobs.values import WAITING, Event, Failure, Job, Status, StoredFile, TunedModel

T = TypeVar("T")
Page = tuple[list[T], bool]
"""Values, newest first, and whether there are more."""


class Tables:
    """The tables within a transaction. Lists are newest first."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._ask = connection.execute

    # Files

    def put_file(self, file: StoredFile) -> None:
        """Keep a file, instead of one of the same id."""
        self._ask(
            "insert into files (id, facts) values (?, ?)"
            " on conflict (id) do update set facts = excluded.facts",
            (file.id, written(file)),
        )

    def file(self, id_: str) -> StoredFile | None:
        found = self._ask("select facts from files where id = ?", (id_,)).fetchone()
        return StoredFile(**json.loads(found[0])) if found else None

    def files(self, *, oldest_first: bool = False) -> list[StoredFile]:
        order = "asc" if oldest_first else "desc"
        found = self._ask(f"select facts from files order by seq {order}")  # noqa: S608 - a constant
        return [StoredFile(**json.loads(facts)) for (facts,) in found]

    def delete_file(self, id_: str) -> bool:
        """Whether it was there."""
        return self._ask("delete from files where id = ?", (id_,)).rowcount > 0

    # Jobs

    def put_job(self, job: Job) -> None:
        """Keep a job, instead of the same one as it was."""
        self._ask(
            "insert into jobs (id, model, status, facts) values (?, ?, ?, ?)"
            " on conflict (id) do update set status = excluded.status, facts = excluded.facts",
            (job.id, job.model, job.status, written(job)),
        )

    def job(self, id_: str) -> Job | None:
        found = self._ask("select facts from jobs where id = ?", (id_,)).fetchone()
        return job_of(found[0]) if found else None

    def jobs(self, model: str) -> list[Job]:
        """The jobs of a base model."""
        found = self._ask("select facts from jobs where model = ? order by seq desc", (model,))
        return [job_of(facts) for (facts,) in found]

    def every_job(self) -> list[Job]:
        """The jobs of all base models."""
        found = self._ask("select facts from jobs order by seq desc")
        return [job_of(facts) for (facts,) in found]

    def waiting(self) -> list[Job]:
        """The jobs of the queue: the one that runs, and those after it, in their order."""
        found = self._ask(
            "select facts from jobs where status in (?, ?) order by status = 'queued', seq", WAITING
        )
        return [job_of(facts) for (facts,) in found]

    def status(self, job: str) -> Status | None:
        """The status of a job; None for none."""
        found = self._ask("select status from jobs where id = ?", (job,)).fetchone()
        return found[0] if found else None

    # Events

    def tell(self, job: str, event: Event, now: float) -> bool:
        """Keep an event; False for one that was told before."""
        kept = replace(event, id=f"ftevent-{token_hex(12)}", at=int(now))
        done = self._ask(
            "insert into events (id, job, key, facts) values (?, ?, ?, ?) on conflict do nothing",
            (kept.id, job, event.key, written(kept)),
        )
        return done.rowcount > 0

    def events(self, job: str, after: str, limit: int) -> Page[Event] | None:
        """What happened to a job before the event `after`; None where there is no such one."""
        before: int | None = None
        if after:
            found = self._ask("select seq from events where job = ? and id = ?", (job, after))
            if (row := found.fetchone()) is None:
                return None
            before = row[0]
        kept = self._ask(
            "select facts from events where job = ? and (? is null or seq < ?)"
            " order by seq desc limit ?",
            (job, before, before, limit + 1),
        )
        told = [Event(**json.loads(facts)) for (facts,) in kept]
        return told[:limit], len(told) > limit

    # Models

    def put_model(self, model: TunedModel) -> None:
        """Keep a model; one that is there already stays as it is."""
        self._ask(
            "insert into models (name, job, base, step, facts) values (?, ?, ?, ?, ?)"
            " on conflict do nothing",
            (model.name, model.job, model.base, model.step, written(model)),
        )

    def model(self, name: str) -> TunedModel | None:
        found = self._ask("select facts from models where name = ?", (name,)).fetchone()
        return TunedModel(**json.loads(found[0])) if found else None

    def models(self, base: str) -> list[TunedModel]:
        """The models that were made from a base model."""
        found = self._ask("select facts from models where base = ? order by seq desc", (base,))
        return [TunedModel(**json.loads(facts)) for (facts,) in found]

    def every_model(self) -> list[TunedModel]:
        """The models that were made from any."""
        found = self._ask("select facts from models order by seq desc")
        return [TunedModel(**json.loads(facts)) for (facts,) in found]

    def checkpoints(self, job: str) -> list[TunedModel]:
        """The models that a job made on its way."""
        found = self._ask(
            "select facts from models where job = ? and step > 0 order by step desc", (job,)
        )
        return [TunedModel(**json.loads(facts)) for (facts,) in found]

    def void_course(self, job: str) -> None:
        """Have a job without its checkpoints, and what it told of its steps told again."""
        self._ask(
            "update events set key = null where job = ? and"
            " (key = 'hyperparameters' or key like 'step %' or key like 'checkpoint %')",
            (job,),
        )
        self._ask("delete from models where job = ? and step > 0", (job,))

    def delete_model(self, name: str) -> None:
        self._ask("delete from models where name = ?", (name,))


def written(value: Any) -> str:
    """A value as it is kept."""
    return json.dumps(asdict(value), ensure_ascii=False)


def job_of(facts: str) -> Job:
    """A job as it was kept."""
    fields = json.loads(facts)
    failure = fields.pop("failure")
    return Job(**fields, failure=Failure(**failure) if failure else None)
