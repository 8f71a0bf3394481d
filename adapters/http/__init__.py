"""HTTP: questions of applications, the page, the doors of platforms, and what operators look at."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Mapping, Sequence

import httpx
import structlog

from adapters.http.assembly import assemble
from adapters.http.connection import Limited
from adapters.http.exchanges import Exchanges
from adapters.http.keys import VARIABLE, Keys
from adapters.http.operations import HEALTHY
from adapters.http.server import Server, bind
from adapters.http.settings import Settings
from bot.errors import ConfigError
from bot.messages import ReplyTo
from bot.ports import Check, Core, Door, Limits, Sink

__all__ = ["Http", "Settings", "create"]

CHECK_SECONDS = 2.0
WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - where to find what is bound so

log = structlog.get_logger()


class Http:
    """One server. `listening` is set while it takes requests, at `address`; `now` is Unix time."""

    limits = Limits(edits=False)

    def __init__(
        self, name: str, settings: Settings, keys: Keys, now: Callable[[], float] = time.time
    ) -> None:
        self.name = name
        self.address = ""
        self.listening = asyncio.Event()
        self._settings = settings
        self._keys = keys
        self._now = now
        self._exchanges = Exchanges()
        self._server: Server | None = None

    async def run(self, core: Core) -> None:
        """Answer requests until cancelled; those that wait for an answer then still get it."""
        with bind(self.name, self._settings) as listener:
            port = listener.getsockname()[1]
            app = assemble(core, self._exchanges, self._settings, self._keys, port, self._now)
            self._server = Server(listener, app, self._limited)
            self._announce(port)
            try:
                await self._server.serve(self.listening.set)
            finally:
                self.listening.clear()

    @property
    def _limited(self) -> Limited:
        settings = self._settings
        return Limited(settings.connections, settings.header_seconds, bool(settings.hosts))

    def _announce(self, port: int) -> None:
        """Say where it is, in the log and to who sits at the terminal."""
        self.address = address(self._settings.host, port)
        log.info("listening", address=self.address, keys=self._keys.names)
        if sys.stderr.isatty():
            sys.stderr.write(f"The page: {self.address}\n")

    @property
    def doors(self) -> Sequence[Door]:
        """Nobody calls the HTTP adapter but through itself."""
        return ()

    @property
    def people(self) -> Sequence[str]:
        """What the ids of its people begin with."""
        return ("http", "page")

    @property
    def opens_doors(self) -> bool:
        """Those of all others."""
        return True

    @property
    def trouble(self) -> str:
        """Who can ask about it has reached it."""
        return ""

    def sink(self, to: ReplyTo) -> Sink:
        """A writer to whoever waits for this reply; often nobody does any more."""
        return self._exchanges.sink(to)

    async def close(self) -> None:
        """Answer who still waits, let the last responses be read, and end every connection."""
        await self._exchanges.aclose()
        if self._server:
            await self._server.finish()

    async def check(self) -> Sequence[Check]:
        """Whether it can listen where it should, and who may use it."""
        return [await self._check_address(), self._check_keys()]

    async def _check_address(self) -> Check:
        what, where = f"adapter {self.name}", address(self._settings.host, self._settings.port)
        if await is_tunebot(where):
            return Check(what, works=True, found=f"a running tunebot answers at {where}")
        try:
            with bind(self.name, self._settings) as listener:
                where = address(self._settings.host, listener.getsockname()[1])
        except ConfigError as error:
            return Check(what, works=False, found=str(error))
        return Check(what, works=True, found=f"free to listen at {where}")

    def _check_keys(self) -> Check:
        if self._keys:
            keys = (f"{name} as {caller}" for name, caller in self._keys.callers.items())
            found = f"{VARIABLE} has {', '.join(keys)}"
        else:
            found = f"{VARIABLE} is empty: whoever uses this machine needs none"
        return Check(f"keys of {self.name}", works=True, found=found)


async def is_tunebot(where: str) -> bool:
    """Whether something there says that it is well as we say it."""
    try:
        async with httpx.AsyncClient(timeout=CHECK_SECONDS, trust_env=False) as client:
            response = await client.get(f"{where}healthz")
    except httpx.HTTPError:
        return False
    return response.text == HEALTHY


def address(host: str, port: int) -> str:
    """Where a browser finds the page."""
    host = WILDCARDS.get(host, host)
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def create(name: str, settings: Settings, environment: Mapping[str, str]) -> Http:
    """The adapter for [adapters.http]. Raises ConfigError where anybody could use it."""
    keys = Keys(environment)
    if not settings.loopback and not keys:
        raise ConfigError(
            f"adapters.{name}.host: {settings.host} can be reached from other machines; set "
            f"{VARIABLE} so that only your applications may use it, or use 127.0.0.1."
        )
    if settings.hosts and not keys:
        raise ConfigError(
            f"adapters.{name}.hosts: whoever comes through a proxy would have the rights of this "
            f"machine's own users; set {VARIABLE}, or leave hosts empty."
        )
    return Http(name, settings, keys)
