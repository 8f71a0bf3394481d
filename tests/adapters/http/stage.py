"""A server on a free port of this machine, with a scripted core behind it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import httpx

from adapters.http import Http, Settings, create
from tests.adapters.fake_core import FakeCore

KEY = "a-key-of-a-test-with-32-letters."

Serving = Callable[..., AbstractAsyncContextManager["Server"]]


@dataclass
class Server:
    """A running adapter, its core, and a client of it."""

    adapter: Http
    core: FakeCore
    client: httpx.AsyncClient
    run: asyncio.Task[None]

    @property
    def port(self) -> int:
        assert self.client.base_url.port
        return self.client.base_url.port

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A bare connection."""
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def stop(self) -> None:
        """Cancel `run`, as SIGTERM does; the adapter is not closed yet."""
        await ended(self.run)


@asynccontextmanager
async def serving(
    core: Callable[[Http], FakeCore] = FakeCore,
    environment: Mapping[str, str] | None = None,
    **settings: Any,
) -> AsyncIterator[Server]:
    """Run an adapter with these settings until the end of the block."""
    adapter = create("http", Settings(**{"port": 0, **settings}), environment or {})
    scripted = core(adapter)
    run = asyncio.create_task(adapter.run(scripted), name="adapter http")
    listening = asyncio.create_task(adapter.listening.wait(), name="listening")
    await asyncio.wait([run, listening], return_when=asyncio.FIRST_COMPLETED)
    listening.cancel()
    if run.done():
        run.result()
    async with httpx.AsyncClient(base_url=adapter.address, timeout=10) as client:
        server = Server(adapter, scripted, client, run)
        try:
            yield server
        finally:
            await server.stop()
            await adapter.close()


async def ended(run: asyncio.Task[None]) -> None:
    """Cancel a run, and wait for its end."""
    run.cancel()
    with suppress(asyncio.CancelledError):
        await run


async def exchange(server: Server, *pieces: bytes) -> bytes:
    """What a bare connection gets for these bytes, until the server hangs up."""
    reader, writer = await server.connect()
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        async with asyncio.timeout(10):
            return await reader.read()
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
