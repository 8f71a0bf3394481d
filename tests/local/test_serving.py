"""What the real model keeps of its promises: facts/local-models.md, with the trap's number."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import asdict
from typing import Any

import httpx
import pytest
import pytest_asyncio

from bot.local import MODEL_NAME
from bot.local.child import Settings
from bot.local.serving import LlamaServer, cores
from tests.local.conftest import real_model

pytestmark = [
    pytest.mark.local_model,
    pytest.mark.xdist_group("local_model"),
    pytest.mark.asyncio(loop_scope="session"),
]

ENDLESS = {"max_tokens": 1900, "ignore_eos": True}  # at least 20 seconds


async def settings() -> Settings:
    return Settings(
        model=str(await real_model()),
        name=MODEL_NAME,
        slots=2,
        slot_context=2048,
        threads=cores(),
        key="key" * 8,
    )


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def server() -> AsyncIterator[LlamaServer]:
    server = LlamaServer(await settings())
    await server.start()
    yield server
    await server.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def spare() -> AsyncIterator[LlamaServer]:
    """A server that a test may break."""
    server = LlamaServer(await settings())
    await server.start()
    yield server
    await server.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def client(server: LlamaServer) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(server.base_url, server.key) as client:
        yield client


def client_of(base_url: str, key: str) -> httpx.AsyncClient:
    """A client that opens a connection for each request.

    llama.cpp sometimes closes one after a streamed answer without having said so, and a request
    that comes just then gets no answer.
    """
    return httpx.AsyncClient(
        base_url=base_url,
        headers={"Authorization": f"Bearer {key}"},
        limits=httpx.Limits(max_keepalive_connections=0),
        timeout=60,
    )


def asks(question: str, **params: Any) -> dict[str, Any]:
    """The body of a chat request."""
    return {
        "model": MODEL_NAME,
        "messages": [{"role": "user", "content": question}],
        "temperature": 0,
        "max_tokens": 16,
        "stream": True,
        "stream_options": {"include_usage": True},
        **params,
    }


async def events(
    client: httpx.AsyncClient, body: dict[str, Any], path: str = "/chat/completions"
) -> AsyncGenerator[dict[str, Any], None]:
    """The events of a streamed answer, as they come."""
    async with client.stream("POST", path, json=body) as response:
        assert response.status_code == 200
        async for line in response.aiter_lines():
            if line.startswith("data: {"):
                yield json.loads(line.removeprefix("data: "))


def text(answer: list[dict[str, Any]]) -> str:
    choices = [choice for event in answer for choice in event["choices"]]
    return "".join(
        choice.get("text") or choice.get("delta", {}).get("content") or "" for choice in choices
    )


async def ask(client: httpx.AsyncClient, question: str, **params: Any) -> list[dict[str, Any]]:
    return [event async for event in events(client, asks(question, **params))]


async def test_chat_is_answered_in_pieces_with_its_usage(client: httpx.AsyncClient) -> None:
    answer = await ask(client, "What is the capital of France?")
    assert text(answer)
    assert len(answer) > 3
    assert answer[-1]["usage"]["prompt_tokens"] > 10
    assert [event["choices"][0]["finish_reason"] for event in answer[:-1]][-1] in {"stop", "length"}


async def test_same_question_at_temperature_0_has_the_same_answer(
    client: httpx.AsyncClient,
) -> None:
    first = await ask(client, "Name a colour.")
    assert text(await ask(client, "Name a colour.")) == text(first) != ""


async def test_system_prompt_reaches_the_model(
    client: httpx.AsyncClient, server: LlamaServer
) -> None:
    messages = [
        {"role": "system", "content": "You speak like a pirate."},
        {"role": "user", "content": "Hi"},
    ]
    url = server.base_url.removesuffix("/v1") + "/apply-template"
    prompt = (await client.post(url, json={"messages": messages})).json()["prompt"]
    assert prompt.startswith("<|im_start|>system\nYou speak like a pirate.<|im_end|>")


async def test_completion_ends_before_its_stop_sequence(client: httpx.AsyncClient) -> None:
    body = {"prompt": "The capital of France is", "stop": ["."], "stream": True, "temperature": 0}
    answer = [event async for event in events(client, body, "/completions")]
    assert text(answer) == " Paris"
    assert answer[-1]["choices"][0]["finish_reason"] == "stop"


async def test_answers_have_ids_of_their_own(client: httpx.AsyncClient) -> None:
    """Trap 6: they begin with chatcmpl- for completions too, so the beginning tells nothing."""
    answers = [await ask(client, "Hi", max_tokens=2) for _ in range(3)]
    assert all(len({event["id"] for event in answer}) == 1 for answer in answers)
    assert len({answer[0]["id"] for answer in answers}) == 3


async def test_model_is_listed_under_its_name(client: httpx.AsyncClient) -> None:
    models = (await client.get("/models")).json()["data"]
    assert [model["id"] for model in models] == [MODEL_NAME]


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}])
async def test_without_the_key_nothing_is_answered(
    headers: dict[str, str], server: LlamaServer
) -> None:
    """Trap 5."""
    async with httpx.AsyncClient(base_url=server.base_url, headers=headers) as stranger:
        assert (await stranger.post("/chat/completions", json=asks("Hi"))).status_code == 401
        assert (await stranger.post("/completions", json={"prompt": "Hi"})).status_code == 401
        assert (await stranger.get("/models")).status_code == 401


async def test_web_page_of_another_origin_is_not_let_in(client: httpx.AsyncClient) -> None:
    """Trap 5: no browser hands it an answer, and it has no key to begin with."""
    origin = {"Origin": "https://elsewhere.example"}
    for response in (
        await client.options("/chat/completions", headers=origin),
        await client.get("/models", headers=origin),
    ):
        assert response.headers["Access-Control-Allow-Origin"] == ""
        assert response.headers.get("Access-Control-Allow-Credentials", "false") == "false"


async def test_there_is_no_web_page(client: httpx.AsyncClient, server: LlamaServer) -> None:
    """Trap 5."""
    assert (await client.get(server.base_url.removesuffix("/v1") + "/")).status_code == 404


async def test_prompts_are_not_kept_beyond_their_slots(client: httpx.AsyncClient) -> None:
    """Trap 1: the cache in memory, which is not keyed by adapter, would bring the first back."""
    words = ("apple", "river", "stone", "cloud")
    for word in words:
        await ask(client, f"{word} " * 100, max_tokens=1)
    again = await ask(client, f"{words[0]} " * 100, max_tokens=1)
    assert again[-1]["usage"]["prompt_tokens_details"]["cached_tokens"] < 50


async def test_prompt_over_the_context_is_refused_cleanly(client: httpx.AsyncClient) -> None:
    response = await client.post("/chat/completions", json=asks("word " * 2500))
    error = response.json()["error"]
    assert response.status_code == 400
    assert (error["type"], error["n_ctx"]) == ("exceed_context_size_error", 2048)
    assert error["n_prompt_tokens"] > 2500


async def test_more_requests_than_slots_are_all_answered(client: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(
        *(ask(client, f"Count to {number}.", max_tokens=8) for number in range(12))
    )
    assert all(text(answer) for answer in answers)


async def test_client_that_leaves_frees_its_slot(
    client: httpx.AsyncClient, server: LlamaServer
) -> None:
    """Trap 2: a request that streams is cancelled when its client goes."""

    async def leave() -> None:
        async with aclosing(events(client, asks("Tell a story.", **ENDLESS))) as answer:
            await anext(answer)

    await asyncio.gather(leave(), leave())
    url = server.base_url.removesuffix("/v1") + "/slots"
    async with asyncio.timeout(10):
        while any(slot["is_processing"] for slot in (await client.get(url)).json()):
            pass


async def test_signals_of_the_terminal_and_the_service_manager_do_not_end_the_child(
    client: httpx.AsyncClient, server: LlamaServer
) -> None:
    child = process_of(server)
    assert os.getsid(child) != os.getsid(0)
    os.kill(child, signal.SIGINT)
    os.kill(child, signal.SIGTERM)
    assert text(await ask(client, "Hi"))
    assert process_of(server) == child


async def test_child_that_is_killed_is_started_again_at_the_same_address(
    spare: LlamaServer,
) -> None:
    first = process_of(spare)
    async with client_of(spare.base_url, spare.key) as client:
        async with aclosing(events(client, asks("Tell a story.", **ENDLESS))) as answer:
            await anext(answer)
            os.kill(first, signal.SIGKILL)
            with pytest.raises(httpx.TransportError):
                [event async for event in answer]
        async with asyncio.timeout(60):
            while not await answers(client):
                pass
        assert text(await ask(client, "Hi"))
    assert process_of(spare) != first


async def test_stop_leaves_no_process(spare: LlamaServer) -> None:
    assert spare.alive
    child = process_of(spare)
    await spare.stop()
    assert not spare.alive
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


async def test_child_dies_with_a_parent_that_is_killed() -> None:
    script = f"""
import asyncio, sys
from bot import log
from bot.local.child import Settings
from bot.local.serving import LlamaServer
log.configure("ERROR")
async def main():
    server = LlamaServer(Settings(**{asdict(await settings())!r}))
    await server.start()
    print(server.base_url, server.key, flush=True)
    await asyncio.to_thread(sys.stdin.read)
asyncio.run(main())
"""
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, stdin=PIPE, stdout=PIPE
    )
    assert parent.stdout is not None
    base_url, key = (await parent.stdout.readline()).decode().split()
    async with (
        client_of(base_url, key) as client,
        aclosing(events(client, asks("Tell a story.", **ENDLESS))) as answer,
    ):
        await anext(answer)
        parent.kill()
        async with asyncio.timeout(10):
            with pytest.raises(httpx.TransportError):
                [event async for event in answer]
            while await answers(client):
                pass
    await parent.wait()


async def answers(client: httpx.AsyncClient) -> bool:
    """Whether the server is there and not loading (503)."""
    try:
        return (await client.get("/models")).status_code == 200
    except httpx.TransportError:
        return False


def process_of(server: LlamaServer) -> int:
    assert server._child is not None
    return server._child._process.pid
