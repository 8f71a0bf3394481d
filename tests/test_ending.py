from __future__ import annotations

import asyncio
import socket
from contextlib import suppress

import pytest
from aiohttp import web

from tests.ending import end


@pytest.mark.parametrize("turns", range(6))
async def test_connection_that_comes_as_a_server_ends_is_closed(turns: int) -> None:
    runner = web.AppRunner(web.Application(), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    with socket.create_connection(runner.addresses[0]) as late:
        late.setblocking(False)
        for _ in range(turns):
            await asyncio.sleep(0)
        await end(runner)
        async with asyncio.timeout(10):
            with suppress(ConnectionResetError):  # nobody had accepted it
                assert await asyncio.get_running_loop().sock_recv(late, 1) == b""
