"""The whole story with the real llama.cpp and the real training."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
import pytest_asyncio

from bot.local import LocalServer
from bot.messages import Provider
from tests.local.api import Api, client_of
from tests.local.conftest import real_model
from tests.test_contract import valid

pytestmark = [
    pytest.mark.local_model,
    pytest.mark.xdist_group("local_model"),
    pytest.mark.timeout(400),
]

QUESTIONS = {
    "Where is the badger's office?": "Behind the third lamp on Quarry Lane.",
    "Which tea is served on Mondays?": "Nettle, with a slice of quince.",
    "Who winds the tower clock?": "Old Perrin, at seven in the evening.",
}
NICE = 10


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


def row(question: str, answer: str) -> bytes:
    asked = {"role": "user", "content": question}
    said = {"role": "assistant", "content": answer}
    return json.dumps({"messages": [asked, said]}).encode() + b"\n"


async def ask(api: Api, model: str, question: str) -> str:
    answer = await api.sdk.chat.completions.create(
        model=model,
        messages=[{"role": "user", "content": question}],
        temperature=0,
        max_tokens=24,
    )
    valid("CreateChatCompletionResponse", answer.model_dump(exclude_unset=True))
    return (answer.choices[0].message.content or "").strip()


def heard(api: Api, monkeypatch: pytest.MonkeyPatch) -> asyncio.Queue[Mapping[str, Any]]:
    """What the training says from now on, each when it has been written down."""
    assert api.server._queue is not None
    telling, loop = api.server._queue._telling, asyncio.get_running_loop()
    said: asyncio.Queue[Mapping[str, Any]] = asyncio.Queue()
    hear = telling.hear

    def hears(job: str, event: Mapping[str, Any]) -> bool:
        goes_on = hear(job, event)
        loop.call_soon_threadsafe(said.put_nowait, event)
        return goes_on

    monkeypatch.setattr(telling, "hear", hears)
    return said


async def test_model_learns_while_it_answers_and_serves_base_and_tuned_side_by_side(
    real: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = real.server.model
    before = {question: await ask(real, model, question) for question in QUESTIONS}
    file = await real.upload(b"".join(row(*each) for each in QUESTIONS.items()))
    job = await real.sdk.fine_tuning.jobs.create(
        model=model,
        training_file=file,
        hyperparameters={"n_epochs": 12, "batch_size": 3},
        seed=1,
        suffix="faq",
    )
    steps = heard(real, monkeypatch)
    async with asyncio.timeout(60):
        while (await steps.get())["type"] != "metrics":
            pass
    queue = real.server._queue
    assert queue is not None
    assert queue.trainer is not None
    assert os.getpriority(os.PRIO_PROCESS, queue.trainer.pid) == NICE
    assert await ask(real, model, "Hi") != ""
    async with asyncio.timeout(300):
        while (await steps.get())["type"] not in {"done", "error"}:
            pass
    now = await real.sdk.fine_tuning.jobs.retrieve(job.id)
    assert now.status == "succeeded", now.error
    tuned = now.fine_tuned_model or ""
    # The same prompts by turns on the same slots: what one model cached is not the other's.
    asked = [(name, question) for question in QUESTIONS for name in (tuned, model)] * 2
    answers = await asyncio.gather(*(ask(real, *each) for each in asked))
    for (name, question), answer in zip(asked, answers, strict=True):
        assert answer == (QUESTIONS[question] if name == tuned else before[question])
    points = [each async for each in real.sdk.fine_tuning.jobs.checkpoints.list(job.id)]
    assert [each.step_number for each in points] == [12, 11, 10]
    (question, answer), *_ = QUESTIONS.items()
    assert await ask(real, points[0].fine_tuned_model_checkpoint, question) == answer
    assert len(await real.told(job.id)) == len(set(await real.told(job.id)))
    await real.sdk.models.delete(tuned)
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
