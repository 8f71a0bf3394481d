"""The question interface on the real core, its database and a model server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

import httpx

from adapters.http import Settings, create
from bot.app import App
from bot.ports import SystemClock
from tests.adapters.http.answers import events, question
from tests.fakes import configuration
from tests.scripted_model import Answer, ScriptedModel

PATH = "/api/question"


class Served(Protocol):
    """A server of models, or of jobs."""

    @property
    def base_url(self) -> str: ...


@asynccontextmanager
async def running(
    folder: Path, model: Served, operators: Sequence[str] = (), **changes: Any
) -> AsyncIterator[httpx.AsyncClient]:
    """A tunebot with nothing but HTTP, from its start to its orderly end."""
    adapter = create("http", Settings(port=0), {})
    access = {"users": ["*"], "operators": list(operators), "messages_per_minute": 0}
    more = {"shutdown_seconds": 0.1, "access": access, **changes}
    config = configuration(folder, model.base_url, **more)
    app = App(config, [adapter], clock=SystemClock(), environment={})
    run = asyncio.create_task(app.run())
    async with asyncio.timeout(20):
        await adapter.listening.wait()
    async with httpx.AsyncClient(base_url=adapter.address, timeout=20) as client:
        try:
            yield client
        finally:
            app.stop()
            await run


async def pars(client: httpx.AsyncClient, **changes: Any) -> Any:
    return (await client.post(PATH, json=question(**changes))).json()["pars"]


async def test_same_question_id_has_the_same_answer_after_a_restart(
    tmp_path: Path, model: ScriptedModel
) -> None:
    async with running(tmp_path, model) as client:
        first = await pars(client)
        help_ = await pars(client, text="/help", question_id="h")
    async with running(tmp_path, model) as client:
        assert await pars(client) == first
        assert await pars(client, text="/help", question_id="h") == help_
    assert first["answer"] == "You said: Why?"
    assert "/stop" in help_["answer"]
    assert len(model.requests) == 1


async def test_user_in_a_group_is_remembered(tmp_path: Path, model: ScriptedModel) -> None:
    async with running(tmp_path, model) as client:
        await pars(client)
        await pars(client, text="And now?", question_id="r")
        await pars(client, text="Who are you?", question_id="s", group_id="other")
    assert [len(body["messages"]) for body in model.bodies] == [2, 4, 2]


async def test_stream_grows_as_the_model_writes(tmp_path: Path, model: ScriptedModel) -> None:
    hold = asyncio.Event()
    model.script(Answer(chunks=["Because", " it is."], hold=hold, hold_at=1))
    async with running(tmp_path, model) as client:
        body = question(stream=True)
        async with client.stream("POST", PATH, json=body) as response:
            stream = events(response)
            assert await anext(stream) == ("delta", {"delta": "Because"})
            hold.set()
            assert await anext(stream) == ("delta", {"delta": " it is."})
            name, done = await anext(stream)
    assert (name, done["pars"]["answer"]) == ("done", "Because it is.")
    assert done["pars"]["usage"]["completion_tokens"] == 2


async def test_client_that_goes_away_stops_the_model_and_may_ask_anew(
    tmp_path: Path, model: ScriptedModel
) -> None:
    model.script(Answer(text="Never said", hold=asyncio.Event()))
    async with running(tmp_path, model) as client:
        request = asyncio.create_task(pars(client))
        await model.until(lambda: model.running == 1)
        request.cancel()
        await model.until(lambda: model.disconnects == 1)
        assert (await pars(client))["answer"] == "You said: Why?"


async def test_stop_ends_an_answer_that_another_request_waits_for(
    tmp_path: Path, model: ScriptedModel
) -> None:
    model.script(Answer(chunks=["Because", " it is."], hold=asyncio.Event(), hold_at=1))
    async with running(tmp_path, model) as client:
        body = question(stream=True)
        async with client.stream("POST", PATH, json=body) as response:
            stream = events(response)
            await anext(stream)
            await pars(client, text="/stop", question_id="s")
            _, done = await anext(stream)
    assert done["pars"]["answer"] == "Because"
    assert done["pars"]["finish_reason"] == "stopped"


async def test_restart_finishes_what_was_asked_for(tmp_path: Path, model: ScriptedModel) -> None:
    model.script(Answer(text="Too late", hold=asyncio.Event()))
    async with running(tmp_path, model) as client:
        request = asyncio.create_task(client.post(PATH, json=question()))
        await model.until(lambda: model.running == 1)
    assert (await request).status_code == 503
    async with running(tmp_path, model) as client:
        assert (await pars(client))["answer"] == "You said: Why?"


async def test_completion_streams_from_the_model(tmp_path: Path, model: ScriptedModel) -> None:
    async with running(tmp_path, model) as client:
        body = {"model": "assistant", "messages": [{"role": "user", "content": "hi"}]}
        response = await client.post("/v1/chat/completions", json={**body, "temperature": 0.5})
        assert response.json()["choices"][0]["message"]["content"] == "You said: hi"
    assert model.bodies[0]["temperature"] == 0.5


async def test_who_asks_to_be_forgotten_is_told_that_it_is_done(
    tmp_path: Path, model: ScriptedModel
) -> None:
    async with running(tmp_path, model) as client:
        await pars(client)
        assert (await pars(client, text="/forget", question_id="f"))["answer"].startswith("Done:")
