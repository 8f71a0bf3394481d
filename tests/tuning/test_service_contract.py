"""What goes over the wire is what OpenAI's own description of its API says, both ways."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bot.training import Hyperparameters, JobStatus, NewJob
from bot.tuning.services.openai import OpenAiTuning
from bot.tuning.services.requests import job_body
from bot.tuning.services.values import checkpoint_of, job_of, model_of
from tests.shared import shared
from tests.tuning.test_graders import GRADERS
from tests.tuning_server import TuningServer
from tests.tuning_server.specification import ANSWERS, Specification, specification

JOBS = [
    NewJob("davinci-002", "file-1"),
    NewJob("davinci-002", "file-1", "file-2", suffix="s", seed=0, wandb="w", metadata={"k": "v"}),
    NewJob("m", "file-1", hyperparameters=Hyperparameters(1, 1, 0.01, 0.1)),
    NewJob("m", "file-1", method="dpo", hyperparameters=Hyperparameters(50, 256, 2.0, 2.0)),
    NewJob("m", "file-1", method="dpo"),
    *(NewJob("m", "file-1", method="reinforcement", grader=each) for each in GRADERS),
    NewJob("m", "file-1", "file-2", "reinforcement", Hyperparameters(2, 4, 0.5, 0.1),
           grader=GRADERS[0]),
]  # fmt: skip


@pytest.fixture
def described() -> Specification:
    shared("specs/openai.json")
    found = specification()
    assert found
    return found


def example(schema: str) -> dict[str, Any]:
    """The example of an object in the description."""
    text = shared("specs/openai.json")["components"]["schemas"][schema]["x-oaiMeta"]["example"]
    found: dict[str, Any] = json.loads(text)
    return found


@pytest.mark.parametrize("job", JOBS)
@pytest.mark.parametrize("by_method", [True, False])
def test_our_requests_are_valid(described: Specification, job: NewJob, by_method: bool) -> None:
    body = job_body(job, by_method=by_method or job.method != "supervised")
    assert described.problem("CreateFineTuningJobRequest", body) == ""
    assert not described.unknown("CreateFineTuningJobRequest", body)
    assert not {"method", "hyperparameters"} <= body.keys()
    assert None not in body.values()


@pytest.mark.usefixtures("described")
async def test_every_call_and_its_answer_are_valid(
    service: OpenAiTuning, tuning: TuningServer, data: Path
) -> None:
    file = await service.upload(data, data.name)
    made = [await service.create(NewJob("gpt-4o-mini", file.id)) for _ in range(2)]
    job = tuning.jobs[made[0].id]
    job.runs()
    await service.pause(job.id)
    await service.resume(job.id)
    job.step(1, 1, 0.5, 0.6)
    job.checkpoint(1)
    job.succeeds()
    await service.job(job.id)
    await service.jobs(metadata={"k": "v"})
    await service.events(job.id)
    await service.checkpoints(job.id)
    await service.cancel(made[1].id)
    await service.file(file.id)
    await service.files()
    await service.models()
    await service.delete_model(job.model_name())
    await service.delete_file(file.id)
    assert set(tuning.counts) == ANSWERS.keys() - {"error", "GET models/{id}"}
    assert tuning.violations == []


def test_the_descriptions_own_examples_are_read() -> None:
    job = job_of(example("FineTuningJob"))
    assert job.status is JobStatus.SUCCEEDED
    assert job.id.startswith("ftjob-")
    assert job.model
    assert job.fine_tuned_model
    assert job.trained_tokens
    assert job.hyperparameters.epochs
    assert not job.failure
    checkpoint = checkpoint_of(example("FineTuningJobCheckpoint"))
    assert checkpoint.step == checkpoint.metrics["step"]
    assert checkpoint.model
    assert model_of(example("Model")).shutdown == "2026-10-23"
