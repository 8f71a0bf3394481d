"""The whole program over HTTP, as an application and a service manager meet it."""

from __future__ import annotations

import asyncio
import json
import signal
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.scripted_model import Answer, ScriptedModel
from tests.test_cli import Start, ended, tunebot

__all__ = ["tunebot"]

KEY = "an-application-s-secret-key-of-the-test"


@pytest.fixture(autouse=True)
def serving(tunebot: Start, tmp_path: Path) -> None:  # noqa: ARG001 - it writes the file
    """A configuration that serves HTTP on a free port."""
    with (tmp_path / "tunebot.toml").open("a") as config:
        config.write("[adapters.http]\nport = 0\n")


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Authorization": f"Bearer {KEY}"}
    async with httpx.AsyncClient(headers=headers, timeout=20, trust_env=False) as client:
        yield client


async def address(process: Process) -> str:
    """Where a program that was just started listens; it logs that."""
    assert process.stderr
    while line := await process.stderr.readline():
        event = json.loads(line)
        if event["event"] == "listening":
            return str(event["address"])
    raise AssertionError("it never listened")


def asks(question: str, question_id: str = "") -> dict[str, object]:
    """A question in the form of the interface."""
    pars = {
        "user_id": "123",
        "question": question,
        "group_id": "456",
        "question_id": question_id,
    }
    return {"version": "1.0.0", "pars": pars}


async def test_a_question_is_answered_and_the_same_again_after_a_restart(
    tunebot: Start, model: ScriptedModel, client: httpx.AsyncClient
) -> None:
    answers = []
    for _ in range(2):
        process = await tunebot("run", TUNEBOT_API_KEYS=KEY)
        where = f"{await address(process)}api/question"
        answers.append((await client.post(where, json=asks("hi", "7"))).json())
        process.send_signal(signal.SIGTERM)
        assert (await ended(process))[0] == 0
    assert answers[0] == answers[1]
    assert answers[0]["pars"]["answer"] == "You said: hi"
    assert answers[0]["pars"]["usage"]["total_tokens"] == 4
    assert len(model.requests) == 1


async def test_a_question_that_a_kill_interrupted_is_answered_by_the_next_start(
    tunebot: Start, model: ScriptedModel, client: httpx.AsyncClient
) -> None:
    model.script(Answer(text="Never whole", hold=asyncio.Event(), hold_at=1))
    process = await tunebot("run", TUNEBOT_API_KEYS=KEY)
    where = f"{await address(process)}api/question"
    asking = asyncio.create_task(client.post(where, json=asks("hi", "7")))
    await model.until(lambda: len(model.requests) == 1)
    process.kill()
    with pytest.raises(httpx.HTTPError):
        await asking
    process = await tunebot("run", TUNEBOT_API_KEYS=KEY)
    where = f"{await address(process)}api/question"
    answer = (await client.post(where, json=asks("hi", "7"))).json()
    assert answer["pars"]["answer"] == "You said: hi"
    assert len(model.requests) == 2


async def test_sigterm_lets_a_growing_answer_end(
    tunebot: Start, model: ScriptedModel, client: httpx.AsyncClient
) -> None:
    going = asyncio.Event()
    model.script(Answer(chunks=["Half", " and whole."], hold=going, hold_at=1))
    process = await tunebot("run", TUNEBOT_API_KEYS=KEY)
    where = f"{await address(process)}api/question"
    stream = {"Accept": "text/event-stream"}
    async with client.stream("POST", where, json=asks("hi"), headers=stream) as response:
        lines = response.aiter_lines()
        assert await anext(lines) == "event: delta"
        process.send_signal(signal.SIGTERM)
        going.set()
        rest = [line async for line in lines]
    last = json.loads([line for line in rest if line.startswith("data: ")][-1][6:])
    assert last["pars"]["answer"] == "Half and whole."
    assert (await ended(process))[0] == 0


async def test_no_key_is_written_anywhere(
    tunebot: Start, client: httpx.AsyncClient, tmp_path: Path
) -> None:
    process = await tunebot("run", TUNEBOT_API_KEYS=KEY, TUNEBOT_LOG_LEVEL="DEBUG")
    where = await address(process)
    await client.post(f"{where}api/question", json=asks("a private matter"))
    await client.post(f"{where}api/question", headers={"Authorization": "Bearer wrong-and-long"})
    metrics = (await client.get(f"{where}metrics")).text
    assert 'tunebot_messages_total{adapter="http",receipt="accepted"} 1.0' in metrics
    process.send_signal(signal.SIGTERM)
    _, out, err = await ended(process)
    files = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    assert KEY not in out + err + metrics
    assert KEY.encode() not in files
    assert "a private matter" not in out + err
    assert "wrong-and-long" not in out + err
