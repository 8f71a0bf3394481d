"""What a trainer says, as it changes its job. Each event is one transaction.

A training that goes on after a death says everything again, as its last words may not have been
heard: each event has a key here, under which it is told once.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from bot.local.jobs.database import Database
from bot.local.jobs.folder import Folder
from bot.local.jobs.making import tell_places
from bot.local.jobs.tables import Tables
from bot.local.jobs.values import Event, Failure, Job, StoredFile, TunedModel

COMING = 60  # seconds in which another process takes a job that is its own
KEPT = 3  # checkpoints: the trainer deletes the adapters of those before
CHOSEN = "n_epochs", "batch_size", "learning_rate_multiplier", "beta"
METRICS = "step", "loss", "accuracy"  # how the keys of a checkpoint's metrics end
IS_ABOUT_DATA = {"invalid_file"}

Said = Mapping[str, Any]


class Telling:
    """Writes down what trainers say."""

    def __init__(self, database: Database, folder: Folder, now: Callable[[], float]) -> None:
        self._database = database
        self._folder = folder
        self._now = now
        self._resumed = ""  # the job that does steps which were told before its interruption

    def begin(self, id_: str) -> Job | None:
        """A job begins, or goes on; None where that is not wanted any more."""
        self._resumed = ""
        with self._database.transaction() as tables:
            job = tables.job(id_)
            if job is None or job.status not in {"queued", "running"}:
                return None
            if job.status == "queued":
                job = replace(job, status="running")
                tables.put_job(job)
                tables.tell(id_, Event("Fine-tuning job started", key="started"), self._now())
            elif job.estimated_finish:  # as it was before an interruption of any length
                job = replace(job, estimated_finish=0)
                tables.put_job(job)
            return job

    def hear(self, id_: str, said: Said) -> bool:
        """Write down an event; whether the job still goes on."""
        with self._database.transaction() as tables:
            job = tables.job(id_)
            if job is None or job.status != "running":
                return False
            match said["type"]:
                case "hyperparameters":
                    chosen = {key: said[key] for key in CHOSEN if key in said}
                    tables.put_job(replace(job, hyperparameters=chosen))
                    self._tell(tables, job, said, key="hyperparameters")
                case "metrics":
                    self._step(tables, job, said)
                case "checkpoint":
                    self._checkpoint(tables, job, said)
                case "done":
                    self._succeed(tables, job, said)
                    return False
                case "error":
                    self._fail(tables, job, failure_of(said))
                    return False
                case "resumed":
                    self._resumed = id_
                    self._tell(tables, job, said)
                case "anew":
                    tables.void_course(job.id)
                    self._tell(tables, job, said)
                case _:
                    self._tell(tables, job, said, key=f"message {said['message']}")
            return True

    def leave(self, job: Job) -> None:
        """A job waits for another process than this one: say so, unless that may just come."""
        if self._now() < job.created_at + COMING:
            return
        message = (
            f"Waiting for a tunebot that is configured to train {job.base}: start one, or cancel "
            f"the job"
        )
        with self._database.transaction() as tables:
            tables.tell(job.id, Event(message, "warn", key="elsewhere"), self._now())

    def interrupt(self, id_: str, step: int) -> None:
        """A job's trainer was killed, when it had done so many steps, and another goes on."""
        after = f" after step {step}" if step else ""
        message = f"The training was killed{after}: it goes on from its last saved state"
        with self._database.transaction() as tables:
            job = tables.job(id_)
            if job is not None and job.status == "running":
                tables.tell(id_, Event(message, "warn"), self._now())

    def fail(self, id_: str, failure: Failure) -> None:
        """A job ends without a model, unless it has ended."""
        with self._database.transaction() as tables:
            job = tables.job(id_)
            if job is not None and job.status == "running":
                self._fail(tables, job, failure)

    def _step(self, tables: Tables, job: Job, said: Said) -> None:
        data = {key: said[key] for key in said if key not in {"type", "level", "message", "eta"}}
        event = Event(said["message"], said["level"], "metrics", data, key=f"step {said['step']}")
        # What a training says again before it goes on comes at once, and is not worth a writing.
        if tables.tell(job.id, event, self._now()) or self._resumed == job.id:
            tables.put_job(replace(job, estimated_finish=int(self._now() + said["eta"])))

    def _checkpoint(self, tables: Tables, job: Job, said: Said) -> None:
        step = said["step"]
        data = {"step": step, "total_steps": said["total_steps"]}
        if not self._tell(tables, job, said, key=f"checkpoint {step}", data=data):
            return  # its model may have been deleted since
        measured = {key: each for key, each in said["metrics"].items() if key.endswith(METRICS)}
        tables.put_model(
            TunedModel(
                f"{model_name(job)}:ckpt-step-{step}",
                job.id,
                job.model,
                said["adapter"],
                int(self._now()),
                step,
                f"ftckpt-{id_of(job)}-{step}",
                {key: measured[key] for key in measured if key != "total_steps"},
            )
        )
        for old in tables.checkpoints(job.id)[KEPT:]:
            tables.delete_model(old.name)

    def _succeed(self, tables: Tables, job: Job, said: Said) -> None:
        now, name = int(self._now()), model_name(job)
        results = StoredFile(
            f"file-{id_of(job)}-results",  # the same if this is done again after a death
            "step_metrics.csv",
            "fine-tune-results",
            Path(said["results"]).stat().st_size,
            now,
        )
        shutil.copyfile(said["results"], self._folder.file(results.id))
        tables.put_file(results)
        # The last checkpoint's adapter is this model's too, and goes when neither needs it.
        tables.put_model(TunedModel(name, job.id, job.model, said["adapter"], now))
        ended = replace(
            job,
            status="succeeded",
            fine_tuned_model=name,
            finished_at=now,
            estimated_finish=0,
            result_file=results.id,
            trained_tokens=said["trained_tokens"],
        )
        tables.put_job(ended)
        created = Event(f"New fine-tuned model created: {name}", key="model")
        tables.tell(job.id, created, now)
        self._tell(tables, job, said, key="done")
        tell_places(tables, now)

    def _fail(self, tables: Tables, job: Job, failure: Failure) -> None:
        now = int(self._now())
        tables.put_job(
            replace(job, status="failed", failure=failure, finished_at=now, estimated_finish=0)
        )
        data = {"code": failure.code, "line": failure.line}
        tables.tell(job.id, Event(failure.message, "error", data=data, key="failed"), now)
        tell_places(tables, now)

    def _tell(
        self,
        tables: Tables,
        job: Job,
        said: Said,
        key: str | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> bool:
        """Whether it was not told before."""
        event = Event(said["message"], said["level"], data=data or {}, key=key)
        return tables.tell(job.id, event, self._now())


def failure_of(said: Said) -> Failure:
    """Why a trainer gave up, in its words."""
    param = "training_file" if said["code"] in IS_ABOUT_DATA else None
    return Failure(said["code"], said["message"], said["line"], param)


def id_of(job: Job) -> str:
    """What is a job's own in its id."""
    return job.id.rpartition("-")[2]


def model_name(job: Job) -> str:
    """The name of the model that a job makes: no part of it may hold a colon or a slash."""
    suffix = re.sub(r"[^a-z0-9_-]+", "-", job.suffix.lower()).strip("-")
    return f"ft:{job.model}:local:{suffix}:{id_of(job)[:8]}"
