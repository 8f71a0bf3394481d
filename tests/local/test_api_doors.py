"""Who may use the API, and what it takes."""

from __future__ import annotations

import asyncio
import errno
import os
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.errors import ConfigError
from bot.local.api import upload
from bot.local.api.access import Access
from bot.local.api.web import listen
from tests.local.api import CHAT, Api, serving
from tests.local.scripted import ScriptedTrainer

BOUNDARY = "b"


@pytest.mark.parametrize("key", ["", "Bearer wrong", "Basic x"])
async def test_without_a_key_nothing_is_answered(key: str, api: Api) -> None:
    for path in ("models", "files", "fine_tuning/jobs", "../status"):
        response = await api.http.get(path, headers={"Authorization": key})
        assert response.status_code == 401
        assert response.json()["error"]["code"] == "invalid_api_key"


async def answer(is_open: bool, **headers: str) -> int:
    """The status of a request to a server that has the key "secret"."""

    async def app(_: Any, __: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    transport = httpx.ASGITransport(Access(app, ["secret"], is_open=is_open))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:80") as client:
        return (await client.get("/", headers=headers)).status_code


@pytest.mark.parametrize(
    ("is_open", "headers", "status"),
    [
        (True, {}, 200),
        (True, {"Host": "localhost:8081"}, 200),
        (True, {"Host": "[::1]:8081"}, 200),
        (True, {"Host": "evil.example"}, 421),
        (True, {"Host": "evil.example", "Authorization": "Bearer secret"}, 200),
        (True, {"Origin": "https://evil.example"}, 403),
        (True, {"Sec-Fetch-Site": "cross-site"}, 403),
        (False, {}, 401),
        (False, {"Authorization": "bearer secret"}, 200),
        (False, {"Authorization": "Bearer secret", "Origin": "null"}, 403),
    ],
)
async def test_web_pages_are_kept_out_and_programs_let_in(
    is_open: bool, headers: dict[str, str], status: int
) -> None:
    assert await answer(is_open, **headers) == status


def form(*parts: tuple[str, bytes]) -> bytes:
    """A form of parts, each with what stands in its Content-Disposition."""
    whole = b""
    for head, content in parts:
        whole += f"--{BOUNDARY}\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode()
        whole += content + b"\r\n"
    return whole + f"--{BOUNDARY}--\r\n".encode()


async def send(api: Api, content: bytes) -> httpx.Response:
    kind = f"multipart/form-data; boundary={BOUNDARY}"
    return await api.http.post("files", content=content, headers={"Content-Type": kind})


PURPOSE = ('name="purpose"', b"fine-tune")
FILE = ('name="file"; filename="a.jsonl"', CHAT)


@pytest.mark.parametrize(
    ("content", "status", "sentence"),
    [
        (form(FILE, PURPOSE), 200, ""),
        (form(PURPOSE, FILE), 200, ""),
        (form(FILE), 400, "is not one of"),
        (form(PURPOSE), 400, "'file' is a required property"),
        (form(PURPOSE, ('name="file"', CHAT)), 400, "required property"),
        (form(FILE, ('name="purpose"', b"x" * 5000)), 400, "too long"),
        (form(PURPOSE, FILE)[:-30], 400, "its end is missing"),
        (b"nonsense", 400, "cannot be read"),
    ],
)
async def test_forms_are_read_in_any_order(
    content: bytes, status: int, sentence: str, api: Api, tmp_path: Path
) -> None:
    response = await send(api, content)
    assert response.status_code == status
    kept = list((tmp_path / "tuning" / "files").iterdir())
    if status == 200:
        assert kept[0].read_bytes() == CHAT
    else:
        assert sentence in response.json()["error"]["message"]
        assert not kept


async def test_form_of_another_kind_is_refused(api: Api) -> None:
    assert (await api.http.post("files", json={"purpose": "fine-tune"})).status_code == 400


async def test_file_that_is_too_large_is_refused_and_not_kept(
    api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload, "LARGEST", 100)
    response = await send(api, form(PURPOSE, ('name="file"; filename="a"', b"x" * 101)))
    assert response.status_code == 413
    assert not list((tmp_path / "tuning" / "files").iterdir())


async def test_full_disk_is_said_and_leaves_nothing(
    api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", full)
        response = await send(api, form(PURPOSE, FILE))
    assert (response.status_code, response.json()["error"]["code"]) == (507, "disk_full")
    assert not list((tmp_path / "tuning" / "files").iterdir())


async def test_files_are_listed_by_purpose_in_either_order(api: Api) -> None:
    ids = [await api.upload() for _ in range(3)]
    other = await api.sdk.files.create(file=("b.txt", b"text"), purpose="user_data")
    newest = [file.id async for file in api.sdk.files.list(purpose="fine-tune", limit=2)]
    assert newest == ids[::-1]
    oldest = [file.id async for file in api.sdk.files.list(order="asc", limit=1)]
    assert oldest == [*ids, other.id]
    assert (await api.sdk.files.content(other.id)).content == b"text"
    assert not (await api.sdk.files.list(purpose="batch")).data


@settings(max_examples=40, deadline=None)
@given(cuts=st.lists(st.integers(0, 400), max_size=8), content=st.binary(max_size=300))
def test_form_is_the_same_however_it_is_cut(
    cuts: list[int], content: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    if f"--{BOUNDARY}".encode() in content:
        return
    whole = form(PURPOSE, ('name="file"; filename="a%22b"', content))
    places = [0, *sorted(min(cut, len(whole)) for cut in cuts), len(whole)]
    pieces = [whole[start:end] for start, end in pairwise(places)]

    class Request:
        headers = {"content-type": f"multipart/form-data; boundary={BOUNDARY}"}  # noqa: RUF012

        async def stream(self) -> Any:
            for piece in pieces:
                yield piece

    path = tmp_path_factory.mktemp("form") / "file"
    read = upload.Upload(path)
    asyncio.run(read.read(Request()))  # type: ignore[arg-type]
    assert path.read_bytes() == content
    assert (read.name, read.size, read.texts) == ('a"b', len(content), {"purpose": "fine-tune"})


async def test_name_of_a_file_is_kept_as_it_was_before_it_went_into_a_header(api: Api) -> None:
    for name in ('say "hi".jsonl', "50%25 off %2F.jsonl", "two\r\nlines.jsonl"):
        kept = await api.sdk.files.create(file=(name, CHAT), purpose="fine-tune")
        assert kept.filename == name
        assert (await api.sdk.files.content(kept.id)).content == CHAT


async def test_every_purpose_of_the_description_is_taken(api: Api) -> None:
    # The description of the answer does not have all that the one of the request has.
    async with httpx.AsyncClient(base_url=api.http.base_url, headers=api.http.headers) as http:
        for purpose in ("assistants", "batch", "fine-tune", "vision", "user_data", "evals"):
            kept = await http.post("files", data={"purpose": purpose}, files={"file": ("a", b"x")})
            assert (kept.status_code, kept.json().get("purpose")) == (200, purpose)


@pytest.mark.parametrize(
    ("anchor", "seconds"),
    [("created_at", "3599"), ("created_at", "2592001"), ("created_at", "1e4"), ("now", "3600")],
)
async def test_expiry_that_cannot_be_is_refused(anchor: str, seconds: str, api: Api) -> None:
    parts = [
        ('name="expires_after[anchor]"', anchor.encode()),
        ('name="expires_after[seconds]"', seconds.encode()),
    ]
    for some in (parts, parts[:1], parts[1:], [('name="expires_after"', b"3600")]):
        response = await send(api, form(*some, PURPOSE, FILE))
        assert (response.status_code, response.json()["error"]["param"]) == (400, "expires_after")


@pytest.mark.usefixtures("llama")
async def test_file_goes_when_its_time_is_over(tmp_path: Path, trainer: ScriptedTrainer) -> None:
    clock = 1000.0
    async with serving(tmp_path, trainer, now=lambda: clock) as api:
        until: Any = {"anchor": "created_at", "seconds": 3600}
        file = await api.sdk.files.create(
            file=("a.jsonl", CHAT), purpose="fine-tune", expires_after=until
        )
        assert file.expires_at == 4600
        stays = await api.upload()
        clock = 4599.0
        assert [each.id async for each in api.sdk.files.list()] == [stays, file.id]
        clock = 4600.0
        assert [each.id async for each in api.sdk.files.list()] == [stays]
        for asking in (api.sdk.files.retrieve(file.id), api.sdk.files.content(file.id)):
            with pytest.raises(openai.NotFoundError):
                await asking
        with pytest.raises(openai.BadRequestError, match="invalid training_file"):
            await api.create(file.id)
        last = await api.upload()
        assert {path.name for path in (tmp_path / "tuning" / "files").iterdir()} == {stays, last}


def test_address_that_cannot_be_had_is_said() -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"--port: {port} cannot be used"):
            listen("127.0.0.1", port)
    with pytest.raises(ConfigError, match=r"no address '203\.0\.113\.1'"):
        listen("203.0.113.1", 0)
