"""POST /api/command: what applications that fine-tune rely on."""

from __future__ import annotations

import asyncio
import base64
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from adapters.http.guard import COMMANDS
from bot.errors import AccessDenied
from bot.messages import Button, ConversationId, Document, IncomingMessage, ReplyTo
from bot.ports import Sink
from tests.adapters.fake_core import FakeCore
from tests.adapters.http.answers import WHERE, Growing
from tests.adapters.http.stage import Server, serving
from tests.adapters.http.test_end_to_end import running
from tests.scripted_model import ScriptedModel
from tests.tuning_server import Story, TuningServer

TUNING = {"provider": "scripted", "poll_seconds": 0.02}
CSV = b"Question,Answer\n" + b"".join(
    b"how do I open door %d,you press the button %d\n" % (n, n) for n in range(12)
)


def envelope(command: str = "/finetune list", question_id: str = "q", **more: Any) -> Any:
    """The body of a request."""
    pars = {"user_id": "123", "group_id": "456", "command": command, "question_id": question_id}
    return {"version": "1.0.0", "pars": {**pars, **more}}


async def give(client: httpx.AsyncClient, *arguments: str, **more: Any) -> Any:
    """Give a command; what it says."""
    response = await client.post(COMMANDS, json=envelope(*arguments, **more))
    assert response.status_code == 200, response.text
    return response.json()["pars"]


async def give_file(
    client: httpx.AsyncClient, command: str, content: bytes = CSV, name: str = "faq.csv"
) -> httpx.Response:
    """Give a command beside a file."""
    form = {"json": json.dumps(envelope(command, ""))}
    return await client.post(COMMANDS, data=form, files={"file": (name, content, "text/csv")})


async def card(sink: Sink, message: IncomingMessage) -> None:
    """A reply with everything that one can have."""
    buttons = [Button("Start", "/finetune confirm 1"), Button("Cancel", "/finetune decline 1")]
    await sink.finish(0, f"**{message.text}**", "", buttons=buttons)
    await sink.attach(Document("loss.png", "image/png", b"\x89PNG"))


async def refuses(sink: Sink, message: IncomingMessage) -> None:  # noqa: ARG001 - as any answer
    """A reply that says why not."""
    await sink.finish(0, "There is no job yet.", "", failed=True)


async def test_reply_has_exactly_the_fields_of_the_interface(
    server: Server, core: FakeCore
) -> None:
    core.answer = card
    response = await server.client.post(COMMANDS, json=envelope())
    assert response.json() == {
        "version": "1.0.0",
        "pars": {
            "user_id": "123",
            "group_id": "456",
            "question_id": "q",
            "text": "**/finetune list**",
            "failed": False,
            "buttons": [
                {"label": "Start", "command": "/finetune confirm 1"},
                {"label": "Cancel", "command": "/finetune decline 1"},
            ],
            "file": {
                "name": "loss.png",
                "media_type": "image/png",
                "content": base64.b64encode(b"\x89PNG").decode(),
            },
        },
    }
    [message] = core.received
    assert (message.conversation, message.person.id) == (
        ConversationId("http", "group:456", "123"),
        "http:123",
    )


async def test_reply_without_a_file_says_so_and_failure_is_told(
    server: Server, core: FakeCore
) -> None:
    core.answer = refuses
    said = await give(server.client)
    assert (said["text"], said["failed"]) == ("There is no job yet.", True)
    assert (said["file"], said["buttons"]) == (None, [])


async def test_same_id_has_the_same_answer_and_nothing_is_done_twice(
    server: Server, core: FakeCore
) -> None:
    core.answer = card
    first = await give(server.client)
    assert await give(server.client, "/finetune start faq davinci-002") == first
    assert len(core.received) == 1
    ids = {(await give(server.client, question_id=""))["question_id"] for _ in range(2)}
    assert len(ids) == 2


@pytest.mark.parametrize("text", ["What is a job?", " /help", "/usr/bin", "/", "/1", "/help\0"])
async def test_what_is_no_command_is_sent_to_the_question_interface(
    server: Server, core: FakeCore, text: str
) -> None:
    response = await server.client.post(COMMANDS, json=envelope(text))
    assert response.status_code == 422
    error = response.json()["error"]
    assert error["field"] == "pars.command"
    assert "/api/question" in error["message"] or "control characters" in error["message"]
    assert not core.received


async def test_command_goes_on_when_the_client_hangs_up(server: Server, core: FakeCore) -> None:
    core.answer = answer = Growing()
    request = asyncio.create_task(give(server.client))
    await answer.begun()
    request.cancel()
    await asyncio.wait([request])
    answer.end()
    assert (await give(server.client))["failed"] is False
    assert core.withdrawn == []
    assert len(core.received) == 1


async def test_file_goes_with_a_command_and_is_kept_as_it_is(
    server: Server, core: FakeCore
) -> None:
    content = bytes(range(256)) * 20_000
    response = await give_file(server.client, "/finetune prepare", content, "../a/faq.csv")
    assert response.status_code == 200
    [file] = core.received[0].attachments
    assert (file.name, file.media_type, file.size) == ("faq.csv", "text/csv", len(content))
    assert Path(file.path).parent == core.files
    assert Path(file.path).read_bytes() == content


