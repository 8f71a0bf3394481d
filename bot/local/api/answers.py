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
from bot.local.api.errors import Refused, form
from bot.local.api.models import found
from bot.local.api.upstream import Upstream, restarting
from bot.local.api.whole import Whole
from bot.local.jobs.database import Database

CHAT, COMPLETIONS = "/chat/completions", "/completions"
GONE = 499  # nobody reads it

Json = dict[str, Any]
T = TypeVar("T")


def add(router: APIRouter, database: Database, upstream: Upstream, model: str) -> None:
    """Answer."""

    async def respond(request: Request, path: str) -> Response:
        body = await json_of(request)
        adapter = await adapter_of(body)
        if body.get("stream"):
            return await streamed(upstream, path, body, adapter)
        answer = await unless_gone(request, whole(upstream, path, body, adapter))
        return Response(status_code=GONE) if answer is None else JSONResponse(answer)

    async def adapter_of(body: Json) -> str:
        """The adapter of the model that is asked, "" for the base. Raises Refused."""
        name = body.get("model")
        if not isinstance(name, str) or not name:
            raise Refused(400, "you must provide a model parameter", param="model")
        if name == model:
            return ""
        return (await run_in_threadpool(found, database, model, name)).adapter

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
                400, "A fine-tuned model makes no embeddings: ask its base.", None, "model"
            )
        answer = await unless_gone(request, upstream.embeddings(body))
        return Response(status_code=GONE) if answer is None else JSONResponse(answer)


async def whole(upstream: Upstream, path: str, body: Json, adapter: str) -> Json:
    """An answer that is not streamed to its client."""
    answer = Whole(is_chat=path == CHAT)
    try:
        async with upstream.answer(path, body, adapter) as chunks:
            async for chunk in chunks:
                answer.add(named(chunk, path, body))
    except httpx.TransportError:
        raise restarting() from None
    return answer.answer()


async def streamed(upstream: Upstream, path: str, body: Json, adapter: str) -> Response:
    """An answer as it grows. An answer that breaks cuts the connection: it has no [DONE]."""
    stack = AsyncExitStack()
    chunks = await stack.enter_async_context(upstream.answer(path, body, adapter))
    return Stream(told(chunks, path, body), stack)


class Stream(StreamingResponse):
    """A response that holds a place upstream, and gives it back however it ends."""

    def __init__(self, content: AsyncIterator[str], stack: AsyncExitStack) -> None:
        super().__init__(
            content, media_type="text/event-stream", headers={"Cache-Control": "no-store"}
        )
        self._stack = stack

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        with suppress(httpx.TransportError):  # the end is not sent then, and the client sees that
            async with self._stack:
                await super().__call__(scope, receive, send)


async def told(
    chunks: AsyncGenerator[Json, None], path: str, body: Json
) -> AsyncGenerator[str, None]:
    """The events of a stream; usage only where it is asked for."""
    options = body.get("stream_options")
    wants_usage = isinstance(options, dict) and bool(options.get("include_usage"))
    try:
        async for chunk in chunks:
            if wants_usage or chunk.get("choices"):
                said = named(chunk, path, body)
                if not wants_usage:
                    said.pop("usage", None)
                yield event(json.dumps(said, ensure_ascii=False))
    except Refused as error:
        yield event(json.dumps(form(error)))
    else:
        yield event("[DONE]")


def event(data: str) -> str:
    return f"data: {data}\n\n"


def named(chunk: Json, path: str, body: Json) -> Json:
    """A chunk under the name that was asked for. llama.cpp's ids begin with chatcmpl- for
    completions too.
    """
    id_ = str(chunk.get("id", "")).removeprefix("chatcmpl-")
    return {
        **chunk,
        "id": f"{'chatcmpl' if path == CHAT else 'cmpl'}-{id_}",
        "model": body["model"],
    }


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
