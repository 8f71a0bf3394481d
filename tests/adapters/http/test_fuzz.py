"""Whatever is sent to the question interface is answered, or refused by the name of its field."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bot.commands import is_command
from tests.adapters.http.answers import question
from tests.adapters.http.stage import Server, serving
from tests.shared import shared

PATH = "/api/question"
JSON = {"content-type": "application/json"}

DATA = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
FIELDS = ("user_id", "question", "group_id", "question_id", "stream")

fuzzed = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serving(requests_per_minute=10**6) as server:
        yield server


async def send(server: Server, body: bytes | str) -> httpx.Response:
    return await server.client.post(PATH, content=body, headers=JSON)


def check(response: httpx.Response) -> None:
    """An answer in the interface's form, or a sentence about one field."""
    if response.status_code == 200:
        assert response.text
        return
    assert response.status_code in {400, 413, 422}, response.text
    error = response.json()["error"]
    assert error["message"].endswith(".")
    assert error["field"]


@fuzzed
@given(st.binary())
@example(b"")
@example(b"\xff\xfe{\x00}\x00")
@example(b"\xef\xbb\xbf{}")
@example(b"[" * 100_000)
@example(b'{"a":' * 100_000)
@example(b"1" * 5000)
@example(b"1e999")
@example(b"-Infinity")
@example(b'"\\ud800"')
@example(b'{"\\ud800": 1}')
async def test_any_bytes_are_answered_or_refused(server: Server, body: bytes) -> None:
    check(await send(server, body))


@fuzzed
@given(DATA)
async def test_any_json_is_answered_or_refused(server: Server, body: Any) -> None:
    check(await send(server, json.dumps(body)))


@fuzzed
@given(st.dictionaries(st.sampled_from(FIELDS) | st.text(), DATA), st.data())
async def test_any_change_of_a_question_is_answered_or_refused(
    server: Server, changes: dict[str, Any], data: st.DataObject
) -> None:
    body = question(**changes)
    dropped = data.draw(st.sets(st.sampled_from(FIELDS), max_size=1))
    body["pars"] = {name: value for name, value in body["pars"].items() if name not in dropped}
    check(await send(server, json.dumps(body)))


@fuzzed
@given(st.text(min_size=1), st.text(max_size=9))
async def test_any_text_is_answered_as_it_was_asked(
    server: Server, text: str, question_id: str
) -> None:
    response = await send(server, json.dumps(question(text, question_id)))
    check(response)
    if response.status_code == 200 and not question_id:
        assert response.json()["pars"]["answer"] == f"You said: {text}"


async def test_every_naughty_string_is_answered_as_it_was_asked(server: Server) -> None:
    strings = [text for text in shared("data/strings/blns.json") if text and not is_command(text)]
    posts = (server.client.post(PATH, json=question(text, "")) for text in strings)
    for text, response in zip(strings, await asyncio.gather(*posts), strict=True):
        assert response.json()["pars"]["answer"] == f"You said: {text}"


@pytest.mark.parametrize(
    ("changes", "field", "wrong"),
    [
        ({"user_id": 123}, "pars.user_id", "is not a text"),
        ({"user_id": ""}, "pars.user_id", "is empty"),
        ({"user_id": "a\nb"}, "pars.user_id", "has control characters"),
        ({"user_id": "x" * 129}, "pars.user_id", "has more than 128 characters"),
        ({"group_id": None}, "pars.group_id", "is not a text"),
        ({"group_id": "\0"}, "pars.group_id", "has control characters"),
        ({"question_id": []}, "pars.question_id", "is not a text"),
        ({"question_id": "x" * 129}, "pars.question_id", "has more than 128 characters"),
        ({"text": ""}, "pars.question", "is empty"),
        ({"text": "a\0b"}, "pars.question", "has control characters"),
        ({"text": "x" * 32_001}, "pars.question", "has more than 32000 characters"),
        ({"stream": "yes"}, "pars.stream", "is neither true nor false"),
        ({"temperature": 1}, "pars.temperature", "is not a field of this interface"),
    ],
)
async def test_field_that_cannot_be_used_is_named(
    server: Server, changes: dict[str, Any], field: str, wrong: str
) -> None:
    response = await server.client.post(PATH, json=question(**changes))
    assert response.status_code == 422
    assert response.json() == {"error": {"message": f"{field} {wrong}.", "field": field}}


@pytest.mark.parametrize("field", ["user_id", "question", "group_id", "question_id"])
async def test_field_that_is_missing_is_named(server: Server, field: str) -> None:
    body = question()
    del body["pars"][field]
    response = await server.client.post(PATH, json=body)
    assert response.status_code == 422
    assert response.json()["error"] == {
        "message": f"pars.{field} is missing.",
        "field": f"pars.{field}",
    }


@pytest.mark.parametrize(
    ("body", "field", "message"),
    [
        ({}, "version", "version is missing."),
        ([], "body", "body is not an object."),
        ("hi", "body", "body is not an object."),
        ({"version": "1.0.0"}, "pars", "pars is missing."),
        ({"version": "1.0.0", "pars": []}, "pars", "pars is not an object."),
        ({**question(), "version": "2.0.0"}, "version", "version is not '1.0.0'."),
        ({**question(), "more": 1}, "more", "more is not a field of this interface."),
    ],
)
async def test_shape_that_cannot_be_used_is_named(
    server: Server, body: Any, field: str, message: str
) -> None:
    response = await server.client.post(PATH, json=body)
    assert response.status_code == 422
    assert response.json() == {"error": {"message": message, "field": field}}


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "Expecting value"),
        (b"{", "Expecting property name"),
        (b'{"a": 1, "a": 2}', "a key stands there twice"),
        (b'{"a": NaN}', "NaN is no number"),
        (b'"\xff"', "it is not UTF-8"),
        (b'"\\ud83d"', "half of a surrogate pair stands alone"),
        (b"[" * 100_000, "it is nested too deeply"),
    ],
)
async def test_body_that_is_no_json_is_refused_with_the_reason(
    server: Server, body: bytes, reason: str
) -> None:
    response = await send(server, body)
    assert response.status_code == 400
    assert response.json()["error"]["message"].startswith(f"The body is not JSON: {reason}")


async def test_body_that_is_too_long_is_refused(server: Server) -> None:
    response = await server.client.post(PATH, json=question("x" * 1_100_000))
    assert response.status_code == 413


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "", "json"])
async def test_body_of_another_type_is_refused(server: Server, kind: str) -> None:
    body = json.dumps(question())
    response = await server.client.post(PATH, content=body, headers={"content-type": kind})
    assert response.status_code == 415


async def test_json_may_say_its_charset(server: Server) -> None:
    headers = {"content-type": "Application/JSON; charset=utf-8"}
    response = await server.client.post(PATH, content=json.dumps(question()), headers=headers)
    assert response.status_code == 200
