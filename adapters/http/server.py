"""uvicorn, run by an adapter: bound first, cancelled in order, and bounded where it is not."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Awaitable, Callable

import uvicorn

from adapters.http.connection import Connection, Limited
from adapters.http.settings import Settings
from bot.errors import ConfigError

FLUSH_SECONDS = 3.0  # for those who read what they were already sent
CUT_SECONDS = 0.1
POLL_SECONDS = 0.02
STALL_SECONDS = 15  # between two looks at who does not read

REASONS = {
    errno.EADDRINUSE: "is used by another program; stop that one, or choose another port",
    errno.EACCES: "may not be used by this user; choose a port above 1023",
}

Callback = Callable[[], Awaitable[None]]
Application = Callable[..., Awaitable[None]]


def bind(name: str, settings: Settings) -> socket.socket:
    """Listen where [adapters.NAME] says. Raises ConfigError, which names the key.

    Who named no port gets another one where the usual is taken.
    """
    try:
        return listener(settings, settings.port)
    except (OSError, UnicodeError) as error:
        code = getattr(error, "errno", 0)
        if code == errno.EADDRINUSE and "port" not in settings.model_fields_set:
            return listener(settings, 0)
        reason = REASONS.get(getattr(error, "errno", 0) or 0)
        if reason:
            raise ConfigError(f"adapters.{name}.port: {settings.port} {reason}.") from error
        raise ConfigError(
            f"adapters.{name}.host: this machine has no address {settings.host!r}; use one of its "
            "own, or 127.0.0.1."
        ) from error


def listener(settings: Settings, port: int) -> socket.socket:
    """A listening socket. Raises OSError."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    server = socket.create_server(
        (settings.host, port), family=family, backlog=settings.connections
    )
    # asyncio does not set it for a socket made so, and a small event would wait 40 ms for the next.
    server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return server


class Server:
    """The server behind one listening socket; `serve` once, then `finish`."""

    def __init__(self, listener: socket.socket, application: Application, limits: Limited) -> None:
        self._listener = listener
        config = Config(application, limits, callback_notify=self.hang_up_on_stalled)
        self._uvicorn = uvicorn.Server(config)

    async def serve(self, listening: Callable[[], None]) -> None:
        """Call `listening`, then serve until cancelled; what is being answered is answered on."""
        # Not uvicorn.Server.serve: that one takes the signals, which are the program's.
        config = self._uvicorn.config
        config.load()
        self._uvicorn.lifespan = config.lifespan_class(config)
        await self._uvicorn.startup(sockets=[self._listener])
        listening()
        try:
            await self._uvicorn.main_loop()
        finally:
            self._stop()
            await asyncio.sleep(0)  # lets go of the connections that were closed

    def _stop(self) -> None:
        """Take no more connections, and no more requests on those that are open."""
        for server in self._uvicorn.servers:
            server.close()
        for connection in list(self._uvicorn.server_state.connections):
            connection.shutdown()

    async def hang_up_on_stalled(self) -> None:
        """End the connections whose clients do not read; called every STALL_SECONDS."""
        for connection in list(self._uvicorn.server_state.connections):
            if isinstance(connection, Connection):
                connection.hang_up_if_stalled()

    async def finish(self) -> None:
        """Let responses be read to their end for a moment, then cut what is left."""
        state = self._uvicorn.server_state
        try:
            async with asyncio.timeout(FLUSH_SECONDS):
                # uvicorn has no event for this.
                while state.connections or state.tasks:  # noqa: ASYNC110
                    await asyncio.sleep(POLL_SECONDS)
        except TimeoutError:
            await self._cut()

    async def _cut(self) -> None:
        state = self._uvicorn.server_state
        for connection in list(state.connections):
            connection.transport.abort()
        if tasks := list(state.tasks):
            # Most notice that their client has gone.
            _, left = await asyncio.wait(tasks, timeout=CUT_SECONDS)
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)


class Config(uvicorn.Config):
    """What uvicorn is told; `limited` is what its connections keep to beyond that."""

    def __init__(
        self, application: Application, limited: Limited, callback_notify: Callback
    ) -> None:
        super().__init__(
            application,
            callback_notify=callback_notify,
            timeout_notify=STALL_SECONDS,
            http=Connection,
            ws="none",
            lifespan="off",
            log_config=None,  # the program has its own log
            log_level="error",  # anybody can send what it warns of
            access_log=False,
            server_header=False,
            proxy_headers=limited.behind_proxy,
        )
        self.limited = limited
