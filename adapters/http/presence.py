"""A client that waits for its answer, or went away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.requests import ClientDisconnect
from starlette.types import Receive


@asynccontextmanager
async def present(receive: Receive) -> AsyncIterator[None]:
    """A block that ends when the client goes away. Raises ClientDisconnect then.

    The body of the request must have been read.
    """
    try:
        async with asyncio.timeout(None) as stay:
            watch = asyncio.create_task(until_gone(receive, stay), name="client")
            try:
                yield
            finally:
                watch.cancel()
                await asyncio.wait([watch])
    except TimeoutError:
        if stay.expired():
            raise ClientDisconnect from None
        raise


async def until_gone(receive: Receive, stay: asyncio.Timeout) -> None:
    """End the stay of a client once it has left."""
    while (await receive())["type"] != "http.disconnect":
        pass
    stay.reschedule(asyncio.get_running_loop().time())
