"""Who may come in: every request passes here before any route sees it."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adapters.http.errors import Refusal, bug, refused
from adapters.http.keys import Keys
from adapters.http.limits import Body, Rate
from adapters.http.settings import Settings

PROBES: Final = frozenset({"/healthz", "/readyz"})
PAGE: Final = "/"
PAGE_FILES: Final = "/page/"  # the page itself holds no secret: it asks for the key
UPLOADS: Final = "/api/page/files"
COMMANDS: Final = "/api/command"  # a form there may hold a file

LINGER_SECONDS = 1.0

Head = Mapping[bytes, bytes]

# A route may set its own policy, as the page does; no response goes without one.
SECURITY: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
POLICY: Final = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")


@dataclass(frozen=True, slots=True)
class Origins:
    """The names by which a browser may know this server; `any_host` where keys keep others out."""

    hosts: Collection[str]
    any_host: bool = False

    def check(self, method: str, path: str, head: Head) -> None:
        """Refuse what a web page elsewhere sends, also one whose name was bound to our address."""
        host = head.get(b"host", b"").decode("latin-1").lower()
        if not self.any_host and host not in self.hosts:
            raise Refusal(
                421,
                "This server is not known by that name; adapters.http.hosts holds more names.",
            )
        origin = head.get(b"origin")
        if origin is not None and not self._ours(origin.decode("latin-1").lower(), host):
            raise Refusal(403, "A web page elsewhere may not use this server.")
        site = head.get(b"sec-fetch-site", b"none")
        if site not in {b"none", b"same-origin"} and not opens_page(method, path, head):
            raise Refusal(403, "A web page elsewhere may not use this server.")

    def _ours(self, origin: str, host: str) -> bool:
        scheme, _, name = origin.partition("://")
        return scheme in {"http", "https"} and (name == host or name in self.hosts)


def opens_page(method: str, path: str, head: Head) -> bool:
    """Whether a person follows a link to the page, which is all that a link may do."""
    return (
        (method, path) == ("GET", PAGE)
        and head.get(b"sec-fetch-mode") == b"navigate"
        and head.get(b"sec-fetch-dest", b"document") == b"document"
    )


def own_hosts(settings: Settings, port: int) -> frozenset[str]:
    """The names of a server on this port, as browsers write them."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    names = ("127.0.0.1", "[::1]", "localhost", host)
    ours = [*names] if port == 80 else []
    return frozenset(
        name.lower() for name in [*(f"{name}:{port}" for name in names), *ours, *settings.hosts]
    )


class Guard:
    """ASGI middleware: names, keys, rates, sizes and times of requests; headers and errors of
    responses. `doors` are paths with their own limits in bytes, whose callers prove themselves.

    It leaves in `request.state` who calls: `caller` stands for a key, "" for none, and `trusted`
    says whether that is enough.
    """

    def __init__(
        self,
        app: ASGIApp,
        settings: Settings,
        keys: Keys,
        origins: Origins,
        rate: Rate,
        doors: Mapping[str, int],
    ) -> None:
        self._app = app
        self._settings = settings
        self._keys = keys
        self._origins = origins
        self._rate = rate
        self._doors = doors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it with a sentence."""
        head: Head = dict(scope["headers"])
        path: str = scope["path"]
        empty = b"transfer-encoding" not in head and head.get(b"content-length", b"0") == b"0"
        body = Body(receive, self._most_bytes(path, head), self._settings.body_seconds, empty=empty)
        out = Outgoing(send, body)
        try:
            self._admit(scope, path, head)
            body.announce(int(head.get(b"content-length", b"0")))
            await self._app(scope, body, out)
        except Refusal as refusal:
            response = refused(refusal.status_code, refusal.detail, refusal.field, refusal.headers)
            await out.end_with(response, scope)
        except ClientDisconnect:
            pass
        except Exception as error:
            await out.end_with(bug(error, path), scope)

    def _most_bytes(self, path: str, head: Head) -> int:
        form = head.get(b"content-type", b"").lower().startswith(b"multipart/")
        if path.startswith(UPLOADS) or (path == COMMANDS and form):
            return self._settings.max_upload
        return self._doors.get(path, self._settings.max_body)

    def _admit(self, scope: Scope, path: str, head: Head) -> None:
        """Raises Refusal for who may not come in."""
        method = scope["method"]
        caller = self._keys.find(given_key(head))
        trusted = bool(caller) or not self._keys
        scope["state"] |= {"caller": caller, "trusted": trusted}
        if path in self._doors:
            return
        self._origins.check(method, path, head)
        if path in PROBES:
            return
        client = scope["client"]
        if self._keys:  # without keys, all are the one person at this machine
            self._rate.take(caller or (client[0] if client else ""))
        if not trusted and not is_page(method, path):
            raise Refusal(
                401,
                "This needs a key, as `Authorization: Bearer KEY`.",
                {"www-authenticate": "Bearer"},
            )


def given_key(head: Head) -> bytes:
    """The key that a request shows, b"" where it shows none."""
    scheme, _, key = head.get(b"authorization", b"").partition(b" ")
    return key.strip() if scheme.lower() == b"bearer" else head.get(b"x-api-key", b"")


def is_page(method: str, path: str) -> bool:
    """Whether anybody may have it: the page's own files, in which nothing is said."""
    return method in {"GET", "HEAD"} and (path == PAGE or path.startswith(PAGE_FILES))


class Outgoing:
    """The `send` of one request, which adds the headers that every response has."""

    def __init__(self, send: Send, body: Body) -> None:
        self._send = send
        self._body = body
        self._started = False

    async def __call__(self, message: Message) -> None:
        """Send on."""
        if message["type"] == "http.response.start":
            self._started = True
            message["headers"] = [*message.get("headers", ()), *self._headers(message)]
        elif not self._body.ended and not message.get("more_body", False):
            await self._send({**message, "more_body": True})
            await self._drain()
            message = {"type": "http.response.body"}
        await self._send(message)

    def _headers(self, message: Message) -> Iterable[tuple[bytes, bytes]]:
        yield from SECURITY
        if all(name != POLICY[0] for name, _ in message.get("headers", ())):
            yield POLICY
        if not self._body.ended:  # nobody will read the rest of it
            yield (b"connection", b"close")

    async def end_with(self, response: Response, scope: Scope) -> None:
        """Answer with `response`; what was begun is broken off, for uvicorn then hangs up."""
        if not self._started:
            await response(scope, self._body, self)

    async def _drain(self) -> None:
        """Read on for a moment: to hang up with unread bytes would take the response with it."""
        with suppress(TimeoutError):
            async with asyncio.timeout(LINGER_SECONDS):
                while not self._body.ended:
                    await self._body.discard()
