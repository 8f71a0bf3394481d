"""Azure's addresses, its key, and its words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bot.errors import ModelRefused
from bot.messages import Profile, Provider
from bot.models.client import HttpModelClient
from bot.training import Hyperparameters, JobStatus, NewJob
from bot.tuning.graders import grader_of
from tests.clock import HeldClock
from tests.tuning.conftest import CHAT, Services
from tests.tuning_server import TuningServer

MODEL = "gpt-4o-mini"


def wanted(azure: TuningServer) -> NewJob:
    """A job that can be made."""
    file = azure.keep("support.jsonl", CHAT).id
    return NewJob(MODEL, file, hyperparameters=Hyperparameters(2), suffix="support")


@pytest.mark.parametrize("base", ["", "/", "/openai/v1"])
async def test_todays_address_has_a_version_in_its_path(
    azure: TuningServer, service_of: Services, base: str
) -> None:
    service = service_of(azure, "azure", base_url=f"{azure.root}{base}")
    job = await service.create(wanted(azure))
    assert (await service.events(job.id)).items
    assert {call.path.partition("/fine")[0] for call in azure.calls} == {"/openai/v1"}
    assert {call.headers["api-key"] for call in azure.calls} == {azure.key}
    assert not any("authorization" in call.headers for call in azure.calls)


@pytest.mark.parametrize("base", ["", "/openai/v1", "/openai"])
async def test_an_older_address_has_its_version_in_the_query(
    azure: TuningServer, service_of: Services, base: str, tmp_path: Path
) -> None:
    service = service_of(azure, "azure", base_url=f"{azure.root}{base}", api_version="2024-10-21")
    data = tmp_path / "support.jsonl"
    data.write_bytes(CHAT)
    file = await service.upload(data, data.name)
    job = await service.create(NewJob(MODEL, file.id, metadata={"k": "v"}))
    await service.events(job.id, azure.jobs[job.id].events[0]["id"])
    await service.jobs(metadata={"k": "v"})
    await service.content(file.id)
    assert {call.path.split("/")[1] for call in azure.calls} == {"openai"}
    assert {call.path.split("/")[2] for call in azure.calls} == {"files", "fine_tuning"}
    assert {call.query["api-version"] for call in azure.calls} == {"2024-10-21"}
    assert azure.calls[-2].query["metadata[k]"] == "v"


async def test_a_job_says_how_it_is_trained_and_is_created(
    azure: TuningServer, service_of: Services
) -> None:
    service = service_of(azure, "azure")
    await service.create(wanted(azure))
    (call,) = azure.called("POST fine_tuning/jobs")
    assert call.body["trainingType"] == "Standard"
    assert call.status == 201
    anywhere = service_of(azure, "azure", training_type="GlobalStandard")
    await anywhere.create(wanted(azure))
    assert azure.called("POST fine_tuning/jobs")[-1].body["trainingType"] == "GlobalStandard"


async def test_a_grader_goes_along(azure: TuningServer, service_of: Services) -> None:
    grader = grader_of("contains:answer")
    job = replace(wanted(azure), method="reinforcement", grader=grader)
    assert (await service_of(azure, "azure").create(job)).method == "reinforcement"
    assert azure.job.asked["method"]["reinforcement"]["grader"] == grader


async def test_azures_words_for_a_status_are_known(
    azure: TuningServer, service_of: Services
) -> None:
    service = service_of(azure, "azure")
    made = await service.create(wanted(azure))
    job = azure.jobs[made.id]
    seen = [(made.said, made.status)]
    for happens in (job.queues, job.runs, job.cancels):
        happens()
        read = await service.job(made.id)
        seen.append((read.said, read.status))
    assert seen == [
        ("pending", JobStatus.QUEUED),
        ("notRunning", JobStatus.QUEUED),
        ("running", JobStatus.RUNNING),
        ("canceled", JobStatus.CANCELLED),
    ]


async def test_a_file_that_is_pending_is_not_ready(
    azure: TuningServer, service_of: Services, tmp_path: Path
) -> None:
    azure.reading = None
    data = tmp_path / "support.jsonl"
    data.write_bytes(CHAT)
    service = service_of(azure, "azure")
    file = await service.upload(data, data.name)
    assert not file.processed
    assert not file.failure
    azure.files[file.id].read()
    assert (await service.file(file.id)).processed


async def test_a_model_has_azures_name(azure: TuningServer, service_of: Services) -> None:
    service = service_of(azure, "azure")
    made = await service.create(wanted(azure))
    azure.jobs[made.id].succeeds()
    assert (await service.job(made.id)).fine_tuned_model == f"{MODEL}.ft-{made.id[-8:]}"


@pytest.mark.parametrize("version", ["", "2024-10-21"])
async def test_a_model_answers_once_it_is_deployed(
    azure: TuningServer, service_of: Services, version: str
) -> None:
    made = await service_of(azure, "azure").create(wanted(azure))
    job = azure.jobs[made.id]
    job.succeeds()
    provider = Provider(
        "azure", "azure", azure.root, api_version=version, api_key_env="KEY", retry_deadline=1
    )
    client = HttpModelClient({"azure": provider}, {"azure": azure.key}, HeldClock())
    profile = Profile("support", "azure", job.model_name())
    body = {"model": profile.model, "messages": [{"role": "user", "content": "Q3"}]}
    with pytest.raises(ModelRefused, match="has no model"):
        await anext(client.stream(profile, body))
    azure.deploy(job.model_name())
    assert "".join([chunk.text async for chunk in client.stream(profile, body)]) == "A3"
    await client.aclose()
