"""The whole story with the real llama.cpp and the real training."""

from __future__ import annotations

import asyncio
import csv
import io
import os
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import openai
import pytest
import pytest_asyncio
from openai.types.fine_tuning import FineTuningJobEvent

from bot.local import LocalServer
from bot.local.training.process import NICE, SESSION_NICE
from bot.messages import Provider
from tests.local.api import Api, client_of
from tests.local.conftest import real_model
from tests.local.story import HASTY, QUESTIONS, ask, rows
from tests.test_contract import valid

pytestmark = [
    pytest.mark.local_model,
    pytest.mark.xdist_group("local_model"),
    pytest.mark.timeout(400),
]

EPOCHS = 12
LOOK = 0.1  # seconds between two looks at the events


@pytest_asyncio.fixture
async def real(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Api]:
    """A server on the real model; its jobs are in a folder of their own."""
    model = await real_model()
    provider = Provider("local", kind="local", model_file=str(model))
    server = LocalServer(provider, tmp_path_factory.mktemp("data"))
    try:
        await server.start()
        async with client_of(server) as api:
            yield api
    finally:
        await server.stop()


def said_by_trainer(api: Api, monkeypatch: pytest.MonkeyPatch) -> asyncio.Queue[Mapping[str, Any]]:
    """What the training says from now on, each when it has been written down."""
    assert api.server._queue is not None
    telling, loop = api.server._queue._telling, asyncio.get_running_loop()
    events: asyncio.Queue[Mapping[str, Any]] = asyncio.Queue()
    hear = telling.hear

    def hears(job: str, event: Mapping[str, Any]) -> bool:
        goes_on = hear(job, event)
        loop.call_soon_threadsafe(events.put_nowait, event)
        return goes_on

    monkeypatch.setattr(telling, "hear", hears)
    return events


async def said(events: asyncio.Queue[Mapping[str, Any]], type_: str) -> None:
    """Return when the training has said something of a type."""
    while (await events.get())["type"] != type_:
        pass


async def follow(api: Api, job: str, heard: list[FineTuningJobEvent]) -> None:
    """Hear every event of a job once, oldest first, over small pages, until it has succeeded."""
    while not heard or heard[-1].message != "The job has successfully completed":
        fresh: list[FineTuningJobEvent] = []
        async for event in api.sdk.fine_tuning.jobs.list_events(job, limit=2):
            if heard and event.id == heard[-1].id:
                break
            fresh.append(event)
        heard += reversed(fresh)
        await asyncio.sleep(LOOK)


async def test_openais_client_has_a_model_trained_while_it_answers(
    real: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    sdk, model = real.sdk, real.server.model
    before = {question: await ask(real, model, question) for question in QUESTIONS}
    content = rows(QUESTIONS.items())
    file = await sdk.files.create(file=("faq.jsonl", content), purpose="fine-tune")
    assert (await sdk.files.content(file.id)).content == content
    validation = await real.upload(content.splitlines(keepends=True)[0])
    steps = said_by_trainer(real, monkeypatch)
    chosen: Any = {**HASTY, "n_epochs": EPOCHS}
    job = await sdk.fine_tuning.jobs.create(
        model=model,
        training_file=file.id,
        validation_file=validation,
        hyperparameters=chosen,
        seed=1,
        suffix="faq",
    )
    heard: list[FineTuningJobEvent] = []
    async with asyncio.timeout(300), asyncio.TaskGroup() as tasks:
        tasks.create_task(follow(real, job.id, heard))
        await said(steps, "metrics")
        queue = real.server._queue
        assert queue is not None
        assert queue.trainer is not None
        assert os.getpriority(os.PRIO_PROCESS, queue.trainer.pid) >= NICE
        session = Path(f"/proc/{queue.trainer.pid}/autogroup")
        assert not session.exists() or f" nice {SESSION_NICE}\n" in session.read_text()
        assert await ask(real, model, "Hi") != ""
        await said(steps, "checkpoint")
        await said(steps, "metrics")
        paused: Any = await sdk.fine_tuning.jobs.pause(job.id)
        assert paused.status == "paused"  # which is not among those that the client knows
        assert (await sdk.fine_tuning.jobs.resume(job.id)).status == "queued"
    now = await sdk.fine_tuning.jobs.retrieve(job.id)
    assert now.status == "succeeded", now.error
    assert now.trained_tokens
    told = [event.message for event in heard]
    assert told == await real.told(job.id)
    assert len(told) == len(set(told))
    assert [each for each in heard if each.type == "metrics"] == [
        each for each in heard if each.message.startswith("Step ")
    ]
    measured = [each.data for each in heard if each.type == "metrics"]
    assert [data["step"] for data in measured] == list(range(1, EPOCHS + 1))  # type: ignore[index]
    assert {"The job has been paused", "The job has been resumed"} < set(told)
    (results,) = now.result_files
    table = list(csv.DictReader(io.StringIO((await sdk.files.content(results)).text)))
    assert [int(line["step"]) for line in table] == list(range(1, EPOCHS + 1))
    for column in ("train_loss", "valid_loss"):
        assert float(table[-1][column]) < 0.1 < float(table[0][column])
    # The same prompts by turns on the same slots: what one model cached is not the other's.
    tuned = now.fine_tuned_model or ""
    asked = [(name, question) for question in QUESTIONS for name in (tuned, model)] * 2
    answers = await asyncio.gather(*(ask(real, *each) for each in asked))
    for (name, question), answer in zip(asked, answers, strict=True):
        assert answer == (QUESTIONS[question] if name == tuned else before[question])
    checkpoints = sdk.fine_tuning.jobs.checkpoints
    points = (first := await checkpoints.list(job.id, limit=2)).data
    assert first.has_more
    points += (await checkpoints.list(job.id, limit=2, after=points[-1].id)).data
    assert [each.step_number for each in points] == [EPOCHS, EPOCHS - 1, EPOCHS - 2]
    (question, answer), *_ = QUESTIONS.items()
    assert await ask(real, points[0].fine_tuned_model_checkpoint, question) == answer
    assert (await sdk.models.delete(tuned)).deleted
    assert (await sdk.files.delete(file.id)).deleted
    for gone in (ask(real, tuned, question), sdk.files.retrieve(file.id)):
        with pytest.raises(openai.NotFoundError):
            await gone
    assert await ask(real, model, question) == before[question]


async def test_stream_and_completions_of_the_real_model_are_as_described(real: Api) -> None:
    model = real.server.model
    whole = await real.sdk.completions.create(
        model=model, prompt="The capital of France is", stop=["."], temperature=0, logprobs=1
    )
    assert whole.choices[0].text == " Paris"
    assert whole.id.startswith("cmpl-")
    valid("CreateCompletionResponse", whole.model_dump(exclude_unset=True))
    two = await real.sdk.completions.create(
        model=model, prompt=["The capital of France is", "One, two,"], temperature=0, max_tokens=2
    )
    assert [choice.index for choice in two.choices] == [0, 1]
    assert two.choices[0].text == " Paris."
    assert two.usage is not None
    assert two.usage.completion_tokens == 4
    stream = await real.sdk.chat.completions.create(
        model=model,
        messages=[{"role": "user", "content": "Hi"}],
        max_tokens=4,
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = [chunk async for chunk in stream]
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == 4
    assert {chunk.model for chunk in chunks} == {model}
