"""Streamed answers as they are on the wire."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from jsonschema import Draft202012Validator

from tests.local.api import Api
from tests.shared import shared
from tests.tuning_server.specification import modern

SCHEMAS = {
    "chat/completions": "CreateChatCompletionStreamResponse",
    "completions": "CreateCompletionResponse",
}

Json = dict[str, Any]


async def streamed(api: Api, path: str, body: Json) -> list[Json]:
    """The chunks of an answer."""
    async with api.http.stream("POST", path, json=body) as response:
        events = [line.removeprefix("data: ") async for line in response.aiter_lines() if line]
    assert events.pop() == "[DONE]"
    return [json.loads(event) for event in events]


def require_described(path: str, chunks: Sequence[Json]) -> None:
    """Hold chunks against OpenAI's description. It has no word for a completion that goes on, whose
    reason to end OpenAI sends as null.
    """
    parts = modern(shared("specs/openai.json")["components"])
    reference = f"#/components/schemas/{SCHEMAS[path]}"
    described = Draft202012Validator({"$ref": reference, "components": parts})
    for chunk in chunks:
        for choice in chunk["choices"] if path == "completions" else ():
            choice["finish_reason"] = choice["finish_reason"] or "stop"
        described.validate(chunk)
