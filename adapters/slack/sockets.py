"""Socket Mode: connections that the bot opens, through which Slack delivers.

slack_sdk's own client leaves the old connection before it has a new one, and its tasks belong to
nobody (read in its source). Here a connection that Slack wants to refresh is listened to until its
successor is there and Slack has closed it, and a second one bridges every gap.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine
from typing import Any

import aiohttp
import structlog
from slack_bolt.response import BoltResponse
from slack_sdk.socket_mode.response import SocketModeResponse

from adapters.slack.account import Account
from adapters.slack.failures import RateLimited, SlackRefused, TokenRefused
from adapters.slack.intake import backoff
from adapters.slack.reception import Reception
from bot.errors import DeliveryError

HEARTBEAT = 10.0  # seconds after which a silent connection is asked whether it is there
GRACE = 10.0  # seconds that a connection which is replaced is listened to
STEADY = 30.0  # seconds after which a connection that ends did not fail
LONGEST_BACKOFF = 60.0
REFRESHED = frozenset({"warning", "refresh_requested"})
NO_RIGHT = (
    "Slack refuses SLACK_APP_TOKEN ({}): generate another with the scope connections:write, under "
    "Basic Information at api.slack.com/apps, and export it."
)
NO_SOCKET = (
    "Slack opens no socket ({}): turn Socket Mode on for the app at api.slack.com/apps, or set "
    "mode to http."
)
SENTENCES = {
    "link_disabled": "Socket Mode was turned off for this Slack app: turn it on at "
    "api.slack.com/apps, or set mode to http.",
    "too_many_websockets": "Slack gives an app ten sockets, and all of them are open: stop other "
    "programs that run with its SLACK_APP_TOKEN.",
}
TOKEN_CODES = frozenset({"missing_scope", "account_inactive", "token_revoked"})
OUT_OF_REACH = "Slack is out of reach: trying again until it answers."

log = structlog.get_logger()


class Sockets:
    """`count` connections, each replaced when it ends."""

    def __init__(self, account: Account, app_token: str, reception: Reception, count: int) -> None:
        self._account = account
        self._app_token = app_token
        self._reception = reception
        self._count = count
        self._live: set[Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._why = ""

    @property
    def trouble(self) -> str:
        """Why no connection is open, a sentence."""
        return "" if self._live else self._why

    async def run(self) -> None:
        """Keep them open until cancelled."""
        keepers = [self._start(self._keep(), f"socket {number}") for number in range(self._count)]
        try:
            await asyncio.gather(*keepers)
        finally:
            while tasks := list(self._tasks):
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    def _start(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _keep(self) -> None:
        """One connection after the other."""
        attempt = 0
        while True:
            began, wait = self._account.clock.now(), 0.0
            try:
                connection = await self._connect()
                self._start(self._listen(connection), "listen")
                await connection.leaving.wait()
                refreshed = connection.reason in REFRESHED
                if connection.reason in SENTENCES:
                    self._missing(SENTENCES[connection.reason])
            except (DeliveryError, aiohttp.ClientError, OSError) as error:
                refreshed, wait = False, getattr(error, "retry_after", None) or 0.0
                self._missing(why(error))
            steady = self._account.clock.now() - began > STEADY
            attempt = 0 if refreshed or steady else attempt + 1
            if attempt:
                pause = max(wait, backoff(attempt - 1, LONGEST_BACKOFF))
                await self._account.clock.sleep(pause)

    async def _connect(self) -> Connection:
        """Raises DeliveryError, aiohttp.ClientError and OSError."""
        api = self._account.api
        url = await api.socket_url(self._app_token)
        socket = await api.session.ws_connect(url, heartbeat=HEARTBEAT, proxy=api.client.proxy)
        return Connection(socket)

    def _missing(self, sentence: str) -> None:
        """Say what is wrong, once."""
        if sentence != self._why:
            log.warning(sentence)
        self._why = sentence

    async def _listen(self, connection: Connection) -> None:
        """Take what comes through a connection until it ends."""
        try:
            async for message in connection.socket:
                if message.type is aiohttp.WSMsgType.TEXT:
                    self._told(connection, message.data)
        finally:
            self._live.discard(connection)
            connection.leaving.set()
            await connection.socket.close()

    def _told(self, connection: Connection, raw: str) -> None:
        try:
            told = json.loads(raw)
        except (ValueError, RecursionError):
            told = None
        match told:
            case {"type": "hello"}:
                self._live.add(connection)
                if self._why:
                    log.info("Slack is connected again.")
                self._why = ""
            case {"type": "disconnect"}:
                connection.reason = f"{told.get('reason')}"
                connection.leaving.set()
                self._start(self._leave(connection), "leave")
            case _:
                self._start(self._take(connection, told, raw), "take")

    async def _leave(self, connection: Connection) -> None:
        """Close a connection that has a successor, once nothing is under way on it."""
        await asyncio.sleep(GRACE)
        await connection.socket.close()

    async def _take(self, connection: Connection, told: Any, raw: str) -> None:
        """Have an envelope committed, and acknowledge it."""
        payload = told.get("payload") if isinstance(told, dict) else None
        response = await self._reception.take(payload, raw)
        if response.status == 200 and isinstance(told, dict) and told.get("envelope_id"):
            await connection.acknowledge(f"{told['envelope_id']}", response)


class Connection:
    """One WebSocket. `leaving` is set once a successor is needed, `reason` is Slack's word why."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.leaving = asyncio.Event()
        self.reason = ""

    async def acknowledge(self, envelope_id: str, response: BoltResponse) -> None:
        """Tell Slack that we have an envelope, perhaps with an answer to it."""
        said = SocketModeResponse(envelope_id, answer_in(response))
        try:
            await self.socket.send_str(json.dumps(said.to_dict()))
        except ConnectionError:
            log.info("connection ended before an acknowledgement: Slack delivers again")


def answer_in(response: BoltResponse) -> dict[str, Any] | None:
    """What goes with an acknowledgement: an object, or a text to show."""
    if not response.body:
        return None
    is_json = "json" in response.headers.get("content-type", [""])[0]
    return dict(json.loads(response.body)) if is_json else {"text": response.body}


def why(error: Exception) -> str:
    """Why there is no connection, and what to do."""
    match error:
        case TokenRefused(code=code):
            return NO_RIGHT.format(code)
        case SlackRefused(code=code) if code in TOKEN_CODES:
            return NO_RIGHT.format(code)
        case SlackRefused(code=code):
            return NO_SOCKET.format(code)
        case RateLimited():
            return "Slack asks to wait before it opens another socket."
        case _:
            return OUT_OF_REACH