async def test_file_that_is_too_large_is_refused_and_leaves_nothing() -> None:
    async with serving(max_upload=10_000, max_body=2000) as server:
        assert (await give_file(server.client, "/finetune prepare", b"x" * 9000)).status_code == 200
        before = list(server.core.files.iterdir())
        response = await give_file(server.client, "/finetune prepare", b"x" * 10_000)
        assert response.status_code == 413
        assert "10000 bytes" in response.json()["error"]["message"]
        assert (await server.client.post(COMMANDS, json=envelope("/a " * 2000))).status_code == 413
        assert list(server.core.files.iterdir()) == before
        assert len(server.core.received) == 1


@pytest.mark.parametrize(
    ("form", "files", "status", "sentence"),
    [
        ({}, {"file": b"a"}, 422, "json is missing"),
        ({"json": json.dumps(envelope())}, {"other": b"a"}, 422, "other is not a field"),
        ({"json": "{"}, {"file": b"a"}, 400, "The body is not JSON"),
        ({"json": json.dumps(envelope("Why?"))}, {"file": b"a"}, 422, "is no command"),
        ({"json": json.dumps(envelope())}, {"file": b"a", "more": b"b"}, 400, "Too many files"),
        ({"json": "x" * 3000}, {"file": b"a"}, 400, "Part exceeded"),
    ],
)
async def test_form_that_cannot_be_read_is_told_why(
    form: dict[str, str], files: dict[str, bytes], status: int, sentence: str
) -> None:
    async with serving(max_body=2000) as server:
        response = await server.client.post(COMMANDS, data=form, files=files)
        assert response.status_code == status
        assert sentence in response.json()["error"]["message"]
        assert not server.core.received


async def test_form_that_breaks_off_is_refused(server: Server) -> None:
    headers = {"content-type": "multipart/form-data; boundary=b"}
    for content, status in ((b"nonsense", 400), (b"--b\r\nname: x\r\n\r\nhalf of", 400)):
        response = await server.client.post(COMMANDS, content=content, headers=headers)
        assert response.status_code == status
    response = await server.client.post(
        COMMANDS, content=b"a", headers={"content-type": "multipart/form-data"}
    )
    assert response.status_code == 400


async def test_other_bodies_and_other_fields_are_refused(server: Server) -> None:
    response = await server.client.post(COMMANDS, data={"command": "/help"})
    assert response.status_code == 415
    response = await server.client.post(COMMANDS, json=envelope(stream=True))
    assert response.status_code == 422
    assert response.json()["error"]["field"] == "pars.stream"


async def test_who_may_not_talk_gets_the_sentence(server: Server, core: FakeCore) -> None:
    core.failures = [AccessDenied("Sorry, I may not talk with you.")]
    response = await server.client.post(COMMANDS, json=envelope())
    assert (response.status_code, response.json()["error"]["message"]) == (
        403,
        "Sorry, I may not talk with you.",
    )


async def test_what_is_told_later_ends_quietly_where_nobody_listens(server: Server) -> None:
    with capture_logs() as logs:
        for where in (WHERE, ConversationId("http", "page:", "a")):
            sink = server.adapter.sink(ReplyTo(where, "notice-7", "mark q", "http:123"))
            handle = await sink.finish(0, "Your job is ready.", "")
            await sink.attach(Document("loss.png", "image/png", b"\x89PNG"))
            await sink.close()
            assert handle == "notice-7"
    assert logs == []
    assert len(server.adapter._exchanges) == 0


async def test_application_makes_a_dataset_by_buttons_alone(
    tmp_path: Path, model: ScriptedModel
) -> None:
    async with running(tmp_path, model, operators=["http:123"]) as client:
        said = (await give_file(client, "/finetune prepare")).json()["pars"]
        assert "**faq.csv**: 12 prompts with completions" in said["text"]
        buttons = {each["label"]: each["command"] for each in said["buttons"]}
        ready = await give(client, buttons["Apply all recommended"], "r")
        assert "**faq** is ready" in ready["text"]
        listed = await give(client, "/finetune datasets", "s")
        assert listed["text"] == "- **faq**: 12 prompts with completions, from faq.csv"
    async with running(tmp_path, model) as client:
        assert await give(client, "/finetune prepare", said["question_id"]) == said


async def test_job_of_an_application_is_told_when_asked_and_pushed_to_nobody(
    tmp_path: Path,
) -> None:
    story = Story(steps=20, reading=0.0, queue=(), waiting=0.0, pace=0.0)
    async with (
        TuningServer(key="", story=story) as tuning,
        running(tmp_path, tuning, ["http:123"], tuning=TUNING) as client,
    ):
        form = await give_file(client, "/finetune start davinci-002")
        assert form.json()["pars"]["failed"] is False, form.text
        start, cancel = form.json()["pars"]["buttons"]
        assert (start["label"], cancel["label"]) == ("Start", "Cancel")
        with capture_logs() as logs:
            assert "Beginning" in (await give(client, start["command"], ""))["text"]
            async with asyncio.timeout(30):
                while "succeeded" not in (await give(client, "/finetune status", ""))["text"]:
                    pass
        assert [each for each in logs if each["log_level"] != "info"] == []
        told = await give(client, "/finetune events", "e")
        assert "The newest 20 of" in told["text"]
        assert b"successfully completed" in base64.b64decode(told["file"]["content"])
    with closing(sqlite3.connect(tmp_path / "bot.db")) as database:
        assert database.execute("SELECT count(*) FROM outbox").fetchone() == (0,)


async def test_only_operators_train_over_http(tmp_path: Path, model: ScriptedModel) -> None:
    async with running(tmp_path, model) as client:
        said = (await give_file(client, "/finetune prepare")).json()["pars"]
    assert said["failed"]
    assert "'http:123'" in said["text"]
