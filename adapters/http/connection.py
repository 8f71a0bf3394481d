"""One connection, within limits that uvicorn does not have: how many, how slow, how long a head."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from http import HTTPStatus
from math import inf
from typing import Any, Protocol

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LONGEST_HEAD = 65_536  # bytes, of request line and headers
LEAST_TAKEN = 16_384  # bytes that a reader takes between two looks, where so many are left
LINGER_SECONDS = 1.0
CROWDED = "There are too many connections; come back in a moment."
SLOW = "The head of the request took too long."
BROKEN = "This is not a request of HTTP/1.1."
LONG = f"The head of the request has more than {LONGEST_HEAD} bytes."


@dataclass(frozen=True, slots=True)
class Limited:
    """What every connection keeps to; `header_seconds` is the time for one head."""

    connections: int
    header_seconds: float
    behind_proxy: bool


class HasLimits(Protocol):
    """uvicorn's configuration, with ours."""

    limited: Limited


class Connection(HttpToolsProtocol):
    """uvicorn's HTTP/1.1 connection. A head is awaited from the first byte, or the connection, on.

    Who is refused here never reaches the application, and so costs next to nothing.
    """

    def __init__(self, config: Any, *rest: Any, **named: Any) -> None:
        super().__init__(config, *rest, **named)
        self._limited: Limited = config.limited
        self._timer: asyncio.TimerHandle | None = None  # runs while a head is awaited
        self._unused = 0  # bytes since the last head or piece of a body: of the next head, so far
        self._left = inf  # bytes that a reader left at the last look; infinite where none
        self._refused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a head, if there is room for one more."""
        super().connection_made(transport)
        if len(self.connections) > self._limited.connections:
            self._refuse(503, CROWDED)
        else:
            self._await_head()

    def data_received(self, data: bytes) -> None:
        """Read on. A head may also come while the one before is answered."""
        if self._refused:
            return
        if self._timer is None and self._idle:
            self._await_head()
        self._unused += len(data)
        super().data_received(data)
        if self._unused > LONGEST_HEAD:
            self._refuse(431, LONG)

    def on_headers_complete(self) -> None:
        """The head is there: no more hurry."""
        self._unused = 0
        self._stop_timer()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """No head, which the guard limits."""
        self._unused = 0
        super().on_body(body)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self._stop_timer()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - it is uvicorn's
        """Say that this cannot be read."""
        self._refuse(400, BROKEN)

    def hang_up_if_stalled(self) -> None:
        """End a connection whose client takes next to nothing of its response from look to look."""
        left = self.transport.get_write_buffer_size()
        if left > self._left - LEAST_TAKEN:
            self.transport.abort()
        self._left = left or inf

    @property
    def _idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    @property
    def _answering(self) -> bool:
        """Whether the request of now came whole, or is answered already."""
        return self.cycle.response_started or not self.cycle.more_body

    def _await_head(self) -> None:
        self._timer = self.loop.call_later(self._limited.header_seconds, self._refuse, 408, SLOW)

    def _stop_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def _refuse(self, status: int, message: str) -> None:
        """Say why, and hang up once that can have been read."""
        self._stop_timer()
        if self._refused or self.transport.is_closing():
            return
        self._refused = True
        if self.pipeline or (not self._idle and self._answering):
            self.transport.abort()  # what is written now would be read as part of that answer
            return
        if not self._idle:  # what the application answers from here on goes nowhere
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.transport.write(response(status, message))
        # To close with unread bytes would reset the connection, and take the response with it.
        self.transport.write_eof()
        self._timer = self.loop.call_later(LINGER_SECONDS, self.transport.abort)


def response(status: int, message: str) -> bytes:
    """A whole response in the words of adapters.http.errors."""
    body = json.dumps({"error": {"message": message}}).encode()
    head = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n"
        "x-content-type-options: nosniff\r\nconnection: close\r\n\r\n"
    )
    return head.encode("ascii") + body
