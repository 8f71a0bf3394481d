"""A message to the bot, and its answer as a stream of events.

- `waiting` {text}: why there is no answer yet.
- `growth` {start, html}: blocks of HTML in place of all blocks from that number on.
- `said` {start, html, key, ending, text, document, buttons}: the same for the last time, and what
  was said; `key` is "" for what a command replied, `start` is null where nothing changed. A button
  is {label, says}: who presses it says that.
- `failed` {message, again}: nothing was said; `again` says that the same question should be sent
  again, because later it may be answered.

A message whose question_id was sent before goes on where its answer is: a page that was reloaded,
or that lost its connection, just sends it again.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import asdict
from typing import Annotated, Self

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field, model_validator

from adapters.http.errors import refused, status_of
from adapters.http.exchange import DELETED, NOTHING, Exchange
from adapters.http.exchanges import Exchanges
from adapters.http.page.files import Upload, attachment
from adapters.http.page.growing import Growing
from adapters.http.page.history import shown
from adapters.http.page.visitor import Where, Who
from adapters.http.sse import SILENCE, STILL_THERE, EventStream, event
from bot.errors import BotError
from bot.messages import ConversationId, IncomingMessage, Role, Said
from bot.ports import Core

CONTINUE = "/continue"


class Question(BaseModel, extra="forbid"):
    """What the visitor says; `files` were uploaded before."""

    question_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    text: str
    files: Annotated[list[Upload], Field(max_length=10)] = []

    @model_validator(mode="after")
    def says_something(self) -> Self:
        """Refuse what has neither text nor file."""
        if not (self.text.strip() or self.files):
            raise ValueError("say something, or send a file")
        return self


def add(router: APIRouter, core: Core, exchanges: Exchanges) -> None:
    """POST messages of a conversation."""

    @router.post("/api/page/conversations/{name}/messages")
    async def ask(where: Where, who: Who, question: Question) -> Response:
        """Say something and stream what is said to it. It is answered even if nobody reads on."""
        message = IncomingMessage(
            where,
            who.person,
            question.text,
            attachments=tuple(attachment(core.files, each) for each in question.files),
            question_id=question.question_id,
        )
        return EventStream(events(core, exchanges, message), refusal)


async def events(
    core: Core, exchanges: Exchanges, message: IncomingMessage
) -> AsyncGenerator[bytes, None]:
    """Everything until something is said, or why nothing is."""
    try:
        async with exchanges.ask(core, message, withdraws=False) as exchange:
            async for each in told(exchange, core, message):
                yield each
    except BotError as error:
        again = status_of(error) == 503 and str(error) != DELETED
        yield event({"message": str(error), "again": again}, "failed")


async def told(
    exchange: Exchange, core: Core, message: IncomingMessage
) -> AsyncGenerator[bytes, None]:
    """An answer as it grows. The rest of one that was cut is shown as one with its beginning."""
    goes_on = message.text.strip().lower() == CONTINUE
    begun = await last_answer(core, message.conversation) if goes_on else ""
    growing, shown = Growing(), NOTHING
    async with aclosing(exchange.growths(SILENCE)) as growths:
        async for growth in growths:
            if growth is shown:
                yield STILL_THERE
            elif growth.waiting:
                yield event({"text": growth.waiting}, "waiting")
            elif change := growing.show(begun + growth.text):
                yield event(asdict(change), "growth")
            shown = growth
    said = exchange.said
    whole = await last_answer(core, message.conversation, said.key) if goes_on else ""
    yield ended(said, whole or said.text, growing)


def ended(said: Said, text: str, growing: Growing) -> bytes:
    """The last event."""
    change = growing.finish(text)
    last = {
        **(asdict(change) if change else {"start": None, "html": ()}),
        "key": said.key,
        "ending": said.ending.value,
        "text": text,
        "document": said.document.name if said.document else None,
        "buttons": [asdict(button) for button in said.buttons],
    }
    return event(last, "said")


def refusal(error: BotError) -> Response:
    """The response for an error before the first event."""
    return refused(status_of(error), str(error))


async def last_answer(core: Core, where: ConversationId, key: str = "") -> str:
    """The newest answer of a conversation and what continued it; or the one of that key."""
    items, _ = await shown(core, where, 0)
    for item in reversed(items):
        if item.turn.role is Role.ASSISTANT and key in ("", item.key):
            return item.turn.text
    return ""
