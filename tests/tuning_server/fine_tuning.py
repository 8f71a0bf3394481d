"""OpenAI's surface of jobs, and Azure's way with it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.tuning_server import objects
from tests.tuning_server.jobs import Job
from tests.tuning_server.values import Answered, Call, Json, Refused

if TYPE_CHECKING:
    from tests.tuning_server.service import Service

FILTER = re.compile(r"metadata\[(.+)\]")


def create(server: Service, call: Call) -> Answered:
    """Make a job."""
    body = body_of(call)
    if server.azure and "trainingType" not in body:
        raise Refused(400, "trainingType is required.", "invalidPayload", param="trainingType")
    if not server.knows_method and "method" in body:
        raise Refused(400, "Unrecognized request argument supplied: method", param="method")
    if not server.eligible:
        raise Refused(
            403,
            "Your organization does not have permission to create fine-tuning jobs.",
            "permission_denied",
        )
    server.count_job()
    tunable(server, body)
    trained_from(server, body)
    job = server.add(body)
    job.tell(f"Created fine-tuning job: {job.id}")
    job.tell(f"Validating training file: {body['training_file']}")
    return Answered(objects.modern(job), 201 if server.azure else 200)


def body_of(call: Call) -> Json:
    """The JSON of a call. Raises Refused for what has no model or no file, or holds a null."""
    if not isinstance(call.body, dict):
        raise Refused(400, "We could not parse the JSON body of your request.")
    for field in ("model", "training_file"):
        if not call.body.get(field):
            raise Refused(400, f"'{field}' is a required property", param=field)
    for field, value in call.body.items():
        if value is None:
            raise Refused(400, f"None is not of type 'string' - '{field}'", param=field)
    return dict(call.body)


def tunable(server: Service, body: Json) -> None:
    """Raise Refused for a model that cannot be trained; a tuned one can."""
    model = body["model"]
    if model not in server.trainable and model not in server.tuned:
        others = ", ".join(server.trainable)
        raise Refused(
            400,
            f"Model {model} is not available for fine-tuning or does not exist."
            f" Models available for fine-tuning: {others}.",
            "model_not_available",
            param="model",
        )


def trained_from(server: Service, body: Json) -> None:
    """Raise Refused for files that are not there or not read yet."""
    for field in ("training_file", "validation_file"):
        id_ = body.get(field)
        if id_ is None:
            continue
        if id_ not in server.files:
            raise Refused(400, f"invalid {field}: {id_}", "invalid_file", param=field)
        file = server.files[id_]
        if file.status == "error":
            raise Refused(400, f"The file {id_} is invalid: {file.reason}", param=field)
        if file.status != "processed":
            raise Refused(400, f"File '{id_}' is not ready.", "file_not_ready", param=field)


def listed(server: Service, call: Call) -> Answered:
    """Jobs, newest first."""
    wanted = {found[1]: value for key, value in call.query.items() if (found := FILTER.match(key))}
    jobs = [job for job in reversed(server.jobs.values()) if not job.legacy]
    if wanted and server.filters_metadata:
        kept = server.keeps_metadata
        jobs = [
            job
            for job in jobs
            if kept and wanted.items() <= (job.asked.get("metadata") or {}).items()
        ]
    return Answered(server.page([objects.modern(job) for job in jobs], call, 20))


def retrieve(server: Service, call: Call) -> Answered:
    """One job."""
    return Answered(objects.modern(found(server, call.id)))


def cancel(server: Service, call: Call) -> Answered:
    """End a job."""
    job = found(server, call.id)
    if job.ended:
        raise Refused(400, f"Job has already completed: {job.status}", "job_already_completed")
    job.cancels()
    return Answered(objects.modern(job))


def pause(server: Service, call: Call) -> Answered:
    """Let a job rest."""
    job = found(server, call.id)
    if not server.pauses or job.status != "running":
        raise Refused(400, f"Cannot pause a job that is {job.status}.", "invalid_job_state")
    job.pauses()
    return Answered(objects.modern(job))


def resume(server: Service, call: Call) -> Answered:
    """Let a job go on."""
    job = found(server, call.id)
    if job.status != "paused":
        raise Refused(400, f"Cannot resume a job that is {job.status}.", "invalid_job_state")
    job.resumes()
    return Answered(objects.modern(job))


def events(server: Service, call: Call) -> Answered:
    """What happened, newest first."""
    return Answered(server.page(found(server, call.id).events[::-1], call, 20))


def checkpoints(server: Service, call: Call) -> Answered:
    """Models made on the way, newest first."""
    page = server.page(found(server, call.id).checkpoints[::-1], call, 10)
    ids = [each["id"] for each in page["data"]] or [None]
    return Answered(page | {"first_id": ids[0], "last_id": ids[-1]})


def found(server: Service, id_: str) -> Job:
    """The job of an id."""
    if id_ not in server.jobs or server.jobs[id_].legacy:
        raise Refused(404, f"Could not find fine tune: {id_}", "fine_tune_not_found")
    return server.jobs[id_]
