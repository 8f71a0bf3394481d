"""What goes over the wire is what OpenAI's own description of its API says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator

from bot.messages import Profile
from tests.fakes import configuration, running
from tests.scripted_model import Answer, ScriptedModel
from tests.shared import shared

CHAT = Profile(
    "assistant", "scripted", "gpt-4o-mini", params={"temperature": 0.5}, stop=("END", "\n\n")
)
COMPLETIONS = Profile(
    "assistant", "scripted", "davinci-002", api="completions", separator=" ->", stop=("\n",)
)


def valid(schema: str, value: Any) -> None:
    """Hold a value against a schema of the description."""
    spec = shared("specs/openai.json")
    root = {"$ref": f"#/components/schemas/{schema}", "components": spec["components"]}
    errors = list(Draft202012Validator(root).iter_errors(value))
    assert not errors, errors[0].message


@pytest.mark.parametrize(
    ("profile", "schema"),
    [(CHAT, "CreateChatCompletionRequest"), (COMPLETIONS, "CreateCompletionRequest")],
)
async def test_our_requests_are_valid(
    model: ScriptedModel, tmp_path: Path, profile: Profile, schema: str
) -> None:
    config = configuration(tmp_path, model.base_url, profiles={"assistant": profile})
    model.script(Answer(text="one, tw", finish="length"))
    async with running(config) as bot:
        for text in ("count", "/continue", "/retry", "and then?"):
            await bot.hears(text)
    assert len(model.bodies) == 4
    for body in model.bodies:
        valid(schema, body)


@pytest.mark.parametrize(
    ("path", "body", "schema"),
    [
        (
            "chat/completions",
            {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]},
            "CreateChatCompletionResponse",
        ),
        ("completions", {"model": "davinci-002", "prompt": "hi"}, "CreateCompletionResponse"),
        ("chat/completions", {"model": "gpt-4o"}, "ErrorResponse"),
    ],
)
async def test_the_scripted_model_answers_as_openai_would(
    model: ScriptedModel, path: str, body: dict[str, Any], schema: str
) -> None:
    async with httpx.AsyncClient() as client:
        answer = await client.post(f"{model.base_url}/{path}", json=body)
    valid(schema, answer.json())
