"""The server: what is called, and what goes wrong with it."""

from __future__ import annotations

from typing import Any, Self

from aiohttp import web

from tests.ending import end
from tests.faults import spoilt
from tests.tuning_server.checks import answer_problem, request_problem
from tests.tuning_server.faults import Fail, Fault
from tests.tuning_server.routes import ROUTES
from tests.tuning_server.service import Service
from tests.tuning_server.values import Answered, Call, Refused
from tests.tuning_server.wire import call_of, refusal_of, response_of

MOST_BODY = 1024**3


class TuningServer(Service):
    """A service for one test: `async with TuningServer() as tuning: … tuning.base_url`. What it is
    told and how it can be is in Service.
    """

    def __init__(self, *, port: int = 0, **settings: Any) -> None:
        super().__init__(**settings)
        self.port = port
        self._runner: web.AppRunner | None = None

    @property
    def base_url(self) -> str:
        """Where OpenAI's API is: ends with /v1."""
        return f"{self.root}/openai/v1" if self.azure else f"{self.root}/v1"

    @property
    def root(self) -> str:
        """The address, as Azure's portal shows it."""
        return f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=MOST_BODY)
        self.add_routes(app.router)
        app.router.add_route("*", "/{path:.*}", self._called)
        self._runner = web.AppRunner(
            app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, failed: object, *_: object) -> None:
        assert self._runner
        await self.webhooks.close()
        self.faults.release()
        await end(self._runner)
        assert failed or not self.violations, self.violations

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """More than the API, for who extends this."""

    async def _called(self, request: web.Request) -> web.StreamResponse:
        call = await call_of(request, self._parts(request))
        name = f"{call.method} {call.route}"
        if self.keep_calls:
            self.calls.append(call)
        self.counts[name] += 1
        self.advance()
        fault = self.faults.take(name)
        response = await self._broken(request, call, fault) if fault else await self._answer(call)
        call.status = response.status
        self.change()
        return response

    def _parts(self, request: web.Request) -> list[str]:
        """The parts of a path below the API's address, as they were sent."""
        parts = request.rel_url.raw_path.strip("/").split("/")
        versioned = "api-version" in request.query
        for prefix in (["openai"] if versioned else ["openai", "v1"]) if self.azure else ["v1"]:
            parts = parts[1:] if parts[0] == prefix and len(parts) > 1 else ["nowhere"]
        return parts

    async def _broken(self, request: web.Request, call: Call, fault: Fault) -> web.Response:
        if not isinstance(fault, Fail):
            return await spoilt(fault, request, lambda: self._answer(call))
        if fault.after:
            await self._answer(call)
        return refusal_of(
            Refused(fault.status, fault.message, fault.code, retry_after=fault.retry_after)
        )

    async def _answer(self, call: Call) -> web.Response:
        try:
            answered = self._done(call)
        except Refused as refused:
            self._check(call, refused.status, refused.body)
            return refusal_of(refused)
        if answered.content is None:
            self._check(call, answered.status, answered.value)
        return response_of(answered)

    def _done(self, call: Call) -> Answered:
        sent = call.headers.get("authorization", "").removeprefix("Bearer ")
        sent = call.headers.get("api-key", "") if self.azure else sent
        if self.key and sent != self.key:
            raise Refused(401, f"Incorrect API key provided: {sent}.", "invalid_api_key")
        if (left := self.limited_until - self.now()) > 0:
            raise Refused(429, "Rate limit reached.", "rate_limit_exceeded", retry_after=left)
        handler = ROUTES.get(f"{call.method} {call.route}")
        if not handler:
            raise Refused(404, f"Invalid URL ({call.method} {call.path})")
        if problem := request_problem(call, azure=self.azure):
            self.violations.append(problem)
            raise Refused(400, problem)
        return handler(self, call)

    def _check(self, call: Call, status: int, value: Any) -> None:
        """Hold an answer of our own against the description, where it is not odd on purpose."""
        odd = self.azure or self.healthy_errors or not self.tells_more
        if not odd and (problem := answer_problem(call, status, value)):
            self.violations.append(problem)
