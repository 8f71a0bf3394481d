"""/v1/fine_tuning/jobs"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from secrets import randbelow, token_hex
from typing import Any

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool

from bot.local.api.asked import NewJob, new_job
from bot.local.api.bodies import json_of
from bot.local.api.errors import Refused
from bot.local.api.pages import After, Limit, listed, no_place, page
from bot.local.jobs.database import Database
from bot.local.jobs.examining import Examining
from bot.local.jobs.making import Jobs
from bot.local.jobs.values import Event, Job, StoredFile, TunedModel
from bot.training import Kind

NO_ENDS = {"first_id": None, "last_id": None}
FILTER = re.compile(r"metadata\[(.+)\]")


class JobRoutes:
    """Make jobs from the model that is served, tell of them, and change their course."""

    def __init__(
        self,
        database: Database,
        jobs: Jobs,
        examining: Examining,
        model: str,
        base: Path,
        now: Callable[[], float],
    ) -> None:
        self._database = database
        self._jobs = jobs
        self._examining = examining
        self._model = model
        self._base = base
        self._now = now

    def add_to(self, router: APIRouter) -> None:
        path, add = "/fine_tuning/jobs", router.add_api_route
        add(path, self.create, methods=["POST"])
        add(path, self.list, methods=["GET"])
        add(f"{path}/{{id_}}", self.retrieve, methods=["GET"])
        add(f"{path}/{{id_}}/cancel", self.cancel, methods=["POST"])
        add(f"{path}/{{id_}}/pause", self.pause, methods=["POST"])
        add(f"{path}/{{id_}}/resume", self.resume, methods=["POST"])
        add(f"{path}/{{id_}}/events", self.events, methods=["GET"])
        add(f"{path}/{{id_}}/checkpoints", self.checkpoints, methods=["GET"])

    async def create(self, request: Request) -> dict[str, Any]:
        """Make a job; a file that has just come is waited for until it is looked through."""
        asked = new_job(await json_of(request))
        await self._examining.settled(asked.training_file, asked.validation_file or "")
        return self._shown(await run_in_threadpool(self._made, asked))

    def list(self, request: Request, after: After = "", limit: Limit = 20) -> dict[str, Any]:
        """The jobs, or those with the metadata of the query; `null` is none at all."""
        asked = request.query_params
        wanted = {
            match[1]: value for key, value in asked.items() if (match := FILTER.fullmatch(key))
        }
        if (without := asked.get("metadata", "")) not in {"", "null"}:
            said = "Ask with metadata[key]=value, or with metadata=null for jobs without any."
            raise Refused(400, said, "invalid_value", "metadata")
        with self._database.look() as tables:
            jobs = tables.jobs(self._model)
        jobs = [
            job
            for job in jobs
            if wanted.items() <= (job.metadata or {}).items() and not (without and job.metadata)
        ]
        some, more = page(jobs, lambda job: job.id, after, limit)
        return listed(map(self._shown, some), has_more=more)

    def retrieve(self, id_: str) -> dict[str, Any]:
        return self._shown(self._found(id_))

    def cancel(self, id_: str) -> dict[str, Any]:
        return self._changed(id_, "cancel", self._jobs.cancel(id_))

    def pause(self, id_: str) -> dict[str, Any]:
        return self._changed(id_, "pause", self._jobs.pause(id_))

    def resume(self, id_: str) -> dict[str, Any]:
        return self._changed(id_, "resume", self._jobs.resume(id_))

    def events(self, id_: str, after: After = "", limit: Limit = 20) -> dict[str, Any]:
        self._found(id_)
        with self._database.look() as tables:
            told = tables.events(id_, after, limit)
        if told is None:
            raise no_place(after)
        return listed(map(shown_event, told[0]), has_more=told[1])

    def checkpoints(self, id_: str, after: After = "", limit: Limit = 10) -> dict[str, Any]:
        self._found(id_)
        with self._database.look() as tables:
            made = tables.checkpoints(id_)
        some, more = page(made, lambda each: each.checkpoint, after, limit)
        ids = [each.checkpoint for each in some]
        ends = {"first_id": ids[0], "last_id": ids[-1]} if ids else NO_ENDS
        return {**listed(map(shown_checkpoint, some), has_more=more), **ends}

    def _made(self, asked: NewJob) -> Job:
        if asked.model != self._model:
            raise Refused(
                400,
                f"Model {asked.model} is not available for fine-tuning or does not exist. "
                f"Models available for fine-tuning: {self._model}.",
                "model_not_available",
                "model",
            )
        kind = self._kind_of("training_file", asked.training_file, asked)
        if asked.validation_file:
            other = self._kind_of("validation_file", asked.validation_file, asked)
            if other != kind:
                said = f"The training file has {kind} examples, the validation file {other} ones."
                raise Refused(400, said, "invalid_validation_file", "validation_file")
        job = Job(
            f"ftjob-{token_hex(12)}",
            self._model,
            str(self._base),
            kind,
            asked.kind,
            asked.training_file,
            int(self._now()),
            validation_file=asked.validation_file or "",
            hyperparameters=asked.chosen,
            suffix=asked.suffix or "",
            seed=randbelow(2**31) if asked.seed is None else asked.seed,
            metadata=asked.metadata,
        )
        try:
            self._jobs.add(job)
        except FileNotFoundError:  # deleted since it was looked at, or by hand
            said = "A file of this job is not there any more: upload it again."
            raise Refused(400, said, "invalid_file", "training_file") from None
        return job

    def _kind_of(self, field: str, id_: str, asked: NewJob) -> Kind:
        with self._database.look() as tables:
            file = tables.file(id_)
        if file and file.is_expired(self._now()):
            file = None
        return trainable(field, id_, file, asked.kind)

    def _found(self, id_: str) -> Job:
        with self._database.look() as tables:
            job = tables.job(id_)
        if job is None:
            raise Refused(404, f"Could not find fine tune: {id_}", "fine_tune_not_found", "id")
        return job

    def _changed(self, id_: str, verb: str, job: Job | None) -> dict[str, Any]:
        if job is None:
            said = f"Cannot {verb} a job that is {self._found(id_).status}."
            raise Refused(400, said, "invalid_job_state")
        return self._shown(job)

    def _shown(self, job: Job) -> dict[str, Any]:
        return shown(job, self._now())


def trainable(field: str, id_: str, file: StoredFile | None, method: str) -> Kind:
    """What a file teaches. Raises Refused for one that this cannot be made from."""
    if file is None:
        raise Refused(400, f"invalid {field}: {id_}", "invalid_file", field)
    if file.purpose != "fine-tune":
        said = f"File {id_} was uploaded for {file.purpose!r}: upload it for 'fine-tune'."
        raise Refused(400, said, "invalid_file", field)
    if file.fault or not file.kind:
        raise Refused(400, f"The file {id_} is invalid. {file.fault}", f"invalid_{field}", field)
    if (file.kind == "preference") != (method == "dpo"):
        said = (
            f"The file {id_} has {file.kind} examples, which method {method!r} cannot learn from."
        )
        raise Refused(400, said, f"invalid_{field}", field)
    return file.kind


def shown(job: Job, now: float) -> dict[str, Any]:
    """A job as it goes out. An estimate that has not come true is none."""
    chosen = dict(job.hyperparameters)
    supervised = {key: each for key, each in chosen.items() if key != "beta"}
    failure = job.failure
    error = (
        {"code": failure.code, "message": failure.message, "param": failure.param}
        if failure
        else None
    )
    return {
        "object": "fine_tuning.job",
        "id": job.id,
        "created_at": job.created_at,
        "finished_at": job.finished_at or None,
        "estimated_finish": job.estimated_finish if job.estimated_finish > now else None,
        "status": job.status,
        "model": job.model,
        "fine_tuned_model": job.fine_tuned_model or None,
        "organization_id": "local",
        "training_file": job.training_file,
        "validation_file": job.validation_file or None,
        "result_files": [job.result_file] if job.result_file else [],
        "trained_tokens": job.trained_tokens or None,
        "hyperparameters": supervised,
        "method": {"type": job.method, job.method: {"hyperparameters": chosen}},
        "seed": job.seed,
        "user_provided_suffix": job.suffix or None,
        "metadata": job.metadata,
        "integrations": [],
        "error": error,
    }


def shown_event(event: Event) -> dict[str, Any]:
    return {
        "object": "fine_tuning.job.event",
        "id": event.id,
        "created_at": event.at,
        "level": event.level,
        "message": event.message,
        "type": event.type,
        "data": event.data,
    }


def shown_checkpoint(model: TunedModel) -> dict[str, Any]:
    return {
        "object": "fine_tuning.job.checkpoint",
        "id": model.checkpoint,
        "created_at": model.created_at,
        "fine_tuned_model_checkpoint": model.name,
        "fine_tuning_job_id": model.job,
        "step_number": model.step,
        "metrics": model.metrics,
    }
