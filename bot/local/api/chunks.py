"""The chunks of an answer as a model server streams them: a vLLM is somebody else's, and what it
sends is looked at before anything is done with it.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Annotated, Any

import httpx
import structlog
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.local.api.bodies import value_of
from bot.local.api.errors import Refused
from bot.local.api.refusals import NO_ANSWER, refusal_of

MOST_CALLS = 1000  # of tools, in one answer

Json = dict[str, Any]
Count = Annotated[int, Field(ge=0)]

log = structlog.get_logger(__name__)


class Part(BaseModel):
    """What is looked at; whatever there is more is passed on."""

    model_config = ConfigDict(strict=True, extra="allow")


class Alternative(Part):
    token: str
    logprob: float


class Token(Alternative):
    top_logprobs: list[Alternative] | None = None


class Logprobs(Part):
    """Of a chat; the older form has lists of other names."""

    __pydantic_extra__: dict[str, list[Any] | None]
    content: list[Token] | None = None


class Function(Part):
    name: str | None = None
    arguments: str | None = None


class Call(Part):
    index: Annotated[int, Field(ge=0, lt=MOST_CALLS)] = 0
    id: str | None = None
    function: Function | None = None


class Delta(Part):
    tool_calls: list[Call] | None = None


class Choice(Part):
    index: Count
    finish_reason: str | None = None
    text: str | None = None
    delta: Delta | None = None
    logprobs: Logprobs | None = None


class Usage(Part):
    prompt_tokens: Count
    completion_tokens: Count
    total_tokens: Count


class Chunk(Part):
    choices: list[Choice]
    usage: Usage | None = None


async def chunks(response: httpx.Response) -> AsyncGenerator[Json, None]:
    """The chunks of a stream. Raises Refused for an error in it and for what is no chunk, and where
    it breaks httpx.RequestError.
    """
    ended = answered = False
    async for line in response.aiter_lines():
        name, _, data = line.partition(":")
        if name == "error":
            raise refusal_of(500, data)
        if name != "data":
            continue
        if data.strip() == "[DONE]":
            ended = True
        elif chunk := chunk_of(data):
            answered = answered or bool(chunk["choices"])
            yield chunk
    if not ended:
        raise httpx.RemoteProtocolError("the model died while it answered")
    if not answered:
        raise unreadable("choices")


def chunk_of(data: str) -> Json:
    """A chunk, {} for none. Raises Refused."""
    try:
        said = value_of(data)
    except ValueError:
        raise unreadable("data") from None
    if said is None:  # several prompts begin so
        return {}
    if isinstance(said, dict) and said.get("error"):
        raise refusal_of(500, data)
    try:
        Chunk.model_validate(said)
    except ValidationError as error:
        # Without the values: they are of somebody's conversation.
        raise unreadable(".".join(map(str, error.errors()[0]["loc"]))) from None
    chunk: Json = said
    return chunk


def unreadable(place: str) -> Refused:
    """What it means that a chunk is none, which is seen at a place in it."""
    log.warning("a model server sends what is no answer", place=place)
    return Refused(502, NO_ANSWER)
