"""Who may come in: every request passes here before any route sees it."""

from __future__ import annotations

import hmac
import re
from collections.abc import Collection
from hashlib import sha256

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.local.api.errors import Refused, refusal

PORT = re.compile(r":\d*$")
LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})


class Access:
    """ASGI middleware. Without keys, whoever is on this machine may come in, but no web page that a
    browser shows here: none of another origin, nor one whose name was bound to our address.
    """

    def __init__(self, app: ASGIApp, keys: Collection[str], *, is_open: bool) -> None:
        self._app = app
        self._keys = [sha256(key.encode()).digest() for key in keys]
        self._is_open = is_open

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        try:
            self._admit(headers)
        except Refused as error:
            await refusal(error)(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _admit(self, headers: Headers) -> None:
        if "origin" in headers or headers.get("sec-fetch-site", "none") != "none":
            raise Refused(403, "A web page may not use this server.")
        scheme, _, key = headers.get("authorization", "").partition(" ")
        given = sha256(key.strip().encode()).digest()
        if scheme.lower() == "bearer" and self._is_key(given):
            return
        if not self._is_open:
            raise Refused(
                401,
                "Incorrect API key provided: send `Authorization: Bearer KEY` with a key of this "
                "server.",
                "invalid_api_key",
            )
        if PORT.sub("", headers.get("host", "")).lower() not in LOOPBACK:
            raise Refused(421, "Without a key this server is known as 127.0.0.1 only.")

    def _is_key(self, given: bytes) -> bool:
        """Whether this is the digest of a key; it takes as long wherever that is among others."""
        same = [hmac.compare_digest(given, key) for key in self._keys]
        return any(same)
