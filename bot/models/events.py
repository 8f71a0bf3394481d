"""The events of a streamed answer, whichever server sent them."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any, NamedTuple

import httpx
from httpx_sse import EventSource
from pydantic_core import from_json

from bot.messages import Usage
from bot.models.endpoint import Endpoint
from bot.models.failures import unreadable

# In bytes, of an answer that is not streamed.
LONGEST_ANSWER = 4_194_304


class Event(NamedTuple):
    """What one event says; empty where it says nothing. `error` is the error's object."""

    text: str = ""
    finish: str = ""
    usage: Usage | None = None
    error: Mapping[str, Any] | None = None


DONE = Event(finish="stop")


def event(data: str, kind: str = "message") -> Event:
    """Read the data of an event of this kind, or a whole answer that was not streamed.

    Fields that are not known are passed over. Raises ValueError for what is no JSON object.
    """
    payload = _object(data)
    if error := payload.get("error") or (kind == "error" and payload):
        return Event(error=error if isinstance(error, Mapping) else {"message": str(error)})
    counted = payload.get("usage")
    usage = _usage(counted) if counted else None
    choices = payload.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        return Event(usage=usage)
    choice = choices[0]
    finish = choice.get("finish_reason")
    text = _text(choice) if not choice.get("index") else ""
    return Event(text, finish if isinstance(finish, str) else "", usage)


def _object(data: str) -> dict[str, Any]:
    try:
        payload = from_json(data)
    except ValueError:
        payload = _mended(data) if "\\u" in data else None
    if not isinstance(payload, dict):
        raise ValueError("no JSON object")  # noqa: TRY004  (its callers catch what json raises)
    return payload


def _mended(data: str) -> Any:
    """The same with U+FFFD for halves of surrogate pairs, which only json reads.

    Servers send them that cut their text inside of a pair.
    """
    try:
        whole = json.dumps(json.loads(data), ensure_ascii=False)
        return json.loads(whole.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))
    except RecursionError:
        return None


def _text(choice: Mapping[str, Any]) -> str:
    said = choice.get("delta") or choice.get("message")
    if isinstance(said, dict):
        content = said.get("content") or said.get("refusal")
    else:
        content = choice.get("text")
    if isinstance(content, list):
        parts = (part.get("text") for part in content if isinstance(part, dict))
        return "".join(part for part in parts if isinstance(part, str))
    return content if isinstance(content, str) else ""


def _usage(counted: object) -> Usage | None:
    if not isinstance(counted, dict):
        return None
    prompt, completion = counted.get("prompt_tokens"), counted.get("completion_tokens")
    if not isinstance(prompt, int) or prompt < 0:
        return None
    return Usage(prompt, completion if isinstance(completion, int) and completion > 0 else 0)


async def events_of(endpoint: Endpoint, response: httpx.Response) -> AsyncGenerator[Event, None]:
    """What the server says, event by event, to the end of the body.

    Raises ModelRefused for what is no model's answer.
    """
    kind = response.headers.get("content-type", "")
    heard = False
    try:
        if "html" in kind:
            raise unreadable(endpoint, "a web page")
        if "json" in kind:
            # A server that does not stream.
            whole = event((await body_of(response, LONGEST_ANSWER)).decode("utf-8", "replace"))
            yield whole._replace(finish=whole.finish or "stop")
            return
        # Events are UTF-8 by their standard, whatever a server writes here.
        response.headers["content-type"] = "text/event-stream; charset=utf-8"
        async with aclosing(EventSource(response).aiter_sse()) as events:
            async for one in events:
                heard = True
                if one.data == "[DONE]":
                    yield DONE
                elif one.data:
                    yield event(one.data, one.event)
    except ValueError:
        raise unreadable(endpoint, "something broken") from None
    if not heard and "event-stream" not in kind:
        raise unreadable(endpoint, "something else")


async def body_of(response: httpx.Response, most: int) -> bytes:
    """The first `most` bytes of a body."""
    body = bytearray()
    async for piece in response.aiter_bytes():
        body += piece
        if len(body) >= most:
            break
    return bytes(body[:most])
