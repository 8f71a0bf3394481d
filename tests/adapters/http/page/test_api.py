"""What the page's scripts call: answers in blocks, history, files."""

from __future__ import annotations

import asyncio
import json
import os
import re
import time
from contextlib import AsyncExitStack
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.http.errors import Refusal
from adapters.http.page import files as files_module
from adapters.http.page.history import items
from adapters.http.page.static import FOLDER, POLICY
from bot.errors import StoreBusy, TooFast
from bot.messages import Document, Ending, IncomingMessage, Role, Turn
from bot.ports import Sink
from tests.adapters.fake_core import FakeCore
from tests.adapters.http.stage import KEY, Server, serving

HERE = "/api/page/conversations/c1"
OTHER_KEY = "another-key-of-a-test-32-letters"

Event = tuple[str, dict[str, Any]]


async def ask(
    client: httpx.AsyncClient, text: str, question_id: str = "q1", **more: Any
) -> list[Event]:
    """All events of an answer."""
    body = {"text": text, "question_id": question_id, **more}
    response = await client.post(f"{HERE}/messages", json=body)
    assert response.status_code == 200, response.text
    return [event(each) for each in response.text.split("\n\n") if each]


def event(text: str) -> Event:
    name, data = text.split("\n")
    return name.removeprefix("event: "), json.loads(data.removeprefix("data: "))


