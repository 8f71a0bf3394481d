"""Socket Mode: the connections of the bot, and the envelopes that go through them."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from aiohttp import WSCloseCode, WSMsgType, web

from tests.slack_server.payloads import Attempt, Payload
from tests.slack_server.values import Json

if TYPE_CHECKING:
    from tests.slack_server.server import SlackServer

MOST_SOCKETS = 10
PATH = "/link"
CLOSED_WITHIN = 1.0  # seconds for the bot to agree that a connection ends


class Socket:
    """A connection of the bot. `refreshing` ones get nothing new; of a `deaf` one the server is
    gone, though TCP is not: neither pings nor acknowledgements are heard.
    """

    def __init__(self, number: int, request: web.Request) -> None:
        self.number = number
        self.refreshing = False
        self.deaf = False
        self.pongs = 0
        self.ws = web.WebSocketResponse(autoping=False, timeout=CLOSED_WITHIN)
        self._request = request

    async def open(self) -> None:
        """Shake hands."""
        await self.ws.prepare(self._request)

    async def tell(self, what: Json) -> None:
        """Send a message. Raises ConnectionError where the connection is gone."""
        await self.ws.send_str(json.dumps(what))

    async def ping(self) -> None:
        """See whether the bot is there; `pongs` counts its answers."""
        await self.ws.ping(b"Ping from applink")

    async def close(self) -> None:
        """End it in order."""
        await self.ws.close(code=WSCloseCode.GOING_AWAY)

    def drop(self) -> None:
        """Cut the TCP connection, without a word."""
        if self._request.transport:
            self._request.transport.abort()


class Sockets:
    """The sockets of the bot, at most ten; each payload goes to the next of them in turn.

    An attempt waits for a socket while there is none. Slack does not say whether an acknowledgement
    must come through the socket of its envelope: here any will do.
    """

    timeout = "timeout"

    def __init__(self, slack: SlackServer) -> None:
        self.live: deque[Socket] = deque()
        self.opened = 0
        self._slack = slack
        self._workspace = slack.workspace
        self._tickets: set[str] = set()
        self._sent: dict[str, tuple[Attempt, asyncio.Future[Json]]] = {}
        self._arrived = asyncio.Event()

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        """Where sockets are opened."""
        return [web.get(f"{PATH}/", self.serve)]

    def ticket(self) -> str:
        """The path and query of a URL for one more connection."""
        ticket = secrets.token_urlsafe(16)
        self._tickets.add(ticket)
        return f"{PATH}/?ticket={ticket}&app_id={self._workspace.app}"

    # Payloads

    async def attempt(self, payload: Payload, attempt: Attempt) -> Json:
        """Send an envelope, and wait for its acknowledgement."""
        envelope_id = secrets.token_hex(16)
        answer: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        self._sent[envelope_id] = attempt, answer
        await self._send(envelope(payload, attempt, envelope_id), attempt)
        return await answer

    async def _send(self, what: Json, attempt: Attempt) -> None:
        """Through the next socket that takes it."""
        while not attempt.sent:
            socket = await self._next()
            try:
                await socket.tell(what)
            except ConnectionError:
                self._forget(socket)
            else:
                attempt.sent, attempt.socket = True, socket.number

    async def _next(self) -> Socket:
        while True:
            for _ in range(len(self.live)):
                self.live.rotate(-1)
                if not self.live[-1].refreshing:
                    return self.live[-1]
            self._arrived.clear()
            await self._arrived.wait()

    def _acknowledge(self, text: str) -> None:
        """An acknowledgement came; what Slack could not read is a violation. One that comes twice
        does nothing: the client repeats it where its connection broke.
        """
        try:
            said = json.loads(text)
            envelope_id, answered = str(said["envelope_id"]), dict(said.get("payload") or {})
        except (ValueError, TypeError, LookupError, AttributeError):
            self._slack.violates(f"{text:.100} is no acknowledgement")
            return
        attempt, answer = self._sent.pop(envelope_id, (None, None))
        if attempt and answer:
            attempt.seconds = self._workspace.now() - attempt.at
            if not answer.done():
                answer.set_result(answered)

    # Connections

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """One connection, until it ends."""
        if request.query.get("ticket") not in self._tickets:
            return web.Response(status=401, text="invalid ticket")
        self.opened += 1
        socket = Socket(self.opened, request)
        await socket.open()
        if len(self.live) >= MOST_SOCKETS:
            await socket.tell(disconnection("too_many_websockets"))
            await socket.close()
            return socket.ws
        await socket.tell(self._hello())
        self.live.append(socket)
        self._arrived.set()
        self._workspace.change()
        try:
            await self._listen(socket)
        finally:
            self._forget(socket)
        return socket.ws

    async def _listen(self, socket: Socket) -> None:
        async for message in socket.ws:
            if socket.deaf:
                continue
            match message.type:
                case WSMsgType.PING:
                    await socket.ws.pong(message.data)
                case WSMsgType.PONG:
                    socket.pongs += 1
                case WSMsgType.TEXT:
                    self._acknowledge(message.data)
            self._workspace.change()

    def _hello(self) -> Json:
        return {
            "type": "hello",
            "num_connections": len(self.live) + 1,
            "connection_info": {"app_id": self._workspace.app},
            "debug_info": {
                "host": "applink",
                "build_number": 1,
                "approximate_connection_time": 18060,
            },
        }

    def _forget(self, socket: Socket) -> None:
        if socket in self.live:
            self.live.remove(socket)
            self._workspace.change()

    async def disconnect(self, reason: str = "refresh_requested", *sockets: Socket) -> None:
        """Ask the bot to leave these sockets, or all: "warning" (soon), "refresh_requested" (now;
        they get nothing new) or "link_disabled" (and they are closed).
        """
        for socket in sockets or tuple(self.live):
            socket.refreshing = reason != "warning"
            with suppress(ConnectionError):
                await socket.tell(disconnection(reason))
            if reason == "link_disabled":
                await socket.close()

    async def close(self) -> None:
        """Close all of them."""
        await asyncio.gather(*(socket.close() for socket in self.live))


def envelope(payload: Payload, attempt: Attempt, envelope_id: str) -> Json:
    """What a socket carries. Only events say whether they were delivered before."""
    told: dict[str, Any] = {
        "envelope_id": envelope_id,
        "payload": payload.body,
        "type": payload.kind,
        "accepts_response_payload": payload.answerable,
    }
    if payload.kind == "events_api":
        told |= {"retry_attempt": attempt.number, "retry_reason": attempt.reason}
    return told


def disconnection(reason: str) -> Json:
    """The message that announces the end of a connection."""
    return {"type": "disconnect", "reason": reason, "debug_info": {"host": "applink"}}
