"""How a server of the tests ends without leaving a connection open."""

from __future__ import annotations

import asyncio

from aiohttp import web

TURNS = 8  # of the loop, from an accepted connection to a handler that runs; 4 were seen


async def accept_no_more(server: asyncio.Server) -> None:
    """Take no new connections, and let those begin that are accepted already.

    CPython 3.11 makes them some turns of the loop later, and leaves them open for ever where the
    server has closed by then.
    """
    for listening in server.sockets:
        asyncio.get_running_loop().remove_reader(listening.fileno())
    for _ in range(TURNS):
        await asyncio.sleep(0)


async def end(runner: web.AppRunner) -> None:
    """End an aiohttp server, and the connections that came at the last moment."""
    for site in runner.sites:
        assert isinstance(site._server, asyncio.Server)
        await accept_no_more(site._server)
    await runner.cleanup()
