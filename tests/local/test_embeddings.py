"""The life of the process that makes embeddings; llama.cpp is a stand-in."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from bot.local.child import Settings
from bot.local.embeddings import IDLE, MOST_TOKENS, Embeddings
from tests.clock import StoppedClock
from tests.local.api import PAUSE
from tests.local.scripted import PATIENCE, ScriptedLlama

SETTINGS = Settings("", "tiny", slots=2, slot_context=8192, threads=1, key="key")


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
async def embeddings(
    tmp_path: Path,
    llama: ScriptedLlama,  # noqa: ARG001 - its environment is that of the child
    clock: StoppedClock,
) -> AsyncIterator[Embeddings]:
    model = tmp_path / "tiny.gguf"
    model.write_bytes(b"GGUF")
    embeddings = Embeddings(replace(SETTINGS, model=str(model)), PATIENCE, clock)
    yield embeddings
    await embeddings.stop()


async def ask(embeddings: Embeddings) -> int:
    """The process that answers."""
    async with embeddings.using() as place, httpx.AsyncClient(trust_env=False) as client:
        answer = await client.post(
            f"{place.base_url}/embeddings",
            json={"input": "hi"},
            headers={"Authorization": f"Bearer {place.key}"},
            timeout=PATIENCE,
        )
        assert answer.status_code == 200
        (process,) = embeddings.pids
    return process


def is_there(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


async def ended(process: int) -> None:
    """Return when a process has."""
    async with asyncio.timeout(PATIENCE):
        while is_there(process):  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(PAUSE)


async def test_process_is_there_from_the_first_request_on(
    embeddings: Embeddings, llama: ScriptedLlama
) -> None:
    assert embeddings.pids == []
    first, second = await asyncio.gather(ask(embeddings), ask(embeddings))
    assert [first] == [second] == embeddings.pids
    for question in llama.questions:
        assert (question.asked["embeds"], question.asked["batch"]) == (True, MOST_TOKENS)


async def test_process_that_was_not_asked_for_ten_minutes_ends(
    embeddings: Embeddings, clock: StoppedClock
) -> None:
    first = await ask(embeddings)
    await clock.asleep()
    clock.advance(IDLE - 1)
    assert await ask(embeddings) == first
    await clock.asleep()
    clock.advance(IDLE - 1)
    await asyncio.sleep(0)
    assert embeddings.pids == [first]
    clock.advance(1)
    await ended(first)
    assert embeddings.pids == []
    assert await ask(embeddings) != first


async def test_process_does_not_end_before_its_last_answer(
    embeddings: Embeddings, clock: StoppedClock
) -> None:
    first = await ask(embeddings)
    await clock.asleep()
    async with embeddings.using():
        async with embeddings.using():
            clock.advance(2 * IDLE)
        await asyncio.sleep(0)
        clock.advance(2 * IDLE)
        assert await ask(embeddings) == first
    await clock.asleep()
    assert embeddings.pids == [first]
    clock.advance(IDLE)
    await ended(first)


async def test_stop_ends_the_process_whether_it_answers_or_rests(
    embeddings: Embeddings, clock: StoppedClock
) -> None:
    resting = await ask(embeddings)
    await clock.asleep()
    await embeddings.stop()
    assert not is_there(resting)
    async with embeddings.using():
        (answering,) = embeddings.pids
        await embeddings.stop()
        assert not is_there(answering)
    await clock.asleep(0)
    assert embeddings.pids == []


async def test_client_that_leaves_during_the_start_leaves_no_process(
    embeddings: Embeddings, llama: ScriptedLlama
) -> None:
    asking = asyncio.create_task(ask(embeddings))
    await asyncio.sleep(0)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    assert embeddings.pids == []
    assert not llama.questions
    assert await ask(embeddings)
