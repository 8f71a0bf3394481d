"""The model that the tests talk to keeps OpenAI's rules."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.scripted_model import Answer, ScriptedModel

SPECIFICATION = Path(__file__).parents[3] / "shared" / "specs" / "openai.json"
HI: list[dict[str, Any]] = [{"role": "user", "content": "hi"}]


async def asked(server: ScriptedModel, path: str, **body: Any) -> httpx.Response:
    async with httpx.AsyncClient() as client:
        return await client.post(server.base_url + path, json={"model": "m"} | body)


def events(response: httpx.Response) -> list[dict[str, Any]]:
    lines = [line.removeprefix("data: ") for line in response.text.splitlines() if line]
    assert lines.pop() == "[DONE]"
    return [json.loads(line) for line in lines]


@pytest.mark.parametrize(
    "wrong",
    [
        {"messages": []},
        {"messages": HI, "stop": ["a", "b", "c", "d", "e"]},
        {"messages": HI, "stop": 7},
        {"messages": HI, "stop": [7]},
        {"messages": HI, "temperature": 3},
        {"messages": HI, "stream_options": {"include_usage": True}},
        {"messages": HI, "suffix": None},
        {"messages": HI, "model": ""},
        {"messages": [{"role": "robot", "content": "hi"}]},
    ],
)
async def test_body_against_the_rules_is_refused(
    model: ScriptedModel, wrong: dict[str, Any]
) -> None:
    answer = await asked(model, "/chat/completions", **wrong)
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"


async def test_answer_stops_where_the_request_says(model: ScriptedModel) -> None:
    model.script(*[Answer("one two. three")] * 2)
    cut = await asked(model, "/completions", prompt="x", stop=". ")
    assert cut.json()["choices"][0] | {"logprobs": 0} == {
        "index": 0, "text": "one two", "logprobs": 0, "finish_reason": "stop"
    }  # fmt: skip
    short = await asked(model, "/completions", prompt="x", max_tokens=1)
    assert short.json()["choices"][0]["finish_reason"] == "length"


@pytest.mark.skipif(not SPECIFICATION.exists(), reason="the specification is not here")
async def test_events_have_the_fields_of_the_specification(model: ScriptedModel) -> None:
    schemas = json.loads(SPECIFICATION.read_bytes())["components"]["schemas"]
    options = {"stream": True, "stream_options": {"include_usage": True}}
    for path, schema, question in (
        ("/chat/completions", "CreateChatCompletionStreamResponse", {"messages": HI}),
        ("/completions", "CreateCompletionResponse", {"prompt": "hi"}),
    ):
        for event in events(await asked(model, path, **question, **options)):
            assert (
                set(schemas[schema]["required"]) <= set(event) <= set(schemas[schema]["properties"])
            )


async def test_program_says_its_address_and_lengthens_its_answers() -> None:
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.scripted_model", "--tokens", "7", "--rate", "5000",
        stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    try:
        assert program.stdout
        url = (await program.stdout.readline()).decode().strip()
        async with httpx.AsyncClient() as client:
            body = {"model": "m", "messages": HI, "stream": True}
            answer = await client.post(f"{url}/chat/completions", json=body)
        said = [event["choices"][0]["delta"].get("content", "") for event in events(answer)]
        assert "".join(said) == "You said: hi word0 word1 word2 word3"
    finally:
        program.terminate()
        await program.wait()
