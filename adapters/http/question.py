"""The question interface: POST /api/question."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any
from uuid import uuid4

from fastapi import APIRouter, Request, Response

from adapters.http.errors import Refused, refused, status_of
from adapters.http.exchange import NOTHING, Growth
from adapters.http.exchanges import NAME, Exchanges
from adapters.http.plain import EVENTS, Plain, json_body, require_json
from adapters.http.presence import present
from adapters.http.schema import MINUTE, VERSION, Answer, Pars, Question, read, token_counts
from adapters.http.settings import Settings
from adapters.http.sse import SILENCE, STILL_THERE, EventStream, as_json, event
from bot.errors import BotError, TooFast
from bot.messages import ConversationId, Document, Ending, IncomingMessage, Person, Said
from bot.ports import Core

FINISH_REASONS = {
    Ending.LENGTH: "length",
    Ending.FILTERED: "content_filter",
    Ending.STOPPED: "stopped",
    Ending.BROKEN: "error",
    Ending.FAILED: "error",
}
ANSWERED = """The answer. Server-sent events, for `Accept: text/event-stream` or `"stream": true`:

- `delta`: `{"delta": text}` goes on with the answer; `{"replace": text}` is all of it anew
- `status`: `{"status": sentence}` says why there is no text yet
- `done`, the last: the answer as it is without a stream
- `error`, the last: `{"error": …}`, when nothing can be said now
"""


def routes(core: Core, exchanges: Exchanges, settings: Settings) -> APIRouter:  # noqa: ARG001
    """/api/question."""
    router = APIRouter(tags=["questions"], route_class=Plain)

    @router.post(
        "/api/question",
        openapi_extra=json_body(Question),
        responses={
            200: {
                "model": Answer,
                "content": EVENTS,
                "description": ANSWERED,
            },
            415: {"model": Refused},
        },
    )
    async def question(request: Request) -> Response:
        """Ask a question, or give the text of a command; wait for the answer, or watch it grow.

        A model that fails is an answer, too: a sentence that can be shown, with `finish_reason`
        "error". The same question_id has the same answer, also that one; a new one asks anew. Who
        hangs up before the answer ends stops the model.
        """
        require_json(request)
        asked = Asked(core, exchanges, read(Question, await request.body()).pars)
        accepts = request.headers.get("accept", "")
        if asked.pars.stream or "text/event-stream" in accepts:
            return EventStream(asked.events(), refusal)
        try:
            async with present(request.receive):
                return Response(as_json(await asked.answer()), media_type="application/json")
        except BotError as error:
            return refusal(error)

    return router


class Asked:
    """One question, asked by one request."""

    def __init__(self, core: Core, exchanges: Exchanges, pars: Pars) -> None:
        self.pars = pars
        question_id = pars.question_id or uuid4().hex
        message = IncomingMessage(
            ConversationId(NAME, f"group:{pars.group_id}", pars.user_id),
            Person(f"{NAME}:{pars.user_id}"),
            pars.question,
            question_id=question_id,
        )
        self._id = question_id
        self._exchange = exchanges.ask(core, message, withdraws=True)

    async def answer(self) -> dict[str, Any]:
        """Wait for all of it."""
        async with self._exchange as exchange:
            async for _ in exchange:
                pass
            return self._answer(exchange.said)

    async def events(self) -> AsyncGenerator[bytes, None]:
        """Watch it grow, as server-sent events."""
        shown = NOTHING
        async with self._exchange as exchange, aclosing(exchange.growths(SILENCE)) as growths:
            yield b""  # it is taken
            async for growth in growths:
                yield step(shown, growth)
                shown = growth
            said = exchange.said
            last = step(shown, Growth(whole(said))) if whole(said) != shown.text else b""
            yield last + event(self._answer(said), "done")

    def _answer(self, said: Said) -> dict[str, Any]:
        pars = self.pars
        return {
            "version": VERSION,
            "pars": {
                "user_id": pars.user_id,
                "group_id": pars.group_id,
                "question_id": self._id,
                "answer": whole(said),
                "finish_reason": FINISH_REASONS.get(said.ending, "stop"),
                "usage": token_counts(said.usage),
            },
        }


def step(shown: Growth, growth: Growth) -> bytes:
    """The event that leads from one snapshot to the next."""
    if growth is shown:
        return STILL_THERE
    if growth.waiting:
        return event({"status": growth.waiting}, "status")
    if growth.text.startswith(shown.text):
        return event({"delta": growth.text[len(shown.text) :]}, "delta")
    return event({"replace": growth.text}, "delta")


def whole(said: Said) -> str:
    """What was said, with the text of a file below: this interface has no place for files."""
    return "\n\n".join(filter(None, [said.text, as_text(said.document)]))


def as_text(document: Document | None) -> str:
    """The text of a file; "" for one that is none."""
    try:
        return document.content.decode() if document else ""
    except UnicodeDecodeError:
        return ""


def refusal(error: BotError) -> Response:
    """The response for an error that is no answer."""
    headers = {"retry-after": MINUTE} if isinstance(error, TooFast) else None
    return refused(status_of(error), str(error), headers=headers)
