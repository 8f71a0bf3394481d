"""Server-sent events, at the pace of who reads them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from adapters.http.presence import present
from bot.errors import BotError

SILENCE = 15.0  # seconds after which a comment says that the answer still comes
SLOWEST = 30.0  # seconds in which a client must take something
STILL_THERE = b": it still comes\n\n"
HEADERS = {
    "cache-control": "no-store",
    "x-accel-buffering": "no",  # nginx would collect the events
}


def as_json(value: Any) -> bytes:
    """JSON in UTF-8; half of a surrogate pair, of which a model may write one, becomes "?"."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")


def event(data: Any, name: str = "") -> bytes:
    """One event."""
    head = f"event: {name}\n".encode() if name else b""
    return b"%bdata: %b\n\n" % (head, as_json(data))


class EventStream(Response):
    """A response that is made while it is sent: no event is made before the last one is taken.

    It begins with the first event, be it an empty one. A BotError before that is answered by
    `refusal`, a later one is the last event. A client that goes away, or takes nothing for 30 s,
    closes `events`.
    """

    media_type = "text/event-stream"

    def __init__(
        self, events: AsyncGenerator[bytes, None], refusal: Callable[[BotError], Response]
    ) -> None:
        self.status_code = 200
        self.background = None
        self.init_headers(HEADERS)
        self._events = events
        self._refusal = refusal
        self._begun = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the events until they end."""
        async with aclosing(self._events), present(receive):
            try:
                async for each in self._events:
                    await self._send(send, each)
                await self._send(send, b"", more=False)
            except BotError as error:
                refusal = self._refusal(error)
                if not self._begun:
                    await refusal(scope, receive, send)
                    return
                last = b"event: error\ndata: %b\n\n" % bytes(refusal.body)
                await self._send(send, last, more=False)

    async def _send(self, send: Send, body: bytes, *, more: bool = True) -> None:
        """Send a piece, and before the first one the head."""
        try:
            async with asyncio.timeout(SLOWEST):
                if not self._begun:
                    self._begun = True
                    head = {"status": self.status_code, "headers": self.raw_headers}
                    await send({"type": "http.response.start", **head})
                if body or not more:
                    await send({"type": "http.response.body", "body": body, "more_body": more})
        except TimeoutError:
            raise ClientDisconnect from None
