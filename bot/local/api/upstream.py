"""Requests to llama.cpp's server or a vLLM, whose answers are always streamed.

One that does not stream goes on when its client has gone (facts/local-models.md).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import httpx

from bot.local.api.bodies import value_of
from bot.local.api.chunks import chunks
from bot.local.api.embeddings import answered
from bot.local.api.errors import Refused
from bot.local.api.refusals import refusal_of
from bot.local.served import Place, Served

# While an answer waits for a slot, nothing comes. A connection is not used twice: llama.cpp may
# close one after a stream, unsaid.
TIMEOUT = httpx.Timeout(None, connect=5.0)
LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=0)
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

        Raises Refused where there is none, and httpx.RequestError where it breaks.
        """
        async with self._served.using(adapter) as place:
            if body.get("tools") and body.get("tool_choice") != "none":
                await self._require_tools(place)
            asked = {key: value for key, value in body.items() if key not in OURS} | {
                "stream": True,
                "stream_options": {"include_usage": True},
            }
            response = await self._send(place, path, asked)
            try:
                if response.status_code != 200:
                    raise refusal_of(response.status_code, await content(response))
                async with aclosing(chunks(response)) as stream:
                    yield stream
            finally:
                await response.aclose()

    async def embeddings(self, body: Json) -> Json:
        """Embeddings of the base. Raises Refused and LocalUnavailable."""
        async with self._served.embedding() as place:
            asked = {key: value for key, value in body.items() if value is not None}
            response = await self._send(place, "/embeddings", asked)
            try:
                said = await content(response)
            finally:
                await response.aclose()
        if response.status_code != 200:
            raise refusal_of(response.status_code, said)
        return answered(body, said)

    async def _require_tools(self, place: Place) -> None:
        """Raise Refused where llama.cpp would leave tools out without a word: what it tells a model
        of them is up to the model's template.
        """
        if not place.properties:
            return
        try:
            told = await self._client.get(place.properties, headers=key_of(place))
            takes = value_of(told.content)["chat_template_caps"]["supports_tools"]
        except httpx.RequestError:
            raise restarting() from None
        except (ValueError, KeyError, TypeError):
            return  # it does not say
        if not takes:
            raise Refused(
                400,
                "The model that is served here knows no tools, as its chat template has no place "
                'for them: leave tools out, or set tool_choice to "none".',
                "unsupported_parameter",
                "tools",
            )

    async def _send(self, place: Place, path: str, body: Json) -> httpx.Response:
        request = self._client.build_request(
            "POST",
            f"{place.base_url}{path}",
            json={**body, **place.told},
            headers=key_of(place),
        )
        try:
            return await self._client.send(request, stream=True)
        except httpx.RequestError:
            raise restarting() from None


async def content(response: httpx.Response) -> bytes:
    """The whole of what is no stream. Raises Refused."""
    try:
        return await response.aread()
    except httpx.RequestError:
        raise restarting() from None


def key_of(place: Place) -> dict[str, str]:
    return {"Authorization": f"Bearer {place.key}"}


def restarting() -> Refused:
    """The model's process has died, and another is on its way."""
    return Refused(
        503,
        "The model is being started again: try again in a few seconds.",
        "model_loading",
        headers={"Retry-After": "1"},
    )
