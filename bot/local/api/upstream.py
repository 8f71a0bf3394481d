"""Requests to llama.cpp's server, whose answers are always streamed.

One that does not stream goes on when its client has gone (facts/local-models.md).
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import httpx

from bot.local.api.errors import Refused
from bot.local.served import Place, Served

# While an answer waits for a slot, nothing comes. A connection is not used twice: llama.cpp may
# close one after a stream, unsaid.
TIMEOUT = httpx.Timeout(None, connect=5.0)
LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=0)
FIELD = re.compile(r"Field '(\w+)'")
USUAL = {"invalid_request_error", "server_error"}  # types of errors, which say nothing more
OURS = {"lora", "id_slot", "stream", "stream_options", "echo"}  # what clients do not decide there

Json = dict[str, Any]


class Upstream:
    """What answers, wherever it has an adapter."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self._client = httpx.AsyncClient(timeout=TIMEOUT, limits=LIMITS, trust_env=False)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    @asynccontextmanager
    async def answer(
        self, path: str, body: Json, adapter: str
    ) -> AsyncIterator[AsyncGenerator[Json, None]]:
        """The chunks of an answer, once it has begun. It ends with the context.

        Raises Refused where there is none, and httpx.TransportError where it breaks.
        """
        async with self._served.using(adapter) as place:
            asked = {key: value for key, value in body.items() if key not in OURS} | {
                "stream": True,
                "stream_options": {"include_usage": True},
            }
            response = await self._send(place, path, asked)
            try:
                if response.status_code != 200:
                    raise refusal_of(response.status_code, await response.aread())
                async with aclosing(chunks(response)) as stream:
                    yield stream
            finally:
                await response.aclose()

    async def embeddings(self, body: Json) -> Json:
        """Embeddings, if the model can."""
        async with self._served.using("") as place:
            response = await self._send(place, "/embeddings", body)
            content = await response.aread()
        if response.status_code != 200:
            raise refusal_of(response.status_code, content)
        answer: Json = json.loads(content)
        return answer

    async def _send(self, place: Place, path: str, body: Json) -> httpx.Response:
        request = self._client.build_request(
            "POST",
            f"{place.base_url}{path}",
            json={**body, **place.told},
            headers={"Authorization": f"Bearer {place.key}"},
        )
        try:
            return await self._client.send(request, stream=True)
        except httpx.TransportError:
            raise restarting() from None


async def chunks(response: httpx.Response) -> AsyncGenerator[Json, None]:
    """The chunks of a stream. Raises Refused for an error in it, and where it breaks
    httpx.TransportError.
    """
    ended = False
    async for line in response.aiter_lines():
        name, _, data = line.partition(":")
        if name == "error":
            raise refusal_of(500, data.encode())
        if name != "data":
            continue
        if data.strip() == "[DONE]":
            ended = True
            continue
        chunk = json.loads(data) or {}  # several prompts begin with null
        if "error" in chunk:
            raise refusal_of(500, data.encode())
        if chunk:
            yield chunk
    if not ended:
        raise httpx.RemoteProtocolError("the model died while it answered")


def restarting() -> Refused:
    """The model's process has died, and another is on its way."""
    return Refused(
        503,
        "The model is being started again: try again in a few seconds.",
        "model_loading",
        headers={"Retry-After": "1"},
    )


def refusal_of(status: int, body: bytes) -> Refused:
    """llama.cpp's error as ours."""
    try:
        error = json.loads(body)
        error = error.get("error", error)
        message, kind = str(error["message"]), str(error.get("type") or "")
    except (ValueError, KeyError, AttributeError):
        message, kind, error = "The model answered something else than an answer.", "", {}
    if kind == "exceed_context_size_error":
        message = (
            f"This model's maximum context length is {error['n_ctx']} tokens. However, your "
            f"messages resulted in {error['n_prompt_tokens']} tokens."
        )
        return Refused(400, message, "context_length_exceeded", "messages")
    if status == 501 or "input is not supported" in message:  # pictures and sounds
        return Refused(400, f"The model that is served here cannot do this: {message}")
    field = FIELD.match(message)
    return Refused(
        status, message, None if kind in USUAL else kind or None, field[1] if field else None
    )
