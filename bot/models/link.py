"""The link to one provider: its connections, and how a request goes over them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
from pydantic_core import PydanticSerializationError, from_json, to_json

from bot.errors import ModelError, ModelUnavailable
from bot.messages import Attachment, Chunk, Profile
from bot.models.answer import Answer
from bot.models.endpoint import Endpoint
from bot.models.events import Event, body_of, events_of
from bot.models.failures import failure, status_of, unreadable, what_broke
from bot.models.retries import Trouble
from bot.models.transport import BROKEN, Connections
from bot.ports import Clock

# How long the usage and the end of the body may take after the last token, in seconds.
TAIL = 2.0
# More of an error's body, in bytes, says nothing new.
LONGEST_ERROR = 65_536


class Link:
    """One provider. Its connections are opened at the first request and kept between answers."""

    def __init__(self, endpoint: Endpoint, clock: Clock) -> None:
        self.endpoint = endpoint
        self._clock = clock
        self._connections = Connections()
        self._tells_usage = True

    async def aclose(self) -> None:
        """Close all connections; an answer on its way breaks."""
        await self._connections.aclose()

    async def attempt(
        self, profile: Profile, body: Mapping[str, Any], answer: Answer
    ) -> AsyncGenerator[Chunk, None]:
        """One try: the answer's text. Raises Trouble where another try may help, or ModelError."""
        endpoint = self.endpoint
        try:
            async with (
                self._asked(profile, body) as response,
                aclosing(events_of(endpoint, response)) as events,
            ):
                async for event in events:
                    if event.error is not None:
                        raise failure(endpoint, profile, status_of(event.error), event.error)
                    shown = answer.take(event)
                    if answer.finish:
                        break
                    if shown:
                        yield Chunk(shown)
                else:
                    raise Trouble(f"The provider {endpoint.name} stopped before the answer's end")
                last = shown + answer.rest()
                if not answer.cut:
                    if last:
                        yield Chunk(last)
                    await _tail(events, answer)
                    return
        except BROKEN as error:
            # The error knows the request, and the request the key.
            raise Trouble(what_broke(endpoint, error)) from None
        # The model would write on after a stop that only we look for: the connection is closed.
        if last:
            yield Chunk(last)

    async def models(self) -> list[str]:
        """The names of the models that the provider lists. One try; raises ModelError."""
        endpoint = self.endpoint
        try:
            client = await self._connections.client(endpoint)
            answer = await client.get(endpoint.models_url, headers=endpoint.headers)
            if not answer.is_success:
                nobody = Profile("", endpoint.name, "")
                raise failure(endpoint, nobody, answer.status_code, answer.content)
            return sorted(str(model["id"]) for model in from_json(answer.content)["data"])
        except BROKEN as error:
            raise ModelUnavailable(
                f"{what_broke(endpoint, error)}: check base_url, and that the server runs."
            ) from None
        except Trouble as trouble:
            raise ModelUnavailable(f"{trouble}: try again later.{trouble.quote}") from None
        except (ValueError, TypeError, KeyError):
            raise unreadable(endpoint, "something else") from None

    async def transcribe(self, model: str, speech: Attachment) -> str:
        """What is said in a recording. One try; raises Trouble where another may help, ModelError.

        POST /audio/transcriptions: https://platform.openai.com/docs/api-reference/audio.
        """
        endpoint = self.endpoint
        try:
            content = await asyncio.to_thread(Path(speech.path).read_bytes)
            client = await self._connections.client(endpoint)
            answer = await client.post(
                endpoint.transcriptions_url(model),
                headers={k: v for k, v in endpoint.headers.items() if k != "Content-Type"},
                data={"model": model, "response_format": "json"},
                files={"file": (speech.name, content, speech.media_type)},
            )
            if not answer.is_success:
                asked = Profile("", endpoint.name, model)
                now = self._clock.now()
                raise failure(
                    endpoint, asked, answer.status_code, answer.content, answer.headers, now
                )
            return str(from_json(answer.content)["text"]).strip()
        except BROKEN as error:
            raise Trouble(what_broke(endpoint, error)) from None
        except (OSError, ValueError, TypeError, KeyError):
            raise unreadable(endpoint, "something else") from None

    @asynccontextmanager
    async def _asked(
        self, profile: Profile, body: Mapping[str, Any]
    ) -> AsyncIterator[httpx.Response]:
        """The response to a request, closed at the end. Raises Trouble or ModelError for a refusal.

        The usage is asked for unless this provider once refused a request for that.
        """
        client = await self._connections.client(self.endpoint)
        while True:
            asked_usage = self._tells_usage
            response = await client.send(self._request(client, profile, body), stream=True)
            said = b""
            try:
                if response.is_success:
                    yield response
                    return
                with suppress(*BROKEN):
                    said = await body_of(response, LONGEST_ERROR)
            finally:
                await response.aclose()
            status = response.status_code
            if not (asked_usage and status in (400, 422) and b"stream_options" in said):
                now = self._clock.now()
                raise failure(self.endpoint, profile, status, said, response.headers, now)
            self._tells_usage = False

    def _request(
        self, client: httpx.AsyncClient, profile: Profile, body: Mapping[str, Any]
    ) -> httpx.Request:
        options = {"stream_options": {"include_usage": True}} if self._tells_usage else {}
        sent = {**body, "stream": True, **options}
        try:
            content = to_json(sent, inf_nan_mode="constants")
        except PydanticSerializationError:  # halves of surrogate pairs, which become "?"
            content = json.dumps(sent, ensure_ascii=False).encode("utf-8", "replace")
        url = self.endpoint.url(profile)
        return client.build_request("POST", url, content=content, headers=self.endpoint.headers)


async def _tail(events: AsyncIterator[Event], answer: Answer) -> None:
    """Read what follows the last token: the usage, and the body's end, which frees the connection.

    The answer is whole already, so nothing here is an error.
    """
    with suppress(*BROKEN, ModelError, TimeoutError):
        async with asyncio.timeout(TAIL):
            async for event in events:
                answer.usage = event.usage or answer.usage
