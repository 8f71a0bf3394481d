"""The server: what is called, what goes wrong with it, and where it all stands."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Protocol, Self

from aiohttp import web

from tests.ending import end
from tests.faults import Faults, Planned, spoilt
from tests.slack_server import assistant, chat, files, reactions, streams, views, wire
from tests.slack_server.calls import Call
from tests.slack_server.control import Control
from tests.slack_server.faults import Fail, Fault
from tests.slack_server.limits import Lengths, Limits, RateLimits, TooFast
from tests.slack_server.methods import METHODS
from tests.slack_server.specification import specification
from tests.slack_server.values import Json, Message, Refused
from tests.slack_server.workspace import Workspace

BOT_TOKEN = "xoxb-4242-4242-tune"
APP_TOKEN = "xapp-1-A0TUNEBOT-4242-tune"
SIGNING_SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
MOST_BODY = 64 * 1024**2

for methods in (assistant, chat, reactions, streams, views):
    assert methods, "importing them registers their methods"


class Delivery(Protocol):
    """How the bot hears of what happens: made for a server, mounted, started and closed with it."""

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        """What it serves: the sockets under /link/, each response_url under /commands/."""

    def link(self) -> str:
        """The address of a new socket, for apps.connections.open. Raises Refused."""

    async def start(self) -> None:
        """The server has its port."""

    async def close(self) -> None:
        """Deliver no more, and close the sockets."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """What the bot must show, and what it knows Slack by: `signing_secret` signs deliveries."""

    bot: str = BOT_TOKEN
    app: str = APP_TOKEN
    signing_secret: str = SIGNING_SECRET


class SlackServer:
    """A Slack for one test: `async with SlackServer() as slack: slack.api_url`.

    Without `limits` it takes everything at any speed. `now` is the time of the limits, of streams
    and of messages, in Unix seconds. `streams` says where native streaming works: "everywhere",
    "im" or "nowhere". `delivery` makes what tells the bot of things. `workspace` is what stands,
    with every call in `workspace.calls`, unless `keep_calls` is False; `statuses` counts them by
    method and outcome. Of a `controlled` one the strings are pulled over HTTP, see control.py.
    `violations` has what did not agree with Slack's description of its methods
    and blocks, which fails the test in the end.
    """

    def __init__(
        self,
        *,
        tokens: Tokens = Tokens(),  # noqa: B008  frozen
        limits: Limits | None = Limits(),  # noqa: B008  frozen
        streams: str = "everywhere",
        delivery: Callable[[SlackServer], Delivery] | None = None,
        now: Callable[[], float] = time.time,
        port: int = 0,
        keep_calls: bool = True,
        controlled: bool = False,
    ) -> None:
        self.tokens = tokens
        self.streams = streams
        self.now = now
        self.port = port
        self.keep_calls = keep_calls
        self.workspace = Workspace(now)
        self.lengths = Lengths()
        self.rates = RateLimits(limits, now)
        self.faults = Faults[Fail]()
        self.delivery = delivery(self) if delivery else None
        self.uploads = files.Uploads(self)
        self.statuses: Counter[tuple[str, str]] = Counter()
        self.violations: list[str] = []
        self._controlled = controlled
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def api_url(self) -> str:
        """What stands in the place of https://slack.com/api/."""
        return f"{self.url}/api/"

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=MOST_BODY)
        app.router.add_route("*", "/api/{method}", self._called)
        app.router.add_routes(self.uploads.routes())
        if self._controlled:
            app.router.add_routes(Control(self).routes())
        if self.delivery:
            app.router.add_routes(self.delivery.routes())
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()
        self.port = self._runner.addresses[0][1]
        self.workspace.files_url = f"{self.url}/files"
        if self.delivery:
            await self.delivery.start()
        return self

    async def __aexit__(self, failed: object, *_: object) -> None:
        assert self._runner
        if self.delivery:
            await self.delivery.close()
        self.faults.release()
        await end(self._runner)
        assert failed or not self.violations, self.violations

    def streaming(self, message: Message) -> bool:
        """Whether a message is still streamed; after a while it is not, even if the bot goes on."""
        stream = message.stream
        if stream and self.now() - stream.began >= self.lengths.stream_seconds:
            stream.open = False
        return message.streaming

    # What goes wrong

    def fails(self, method: str, fault: Fault, *, channel: str = "", times: int = 1) -> None:
        """Let the next calls of a method ("" for any) fail, in one channel or anywhere."""
        self.faults.plan(Planned(fault, method, channel, times))

    def violates(self, what: str) -> None:
        """Something did not agree with Slack's descriptions."""
        self.violations.append(what)

    # The wire

    async def _called(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        try:
            given, in_json = await wire.parameters(request)
        except Refused as refused:
            self.violates(f"{method}: {refused.error}")
            return wire.failure(refused)
        call = Call(method, given, self.now())
        if self.keep_calls:
            self.workspace.calls.append(call)
        self.workspace.change()
        fault = self.faults.take(call.method, call.channel)
        answer = self._broken(request, call, fault, in_json=in_json) if fault else None
        response = await (answer or self._answer(request, call, in_json=in_json))
        call.status = response.status
        self.statuses[call.method, call.outcome] += 1
        self.workspace.change()
        return response

    async def _broken(
        self, request: web.Request, call: Call, fault: Fault, *, in_json: bool
    ) -> web.Response:
        """What a planned fault makes of a call."""
        if isinstance(fault, Fail):
            return _failed(call, fault)
        answer = partial(self._answer, request, call, in_json=in_json)
        response = await spoilt(fault, request, answer)
        call.outcome = call.outcome or "dropped"
        return response

    async def _answer(self, request: web.Request, call: Call, *, in_json: bool) -> web.Response:
        try:
            self._authorize(call.method, await wire.token(request))
            self.rates.count(call.method, call.channel)
            response = wire.success(self._done(call, in_json=in_json))
        except TooFast as refused:
            call.outcome = "ratelimited"
            return wire.too_fast(refused.retry_after)
        except Refused as refused:
            call.outcome = refused.error
            return wire.failure(refused)
        except Exception as error:
            # The bot would only see a 500 and try again.
            self.violates(f"{call.method} broke the server: {error!r}")
            raise
        call.outcome = "ok"
        return response

    def _authorize(self, method: str, token: str) -> None:
        """Raises Refused."""
        right = self.tokens.app if method == "apps.connections.open" else self.tokens.bot
        if token in {self.tokens.app, self.tokens.bot} - {right}:
            raise Refused("not_allowed_token_type")
        if token != right:
            raise Refused("invalid_auth" if token else "not_authed")

    def _done(self, call: Call, *, in_json: bool) -> Json:
        described = specification()
        if described and (problem := described.problem(call.method, call.given, in_json=in_json)):
            self.violates(problem)
            raise Refused("invalid_arguments", response_metadata={"messages": [problem]})
        if call.method not in METHODS:
            self.violates(f"{call.method} is not imitated")
            raise Refused("unknown_method", req_method=call.method)
        return METHODS[call.method](self, call.given)


def _failed(call: Call, fault: Fail) -> web.Response:
    """The answer that a planned failure gives."""
    if fault.retry_after:
        call.outcome = "ratelimited"
        return wire.too_fast(fault.retry_after)
    call.outcome = fault.error
    response = wire.failure(Refused(fault.error))
    response.set_status(fault.status)
    return response
