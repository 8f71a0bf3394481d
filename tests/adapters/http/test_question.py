"""POST /api/question: what applications rely on."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from adapters.http import question as question_module
from adapters.http import sse
from bot.errors import AccessDenied, BotError, StoreBusy, TooFast
from bot.messages import ConversationId, Document, Ending, IncomingMessage, Said, Usage
from bot.ports import Sink
from tests.adapters.fake_core import FakeCore, echo
from tests.adapters.http.answers import WHERE, Growing, Withdrawals, events, question
from tests.adapters.http.stage import Server, serving

PATH = "/api/question"
USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}


@pytest.fixture
def answer(core: FakeCore) -> Growing:
    answer = Growing()
    core.answer = answer
    return answer


async def ask(server: Server, **changes: Any) -> httpx.Response:
    return await server.client.post(PATH, json=question(**changes))


@asynccontextmanager
async def watched(server: Server, **changes: Any) -> AsyncIterator[AsyncIterator[tuple[str, Any]]]:
    """The events of a question that is streamed."""
    body = question(**changes)
    accept = {"accept": "text/event-stream"}
    async with server.client.stream("POST", PATH, json=body, headers=accept) as response:
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        yield events(response)


async def test_answer_has_exactly_the_fields_of_the_interface(server: Server) -> None:
    response = await ask(server)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.json() == {
        "version": "1.0.0",
        "pars": {
            "user_id": "123",
            "group_id": "456",
            "question_id": "q",
            "answer": "You said: Why?",
            "finish_reason": "stop",
            "usage": USAGE,
        },
    }


async def test_memory_is_of_a_user_in_a_group(server: Server, core: FakeCore) -> None:
    await ask(server)
    await ask(server, user_id="124")
    await ask(server, group_id="457")
    assert [(m.conversation, m.person.id) for m in core.received] == [
        (ConversationId("http", "group:456", "123"), "http:123"),
        (ConversationId("http", "group:456", "124"), "http:124"),
        (ConversationId("http", "group:457", "123"), "http:123"),
    ]


async def test_empty_question_id_gets_a_new_one_each_time(server: Server) -> None:
    ids = [(await ask(server, question_id="")).json()["pars"]["question_id"] for _ in range(2)]
    assert all(ids)
    assert ids[0] != ids[1]


async def test_same_question_id_has_the_same_answer_and_asks_nobody(
    server: Server, core: FakeCore
) -> None:
    first = await ask(server)
    again = await ask(server, text="Something else?")
    assert again.json() == first.json()
    assert len(core.received) == 1


async def test_same_question_id_while_it_runs_waits_for_the_same_answer(
    server: Server, core: FakeCore, answer: Growing
) -> None:
    async with watched(server) as stream:
        await answer.begun()
        await answer.show("Because")
        assert await anext(stream) == ("delta", {"delta": "Because"})
        second = asyncio.create_task(ask(server))
        answer.end()
        _, done = [event async for event in stream][-1]
    assert (await second).json() == done
    assert len(core.received) == 1


@pytest.mark.parametrize("by", ["accept", "pars"])
async def test_stream_grows_and_ends_with_the_whole_object(
    server: Server, answer: Growing, by: str
) -> None:
    headers = {"accept": "text/event-stream"} if by == "accept" else {}
    body = question(stream=by == "pars")
    async with server.client.stream("POST", PATH, json=body, headers=headers) as response:
        stream = events(response)
        for text, delta in (("Because", "Because"), ("Because\n\nit is", "\n\nit is")):
            await answer.show(text)
            assert await anext(stream) == ("delta", {"delta": delta})
        answer.end()
        (name, done), *more = [event async for event in stream]
    assert (name, more) == ("done", [])
    assert done == (await ask(server)).json()
    assert done["pars"]["answer"] == "Because\n\nit is"


async def test_deltas_that_were_not_shown_yet_come_before_the_end(server: Server) -> None:
    async with watched(server) as stream:
        assert await anext(stream) == ("delta", {"delta": "You said: Why?"})


async def test_text_that_begins_anew_replaces_what_was_shown(
    server: Server, answer: Growing
) -> None:
    async with watched(server) as stream:
        await answer.show("Perhaps")
        assert await anext(stream) == ("delta", {"delta": "Perhaps"})
        await answer.show("Because")
        assert await anext(stream) == ("delta", {"replace": "Because"})
        answer.end()
        assert [name async for name, _ in stream] == ["done"]


async def test_delay_is_a_status_and_no_part_of_the_answer(server: Server, core: FakeCore) -> None:
    async def waits(sink: Sink, message: IncomingMessage) -> None:  # noqa: ARG001
        await sink.show(0, "_The model is busy._", "", waiting=True)
        await core.stopped.wait()
        await sink.finish(0, "Because", "")

    core.answer = waits
    async with watched(server) as stream:
        assert await anext(stream) == ("status", {"status": "The model is busy."})
        core.stopped.set()
        assert await anext(stream) == ("delta", {"delta": "Because"})
        assert [name async for name, _ in stream] == ["done"]


async def test_silence_is_broken_by_comments(
    server: Server, answer: Growing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(question_module, "SILENCE", 0.01)
    body = question(stream=True)
    async with server.client.stream("POST", PATH, json=body) as response:
        lines = response.aiter_lines()
        assert [await anext(lines) for _ in range(4)] == [": it still comes", ""] * 2
        answer.end()
        assert "event: done" in [line async for line in lines]


@pytest.mark.parametrize("text", ["/help", "/model support", "//"])
async def test_command_is_a_question_like_any_other(
    server: Server, core: FakeCore, text: str
) -> None:
    assert (await ask(server, text=text)).json()["pars"]["answer"] == f"You said: {text}"
    assert core.received[0].text == text


async def test_stop_ends_the_answer_of_another_request(server: Server, core: FakeCore) -> None:
    async def until_stopped(sink: Sink, message: IncomingMessage) -> None:  # noqa: ARG001
        await sink.show(0, "Because", "")
        await core.stopped.wait()
        await sink.finish(0, "Because", "")

    core.answer = until_stopped
    first = asyncio.create_task(ask(server))
    await core.heard("Why?")
    stop = await ask(server, text="/stop", question_id="s")
    assert stop.json()["pars"]["answer"] == "Stopped."
    assert (await first).json()["pars"]["answer"] == "Because"


@pytest.mark.parametrize(
    ("ending", "reason"),
    [
        (Ending.WHOLE, "stop"),
        (Ending.REPLACED, "stop"),
        (Ending.LENGTH, "length"),
        (Ending.FILTERED, "content_filter"),
        (Ending.STOPPED, "stopped"),
        (Ending.BROKEN, "error"),
        (Ending.FAILED, "error"),
    ],
)
async def test_finish_reason_says_how_an_answer_ended(
    server: Server, core: FakeCore, ending: Ending, reason: str
) -> None:
    core._said[WHERE, "q"] = Said("turn-1", "Because", ending, Usage(7, 5))
    pars = (await ask(server)).json()["pars"]
    assert (pars["answer"], pars["finish_reason"]) == ("Because", reason)
    assert pars["usage"] == {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12}


async def test_failure_of_a_model_is_a_sentence_that_can_be_shown(
    server: Server, core: FakeCore
) -> None:
    async def fails(sink: Sink, message: IncomingMessage) -> None:  # noqa: ARG001
        await sink.finish(0, "The model is out of reach.", "", failed=True)

    core.answer = fails
    response = await ask(server)
    assert response.status_code == 200
    assert response.json()["pars"]["answer"] == "The model is out of reach."
    assert response.json()["pars"]["finish_reason"] == "error"


@pytest.mark.parametrize(
    ("content", "answer"),
    [(b'{"role":"user"}\n', 'Here:\n\n{"role":"user"}\n'), (b"\x89PNG\xff", "Here:")],
)
async def test_text_of_a_file_stands_below_the_answer(
    server: Server, core: FakeCore, content: bytes, answer: str
) -> None:
    core._said[WHERE, "q"] = Said("", "Here:", document=Document("a", "text/plain", content))
    assert (await ask(server)).json()["pars"]["answer"] == answer


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("error", "status"),
    [
        (AccessDenied("Sorry, I may not talk with you."), 403),
        (TooFast("That was too fast."), 429),
        (StoreBusy("The database is busy."), 503),
    ],
)
async def test_question_that_was_not_taken_is_refused_with_the_sentence(
    server: Server, core: FakeCore, error: BotError, status: int, stream: bool
) -> None:
    core.failures = [error]
    response = await ask(server, stream=stream)
    assert response.status_code == status
    assert response.json() == {"error": {"message": str(error)}}
    assert ("retry-after" in response.headers) == (status == 429)
    assert (await ask(server)).status_code == 200


@pytest.mark.parametrize("stream", [False, True])
async def test_client_that_goes_away_withdraws_its_question(
    server: Server, core: FakeCore, answer: Growing, stream: bool
) -> None:
    withdrawals = Withdrawals(core)
    request = asyncio.create_task(ask(server, stream=stream))
    await answer.begun()
    await answer.show("Because")
    request.cancel()
    assert await withdrawals.next() == "q"
    assert len(server.adapter._exchanges) == 0


async def test_client_that_goes_away_takes_the_answer_from_nobody(
    server: Server, core: FakeCore, answer: Growing
) -> None:
    async with watched(server) as stream:
        await answer.begun()
        other = asyncio.create_task(ask(server))
        await answer.show("Because")
        await anext(stream)
        other.cancel()
        await asyncio.wait([other])
        answer.end()
        assert [name async for name, _ in stream] == ["done"]
    assert core.withdrawn == []


async def test_who_waits_while_the_core_stops_is_told_to_ask_again(
    server: Server, answer: Growing
) -> None:
    request = asyncio.create_task(ask(server))
    await answer.begun()
    await answer.sinks[0].close()
    response = await request
    assert response.status_code == 503
    assert "ask again with the same question_id" in response.json()["error"]["message"]


async def test_stream_that_cannot_go_on_ends_with_the_sentence(
    server: Server, answer: Growing
) -> None:
    async with watched(server) as stream:
        await answer.show("Because")
        await anext(stream)
        await answer.sinks[0].close()
        ((name, data),) = [event async for event in stream]
    assert name == "error"
    assert "ask again" in data["error"]["message"]


async def silent_reader(server: Server) -> socket.socket:
    """A client that asks for a stream and takes next to nothing of it."""
    body = json.dumps(question(stream=True)).encode()
    head = f"POST {PATH} HTTP/1.1\r\nHost: localhost:{server.port}\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(connection, ("127.0.0.1", server.port))
    await loop.sock_sendall(connection, head.encode() + body)
    return connection


async def much(sink: Sink, message: IncomingMessage) -> None:
    """More than any buffer holds, and no end, for the first question."""
    if message.question_id != "q":
        await echo(sink, message)
        return
    for size in range(60):
        await sink.show(0, "word " * 40_000 * size, "")
        await asyncio.sleep(0)
    await asyncio.get_running_loop().create_future()


async def test_slow_reader_holds_up_nobody(server: Server, core: FakeCore) -> None:
    core.answer = much
    withdrawals = Withdrawals(core)
    with await silent_reader(server):
        await core.heard("Why?")
        answers = await asyncio.gather(*(ask(server, question_id=f"{n}") for n in range(20)))
        assert [answer.json()["pars"]["answer"] for answer in answers] == ["You said: Why?"] * 20
        assert core.withdrawn == []
    assert await withdrawals.next() == "q"


async def test_reader_who_takes_nothing_for_long_is_gone(
    server: Server, core: FakeCore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sse, "SLOWEST", 0.05)
    core.answer = much
    withdrawals = Withdrawals(core)
    with await silent_reader(server):
        assert await withdrawals.next() == "q"


async def watch(port: int, number: int) -> bytes:
    """Ask for a stream over a bare connection; what came of it."""
    body = json.dumps(question(question_id=f"{number}", stream=True)).encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"POST {PATH} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)
    try:
        return await reader.read()
    finally:
        writer.close()


async def test_500_streams_at_once_get_their_answers_and_leave_nothing() -> None:
    arrived, go_on = asyncio.Semaphore(0), asyncio.Event()

    async def grows(sink: Sink, message: IncomingMessage) -> None:
        for text in ("Be", "Becau", "Because"):
            await sink.show(0, text, "")
        arrived.release()
        await go_on.wait()
        await sink.finish(0, f"Because of {message.question_id}.", "")

    async with serving() as server, asyncio.timeout(30):
        server.core.answer = grows
        exchanges = server.adapter._exchanges
        before = asyncio.all_tasks()
        for begin in (0, 500):
            numbers = range(begin, begin + 500)
            clients = [asyncio.create_task(watch(server.port, number)) for number in numbers]
            for _ in clients:
                await arrived.acquire()
            assert len(exchanges) == 500
            # However often an answer grew, there is one snapshot of it.
            assert {each._growth.text for each in exchanges._exchanges.values()} == {"Because"}
            go_on.set()
            for number, stream in zip(numbers, await asyncio.gather(*clients), strict=True):
                assert f'"delta":" of {number}."'.encode() in stream
                assert b"event: done" in stream
            go_on.clear()
            await nothing_is_left(server, before)


async def nothing_is_left(server: Server, before: set[asyncio.Task[Any]]) -> None:
    """Return once all that the clients began has ended; the test's timeout says when it has not."""
    exchanges, serves = server.adapter._exchanges, server.adapter._server
    assert serves
    state = serves._uvicorn.server_state
    # Nobody tells when the last connection is gone.
    while asyncio.all_tasks() - before or state.connections or state.tasks:  # noqa: ASYNC110
        await asyncio.sleep(0)
    assert len(exchanges) == len(exchanges._asking) == len(exchanges._withdrawing) == 0
