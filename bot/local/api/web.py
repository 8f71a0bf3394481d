"""uvicorn, run within a program that has its own signals and log."""

from __future__ import annotations

import asyncio
import errno
import socket

import uvicorn
from starlette.types import ASGIApp

from bot.errors import ConfigError

FLUSH_SECONDS = 2  # for answers that are under way when it stops


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises ConfigError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=256)
    except (OSError, UnicodeError) as error:
        if getattr(error, "errno", 0) in {errno.EADDRINUSE, errno.EACCES}:
            reason = f"{port} cannot be used ({error}); choose another port"
        else:
            reason = f"this machine has no address {host!r}; use one of its own, or 127.0.0.1"
        raise ConfigError(f"--host and --port: {reason}.") from error
    # asyncio does not set it for a socket made so, and a small event would wait 40 ms for the next.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


class Web:
    """The HTTP server behind one listening socket; `start` once, then `stop`."""

    def __init__(self, listener: socket.socket, application: ASGIApp) -> None:
        self._listener = listener
        config = uvicorn.Config(
            application,
            http="httptools",
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="critical",  # what goes wrong is logged where it does
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=FLUSH_SECONDS,
        )
        self._uvicorn = uvicorn.Server(config)
        self._loop: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        port: int = self._listener.getsockname()[1]
        return port

    async def start(self) -> None:
        """Answer from now on."""
        # Not uvicorn.Server.serve: that one takes the signals, which are the program's.
        config = self._uvicorn.config
        config.load()
        self._uvicorn.lifespan = config.lifespan_class(config)
        await self._uvicorn.startup(sockets=[self._listener])
        self._loop = asyncio.create_task(self._uvicorn.main_loop(), name="local API")

    async def stop(self) -> None:
        """Answer no more; what is under way has a moment to end."""
        if self._loop is not None:
            self._uvicorn.should_exit = True
            await self._loop
            await self._uvicorn.shutdown(sockets=[self._listener])
        self._listener.close()
