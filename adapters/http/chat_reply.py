"""OpenAI's chat completions in data: what is answered, whole, in pieces, or not at all."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from secrets import token_hex
from typing import Any, Literal

from fastapi.responses import JSONResponse
from pydantic import BaseModel

from adapters.http.chat import Unusable
from adapters.http.errors import status_of
from adapters.http.schema import MINUTE, TokenUsage, token_counts
from adapters.http.sse import STILL_THERE, event
from bot.errors import AnswerBroken, BotError, ContextTooLong, ModelRefused, TooFast
from bot.messages import Chunk, Usage

DONE = b"data: [DONE]\n\n"
REASONS = ("stop", "length", "content_filter")


FinishReason = Literal["stop", "length", "content_filter"]


class Model(BaseModel):
    """A profile."""

    id: str
    object: Literal["model"]
    created: int
    owned_by: str


class Models(BaseModel):
    """All of them."""

    object: Literal["list"]
    data: list[Model]


class Said(BaseModel):
    """An answer's text."""

    role: Literal["assistant"]
    content: str
    refusal: None


class Choice(BaseModel):
    """The only answer."""

    index: Literal[0]
    message: Said
    logprobs: None
    finish_reason: FinishReason


class Completed(BaseModel):
    """What is answered without a stream."""

    id: str
    object: Literal["chat.completion"]
    created: int
    model: str
    choices: list[Choice]
    usage: TokenUsage


class Problem(BaseModel):
    """What is wrong, and with which field."""

    message: str
    type: str
    param: str | None
    code: str | None


class Failed(BaseModel):
    """OpenAI's form of an error."""

    error: Problem


class Reply:
    """One completion in OpenAI's form."""

    def __init__(self, model: str) -> None:
        self._model = model
        self._id = f"chatcmpl-{token_hex(12)}"
        self._created = int(time.time())
        self._usage = Usage()
        self._finish = "stop"

    async def whole(self, chunks: AsyncGenerator[Chunk, None]) -> dict[str, Any]:
        """Wait for all of it."""
        text = "".join([self._taken(chunk) async for chunk in chunks])
        message = {"role": "assistant", "content": text, "refusal": None}
        choice = {
            "index": 0,
            "message": message,
            "logprobs": None,
            "finish_reason": self._finish,
        }
        return self._object("chat.completion", [choice], usage=token_counts(self._usage))

    async def events(
        self, chunks: AsyncGenerator[Chunk, None], *, usage: bool
    ) -> AsyncGenerator[bytes, None]:
        """Pass it on as it comes."""
        async with aclosing(chunks):
            begun = {"role": "assistant", "content": ""}
            async for chunk in chunks:
                text = self._taken(chunk)
                if text:
                    yield self._event({**begun, "content": text})
                    begun = {}
                else:
                    yield STILL_THERE
            last = self._event(begun, self._finish)
            if usage:
                last += event(
                    self._object("chat.completion.chunk", [], usage=token_counts(self._usage))
                )
            yield last + DONE

    def _taken(self, chunk: Chunk) -> str:
        """The text of a chunk; what else it tells is noted."""
        self._usage = chunk.usage or self._usage
        if chunk.finish:
            self._finish = chunk.finish if chunk.finish in REASONS else "stop"
        return chunk.text

    def _event(self, delta: Mapping[str, str], finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return event(self._object("chat.completion.chunk", [choice]))

    def _object(self, kind: str, choices: list[Any], **more: Any) -> dict[str, Any]:
        head = {"id": self._id, "object": kind, "created": self._created, "model": self._model}
        return {**head, "choices": choices, **more}


def failure(error: BotError | Unusable) -> JSONResponse:
    """The response for what keeps a model from answering."""
    match error:
        case Unusable():
            return problem(error.status, str(error), error.param, error.code)
        case ContextTooLong():
            return problem(400, str(error), "messages", "context_length_exceeded")
        case ModelRefused(status=400 | 422):
            return problem(400, str(error))
        case TooFast():
            return problem(429, str(error), code="rate_limit_exceeded", retry_after=MINUTE)
        case AnswerBroken():
            return problem(502, str(error))
    return problem(status_of(error), str(error))


def problem(
    status: int, message: str, param: str = "", code: str = "", retry_after: str = ""
) -> JSONResponse:
    """OpenAI's error object."""
    kind = "invalid_request_error" if status < 500 else "server_error"
    error = {"message": message, "type": kind, "param": param or None, "code": code or None}
    headers = {"retry-after": retry_after} if retry_after else None
    return JSONResponse({"error": error}, status, headers)