class Inline(HTMLParser):
    """Scripts and styles that stand in a page itself."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        self.found += [name for name in names if name == "style" or name.startswith("on")]
        if tag == "style" or (tag == "script" and "src" not in names):
            self.found.append(tag)


async def test_page_comes_with_its_policy_and_nothing_inline(server: Server) -> None:
    response = await server.client.get("/")
    assert response.status_code == 200
    assert response.headers["content-security-policy"] == POLICY
    assert "unsafe" not in POLICY
    assert not Inline(response.text).found


async def test_every_file_is_given_with_its_type_and_again_only_when_changed(
    server: Server,
) -> None:
    types = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
    for path in FOLDER.iterdir():
        response = await server.client.get(f"/page/{path.name}")
        assert response.content == path.read_bytes()
        assert response.headers["content-type"].startswith(types.get(path.suffix, "text/html"))
        tag = {"If-None-Match": response.headers["etag"]}
        assert (await server.client.get(f"/page/{path.name}", headers=tag)).status_code == 304


def test_text_becomes_html_at_one_place_alone() -> None:
    makes = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|DOMParser|setHTML|document\.write")
    found = [path.name for path in FOLDER.glob("*.js") if makes.search(path.read_text())]
    assert found == ["html.js"]


@pytest.mark.parametrize("name", ["nothing.js", "..%2f__init__.py", "%2e%2e%2fasking.py"])
async def test_nothing_but_the_page_is_given(server: Server, name: str) -> None:
    assert (await server.client.get(f"/page/{name}")).status_code == 404


async def test_answer_grows_in_blocks_and_ends_with_what_was_said(
    server: Server, core: FakeCore
) -> None:
    async def slowly(sink: Sink, _: IncomingMessage) -> None:
        await sink.show(0, "The model is busy", "", waiting=True)
        for text in ("# Hi", "# Hi\n\nthere *you*"):
            await sink.ready()
            await sink.show(0, text, "")
            await sink.ready()
        await sink.finish(0, "# Hi\n\nthere *you*", "")

    core.answer = slowly
    events = await ask(server.client, "hello")
    names = [name for name, _ in events]
    assert names == ["waiting", "growth", "growth", "said"]
    assert events[1][1] == {"start": 0, "html": ["<h3>Hi</h3>"]}
    assert events[2][1] == {"start": 1, "html": ["<p>there <em>you</em></p>"]}
    last = events[3][1]
    assert last["start"] is None, "nothing changed"
    assert last["text"] == "# Hi\n\nthere *you*"
    assert last["ending"] == "whole"


async def test_question_that_is_sent_again_is_not_asked_again(
    server: Server, core: FakeCore
) -> None:
    first, again = [(await ask(server.client, "hello"))[-1] for _ in range(2)]
    assert first[1]["text"] == again[1]["text"] == "You said: hello"
    assert again[1]["html"] == ["<p>You said: hello</p>"]
    assert len(core.received) == 1


async def test_question_is_answered_though_the_page_goes_away(
    server: Server, core: FakeCore
) -> None:
    going = asyncio.Event()

    async def held(sink: Sink, _: IncomingMessage) -> None:
        await sink.show(0, "One", "")
        await going.wait()
        await sink.finish(0, "One two", "")

    core.answer = held
    body = {"text": "hello", "question_id": "q1"}
    async with server.client.stream("POST", f"{HERE}/messages", json=body) as response:
        await anext(response.aiter_lines())
    going.set()
    await core.idle(core.received[0].conversation)
    assert not core.withdrawn
    assert (await ask(server.client, "hello"))[-1][1]["text"] == "One two"


@pytest.mark.parametrize(
    ("error", "again"), [(TooFast("Wait a minute."), False), (StoreBusy("Busy."), True)]
)
async def test_refused_question_is_a_sentence(
    server: Server, core: FakeCore, error: TooFast | StoreBusy, again: bool
) -> None:
    core.failures = [error]
    assert await ask(server.client, "hello") == [
        ("failed", {"message": str(error), "again": again})
    ]
    assert (await ask(server.client, "hello"))[-1][0] == "said"


@pytest.mark.parametrize(
    "body",
    [
        {"text": " ", "question_id": "q"},
        {"text": "x", "question_id": ""},
        {"text": "x", "question_id": "a b"},
        {"text": "x", "question_id": "q", "more": 1},
        {"text": "x", "question_id": "q", "files": [{"id": "../x", "name": "a", "media_type": ""}]},
    ],
)
async def test_question_that_says_nothing_clear_is_refused(
    server: Server, core: FakeCore, body: dict[str, Any]
) -> None:
    response = await server.client.post(f"{HERE}/messages", json=body)
    assert response.status_code == 422
    assert response.json()["error"]["message"]
    assert not core.received


async def test_history_has_questions_as_text_and_answers_as_html(server: Server) -> None:
    await ask(server.client, "<b>")
    found = (await server.client.get(HERE)).json()
    question, answer = found["turns"]
    assert (question["role"], question["text"]) == ("user", "<b>")
    assert answer["html"] == ["<p>You said: &lt;b&gt;</p>"]
    assert answer["key"].startswith("turn-")
    assert found["earlier"] == 0


def test_answers_that_were_asked_for_again_are_left_out_and_rests_are_joined() -> None:
    turns = [
        Turn(Role.USER, "hi", 1),
        Turn(Role.ASSISTANT, "Bad", 2, ending=Ending.REPLACED),
        Turn(Role.ASSISTANT, "One ", 3, ending=Ending.LENGTH),
        Turn(Role.ASSISTANT, "two", 4, continues=True, feedback=1),
    ]
    question, answer = items(turns)
    assert question.turn.text == "hi"
    assert (answer.turn.text, answer.key) == ("One two", "turn-4")
    assert (answer.turn.ending, answer.turn.feedback) == (Ending.WHOLE, 1)


async def test_list_names_conversations_and_deleting_takes_them_away(server: Server) -> None:
    await ask(server.client, "hello")
    (listed,) = (await server.client.get("/api/page/conversations")).json()
    assert (listed["id"], listed["title"]) == ("c1", "hello")
    assert (await server.client.delete(HERE)).status_code == 204
    assert (await server.client.get("/api/page/conversations")).json() == []


async def test_feedback_reaches_the_answer(server: Server, core: FakeCore) -> None:
    key = (await ask(server.client, "hello"))[-1][1]["key"]
    for value in (1, 0):
        said = await server.client.post(f"{HERE}/feedback", json={"key": key, "value": value})
        assert said.status_code == 204
        assert core.opinions[key] == value
    for wrong in ({"key": key, "value": 2}, {"key": "\ud800", "value": 1}, {"key": key}):
        said = await server.client.post(f"{HERE}/feedback", content=json.dumps(wrong))
        assert said.status_code == 422


async def upload(client: httpx.AsyncClient, name: str, content: bytes) -> httpx.Response:
    headers = {"Content-Type": "text/plain"}
    return await client.post(
        "/api/page/files", params={"name": name}, content=content, headers=headers
    )


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("report.txt", "report.txt"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Windows\\x.ini", "x.ini"),
        (".bashrc", "bashrc"),
        ("a\r\nSet-Cookie: b\u202etxt", "aSet-Cookie: btxt"),
        ("..", "file"),
    ],
)
async def test_file_reaches_the_core_below_its_folder_whatever_its_name(
    server: Server, core: FakeCore, name: str, safe: str
) -> None:
    file = (await upload(server.client, name, b"content")).json()
    await ask(server.client, "read this", files=[file])
    (attached,) = core.received[0].attachments
    assert (attached.name, attached.media_type, attached.size) == (safe, "text/plain", 7)
    assert Path(attached.path).parent == core.files
    assert Path(attached.path).read_bytes() == b"content"


async def test_file_that_is_too_large_is_refused_and_leaves_nothing() -> None:
    async with serving(max_upload=1000) as server:

        async def pieces() -> Any:
            for _ in range(3):
                yield b"x" * 500

        for content in (b"x" * 1001, pieces()):
            response = await server.client.post(
                "/api/page/files", params={"name": "a"}, content=content
            )
            assert response.status_code == 413
        assert (await upload(server.client, "a", b"x" * 1000)).status_code == 201
        assert [file.stat().st_size for file in server.core.files.iterdir()] == [1000]


async def test_file_that_the_disk_does_not_take_is_a_sentence(
    server: Server, core: FakeCore
) -> None:
    core.files.rmdir()
    response = await upload(server.client, "a.txt", b"content")
    assert response.status_code == 507
    assert "could not be kept" in response.json()["error"]["message"]
    core.files.mkdir()


async def test_files_of_a_day_have_a_bound_and_older_ones_do_not_count() -> None:
    async with serving(max_upload=1000) as server:
        files = server.core.files
        for number in range(files_module.MOST_UPLOADS):
            (files / f"{number}").write_bytes(b"x" * 1000)
        response = await upload(server.client, "a", b"x")
        assert response.status_code == 507
        assert "no room for more files" in response.json()["error"]["message"]
        yesterday = time.time() - files_module.DAY_SECONDS - 60
        os.utime(files / "0", (yesterday, yesterday))
        for _ in range(2):
            assert (await upload(server.client, "a", b"")).status_code == 201


async def test_uploads_that_are_under_way_count(tmp_path: Path) -> None:
    room = files_module.Room(tmp_path, 1000)
    async with AsyncExitStack() as uploads:
        for _ in range(files_module.MOST_UPLOADS):
            await uploads.enter_async_context(room.for_one())
        with pytest.raises(Refusal):
            await uploads.enter_async_context(room.for_one())
    async with room.for_one():
        pass


async def test_files_leave_room_on_the_disk(
    server: Server, core: FakeCore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files_module, "LEAST_FREE", 2**62)
    assert (await upload(server.client, "a.txt", b"content")).status_code == 507
    assert list(core.files.iterdir()) == []


async def test_file_of_any_type_is_taken(server: Server) -> None:
    for media_type in (b"\xff\xfe", b"x" * 500, b""):
        headers = {b"Content-Type": media_type}
        response = await server.client.post(
            "/api/page/files", params={"name": "\ud83d\x00"[1:]}, content=b"", headers=headers
        )
        assert response.status_code == 201
        file = response.json()
        assert (await ask(server.client, "x", file["id"], files=[file]))[-1][0] == "said"


async def test_long_history_comes_in_pages_though_most_of_it_was_asked_again(
    server: Server, core: FakeCore
) -> None:
    await ask(server.client, "hello")
    where = core.received[0].conversation
    replaced = [
        Turn(Role.ASSISTANT, "Old.", number, ending=Ending.REPLACED) for number in range(2, 102)
    ]
    core._turns[where] = [
        Turn(Role.USER, "first", 1),
        *replaced,
        Turn(Role.ASSISTANT, "Last.", 102),
    ]
    texts: list[str] = []
    before = 0
    while not texts or before:
        page = (await server.client.get(HERE, params={"before": before})).json()
        texts[:0] = [turn["text"] for turn in page["turns"]]
        before = page["earlier"]
    assert texts == ["first", "Last."]


async def test_file_that_is_gone_is_a_sentence(server: Server, core: FakeCore) -> None:
    file = {"id": "0" * 32, "name": "a.txt", "media_type": "text/plain"}
    body = {"text": "x", "question_id": "q", "files": [file]}
    response = await server.client.post(f"{HERE}/messages", json=body)
    assert response.status_code == 410
    assert "a.txt is gone" in response.json()["error"]["message"]
    assert not core.received


async def test_document_is_saved_and_never_shown(server: Server, core: FakeCore) -> None:
    async def export(sink: Sink, _: IncomingMessage) -> None:
        await sink.finish(0, "Here it is.", "")
        await sink.attach(Document('<b>"\r\n/ä.html', "text/html", b"<script>"))

    core.answer = export
    assert (await ask(server.client, "/export"))[-1][1]["document"]
    response = await server.client.get(f"{HERE}/documents/q1")
    assert response.content == b"<script>"
    assert response.headers["content-type"] == "application/octet-stream"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["content-disposition"] == "attachment; filename*=UTF-8''%C3%A4.html"
    assert (await server.client.get(f"{HERE}/documents/q2")).status_code == 404


async def test_conversations_belong_to_the_key_and_stay_when_keys_are_reordered() -> None:
    async with serving(environment={"TUNEBOT_API_KEYS": f"{KEY},{OTHER_KEY}"}) as server:
        assert (await server.client.get("/")).status_code == 200
        assert (await server.client.get("/page/main.js")).status_code == 200
        assert (await server.client.get("/api/page/conversations")).status_code == 401
        mine, other = ({"Authorization": f"Bearer {key}"} for key in (KEY, OTHER_KEY))
        server.client.headers.update(mine)
        await ask(server.client, "mine")
        listed = await server.client.get("/api/page/conversations")
        assert [each["title"] for each in listed.json()] == ["mine"]
        for path in ("/api/page/conversations", HERE):
            seen = await server.client.get(path, headers=other)
            assert "mine" not in seen.text
        message = server.core.received[0]
        assert KEY not in message.person.id + message.conversation.channel
        who = message.person.id
    async with serving(environment={"TUNEBOT_API_KEYS": f"{OTHER_KEY},{KEY}"}) as server:
        server.client.headers.update(mine)
        await ask(server.client, "mine")
        assert server.core.received[0].person.id == who
