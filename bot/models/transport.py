"""The way to a provider: connections that are kept, and what may go wrong on them."""

from __future__ import annotations

import asyncio
import ssl
from functools import cache

import httpx
from aiohttp import ClientConnectorError, ClientError, ConnectionTimeoutError
from httpx_aiohttp import HttpxAiohttpClient

from bot.models.endpoint import Endpoint

# What goes wrong between two machines: httpx's errors, and aiohttp's that are not made into those.
BROKEN = (httpx.HTTPError, httpx.StreamError, OSError, ClientError)
NO_LIMIT = 0  # aiohttp's word for it; the core limits how many answers run at a time


def unreached(error: Exception) -> bool:
    """Whether there was no connection, so that nothing of a request can have arrived.

    httpx-aiohttp says ConnectTimeout of a connection that was dropped, too.
    """
    return isinstance(error.__cause__, ClientConnectorError | ConnectionTimeoutError)


class Connections:
    """The connections to one provider: opened at the first request, kept between the others."""

    def __init__(self) -> None:
        self._client: httpx.AsyncClient | None = None
        self._connecting = asyncio.Lock()

    async def client(self, endpoint: Endpoint) -> httpx.AsyncClient:
        """The client that asks over them."""
        if self._client:
            return self._client
        async with self._connecting:
            if self._client is None:
                self._client = await asyncio.to_thread(connected, endpoint)
            return self._client

    async def aclose(self) -> None:
        """Close all; what is on its way breaks."""
        if self._client:
            await self._client.aclose()
            self._client = None


def connected(endpoint: Endpoint) -> httpx.AsyncClient:
    """A client with its own connections, over aiohttp.

    httpx's own transport parses in Python: 2.5 to 4.8 ms of processor time for an answer of 60
    tokens, where aiohttp's takes 1.3.
    """
    provider = endpoint.provider
    timeout = httpx.Timeout(provider.idle_timeout, connect=provider.connect_timeout, pool=None)
    limits = httpx.Limits(max_connections=NO_LIMIT, keepalive_expiry=30.0)
    # Without TLS nobody is to be trusted, and the 0.1 s for reading the certificates is saved.
    trusted = False if endpoint.base_url.startswith("http://") else certificates()
    # A proxy of the environment cannot reach what is served on this machine.
    return HttpxAiohttpClient(
        timeout=timeout, limits=limits, verify=trusted, trust_env=provider.kind != "local"
    )


@cache
def certificates() -> ssl.SSLContext:
    """Whom to trust, read once."""
    return httpx.create_ssl_context()
