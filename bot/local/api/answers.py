"""/v1/chat/completions, /v1/completions and /v1/embeddings: the model's name says who answers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine
from contextlib import AsyncExitStack, suppress
from typing import Any, TypeVar

import httpx
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from starlette.concurrency import run_in_threadpool

from bot.local.api.bodies import json_of
from bot.local.api.embeddings import require_embeddable
from bot.local.api.errors import Refused, form
from bot.local.api.models import found
from bot.local.api.questions import require_answerable
from bot.local.api.translation import Translation
from bot.local.api.upstream import Upstream, restarting
from bot.local.api.whole import Whole
from bot.local.jobs.database import Database
from bot.local.jobs.pruning import mark_used

CHAT, COMPLETIONS = "/chat/completions", "/completions"
GONE = 499  # nobody reads it

Json = dict[str, Any]
T = TypeVar("T")


def add(router: APIRouter, database: Database, upstream: Upstream, model: str) -> None:
    """Answer."""

    async def respond(request: Request, path: str) -> Response:
        body = await json_of(request)
        adapter = await adapter_of(body)
        require_answerable(body, is_chat=path == CHAT)
        answering = streamed if body.get("stream") else whole
        answer = await unless_gone(request, answering(upstream, path, body, adapter))
        return answer or Response(status_code=GONE)

    async def adapter_of(body: Json) -> str:
        """The adapter of the model that is asked, "" for the base. Raises Refused."""
        name = body.get("model")
        if not isinstance(name, str) or not name:
            raise Refused(400, "you must provide a model parameter", param="model")
        if name == model:
            return ""
        return await run_in_threadpool(adapter_named, database, model, name)

    @router.post(CHAT)
    async def chat(request: Request) -> Response:
        return await respond(request, CHAT)

    @router.post(COMPLETIONS)
    async def completions(request: Request) -> Response:
        return await respond(request, COMPLETIONS)

    @router.post("/embeddings")
    async def embeddings(request: Request) -> Response:
        body = await json_of(request)
        if await adapter_of(body):
            raise Refused(
                400,
                f"A fine-tuned model makes no embeddings: ask its base, {model}.",
                None,
                "model",
            )
        require_embeddable(body)
        answer = await unless_gone(request, upstream.embeddings(body))
        return Response(status_code=GONE) if answer is None else JSONResponse(answer)


def adapter_named(database: Database, base: str, name: str) -> str:
    """The adapter of a tuned model, which is used by that. Raises Refused."""
    tuned = found(database, base, name)
    mark_used(tuned)
    return tuned.adapter


async def whole(upstream: Upstream, path: str, body: Json, adapter: str) -> Response:
    """An answer that is not streamed to its client."""
    said, answer = Translation(body, is_chat=path == CHAT), Whole(is_chat=path == CHAT)
    try:
        async with upstream.answer(path, said.asked, adapter) as chunks:
            async for chunk in chunks:
                answer.add(said.of(chunk))
    except httpx.RequestError:
        raise restarting() from None
    return JSONResponse(answer.answer(said.usage))


async def streamed(upstream: Upstream, path: str, body: Json, adapter: str) -> Response:
    """An answer as it grows. An answer that breaks cuts the connection: it has no [DONE]."""
    stack = AsyncExitStack()
    said = Translation(body, is_chat=path == CHAT)
    chunks = await stack.enter_async_context(upstream.answer(path, said.asked, adapter))
    return Stream(told(chunks, said, wants_usage=wants_usage(body)), stack)


class Stream(StreamingResponse):
    """A response that holds a place upstream, and gives it back however it ends."""

    def __init__(self, content: AsyncIterator[str], stack: AsyncExitStack) -> None:
        super().__init__(
            content, media_type="text/event-stream", headers={"Cache-Control": "no-store"}
        )
        self._stack = stack

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        with suppress(httpx.RequestError):  # the end is not sent then, and the client sees that
            async with self._stack:
                await super().__call__(scope, receive, send)


async def told(
    chunks: AsyncGenerator[Json, None], said: Translation, *, wants_usage: bool
) -> AsyncGenerator[str, None]:
    """The events of a stream; what was used comes last, where it is asked for."""
    try:
        async for chunk in chunks:
            if (told := said.of(chunk))["choices"]:
                yield event(told)
    except Refused as error:
        yield event(form(error))
        return
    if wants_usage:
        yield event(said.closing)
    yield "data: [DONE]\n\n"


def wants_usage(body: Json) -> bool:
    options = body.get("stream_options")
    return isinstance(options, dict) and bool(options.get("include_usage"))


def event(data: Json) -> str:
    return f"data: {json.dumps(data, ensure_ascii=False)}\n\n"


async def unless_gone(request: Request, work: Coroutine[Any, Any, T]) -> T | None:
    """What work comes to; None, with the work cancelled, when its client has gone."""
    working = asyncio.create_task(work, name="answer")
    leaving = asyncio.create_task(left(request), name="client")
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else None
    finally:
        for task in (working, leaving):
            task.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


async def left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
