"""The surface of before 2023: /v1/fine-tunes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.tuning_server import fine_tuning, objects
from tests.tuning_server.jobs import Job
from tests.tuning_server.values import Answered, Call, Refused

if TYPE_CHECKING:
    from tests.tuning_server.service import Service

FIELDS = {
    *("training_file", "validation_file", "model", "n_epochs", "batch_size"),
    *("learning_rate_multiplier", "prompt_loss_weight", "compute_classification_metrics"),
    *("classification_n_classes", "classification_positive_class", "classification_betas"),
    "suffix",
}


def create(server: Service, call: Call) -> Answered:
    """Make a job."""
    body = fine_tuning.body_of(call)
    if unknown := body.keys() - FIELDS:
        server.violations.append(f"fine-tunes: unknown {sorted(unknown)}")
        raise Refused(400, f"Additional properties are not allowed ({sorted(unknown)})")
    server.count_job()
    fine_tuning.tunable(server, body)
    fine_tuning.trained_from(server, body)
    job = server.add(body, legacy=True)
    job.tell(f"Created fine-tune: {job.id}")
    return Answered(objects.legacy(job))


def listed(server: Service, call: Call) -> Answered:
    """All jobs, oldest first and without their events."""
    del call
    jobs = [objects.legacy(job, with_events=False) for job in server.jobs.values() if job.legacy]
    return Answered({"object": "list", "data": jobs})


def retrieve(server: Service, call: Call) -> Answered:
    """One job, with its events."""
    return Answered(objects.legacy(found(server, call.id), with_events=server.inline_events))


def cancel(server: Service, call: Call) -> Answered:
    """End a job."""
    job = found(server, call.id)
    if job.ended:
        raise Refused(400, f"Job {job.id} is already in state {job.status}")
    job.cancels()
    return Answered(objects.legacy(job))


def events(server: Service, call: Call) -> Answered:
    """What happened, oldest first."""
    job = found(server, call.id)
    return Answered({"object": "list", "data": job.events})


def found(server: Service, id_: str) -> Job:
    """The job of an id."""
    if id_ not in server.jobs or not server.jobs[id_].legacy:
        raise Refused(404, f"No fine-tune job: {id_}", param="id")
    return server.jobs[id_]
