"""Doors: paths on which platforms call us, each with a proof of who calls."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Callable, Collection, Mapping, Sequence
from hashlib import sha256
from typing import Any

import structlog
from fastapi import APIRouter, Request, Response

from adapters.http.errors import Refusal
from bot.errors import ConfigError, StoreError
from bot.ports import Door, Knock, SecretHeader, Signature

PATIENCE = 300  # seconds that a signed time may be away from ours
BASE64 = "whsec_"

log = structlog.get_logger()


def routes(doors: Sequence[Door], taken: Collection[str], now: Callable[[], float]) -> APIRouter:
    """A route for each door; `now` is Unix time in seconds.

    Raises ConfigError for a path that another door has, or that is among `taken`, and for a secret
    that proves nothing.
    """
    router = APIRouter(include_in_schema=False)
    paths = set(taken)
    for door in doors:
        if door.path in paths:
            raise ConfigError(f"{door.path} is the path of two things; give one of them another.")
        if not key(door.proof):
            raise ConfigError(f"The secret for {door.path} cannot be used; copy it once more.")
        paths.add(door.path)
        router.add_api_route(door.path, opener(door, now), methods=["POST"])
    return router


def opener(door: Door, now: Callable[[], float]) -> Callable[..., Any]:
    """The route of a door."""

    async def open_door(request: Request) -> Response:
        knock = Knock(dict(request.headers), await request.body())
        if not proved(door.proof, knock, now()):
            log.warning("door refused", path=door.path)
            raise Refusal(401, "Who calls is not proved.")
        try:
            opened = await door.opens(knock)
        except StoreError as error:
            log.warning("door closed for a moment", path=door.path, reason=str(error))
            raise Refusal(503, "Not now; deliver it again.") from error
        return Response(opened.body, opened.status, media_type=opened.media_type)

    return open_door


def proved(proof: SecretHeader | Signature, knock: Knock, now: float) -> bool:
    """Whether a knock comes from who shares our secret and, where it is signed, from just now."""
    if isinstance(proof, SecretHeader):
        return hmac.compare_digest(header(knock, proof.header.lower()), key(proof))
    return SCHEMES[proof.scheme](key(proof), knock, now)


def slack(key: bytes, knock: Knock, now: float) -> bool:
    """X-Slack-Signature is v0=HEX, over v0:TIME:BODY."""
    sent = header(knock, "x-slack-request-timestamp")
    signed = hmac.new(key, b"v0:%b:%b" % (sent, knock.body), sha256).hexdigest()
    given = header(knock, "x-slack-signature")
    return hmac.compare_digest(given, b"v0=" + signed.encode()) and fresh(sent, now)


def standard(key: bytes, knock: Knock, now: float) -> bool:
    """webhook-signature is v1,BASE64 over ID.TIME.BODY, once for each secret of the sender."""
    sent = header(knock, "webhook-timestamp")
    content = b"%b.%b.%b" % (header(knock, "webhook-id"), sent, knock.body)
    signed = b"v1," + base64.b64encode(hmac.digest(key, content, sha256))
    given = header(knock, "webhook-signature").split()
    return any(hmac.compare_digest(each, signed) for each in given) and fresh(sent, now)


SCHEMES: Mapping[str, Callable[[bytes, Knock, float], bool]] = {
    "slack": slack,
    "standard": standard,
}


def key(proof: SecretHeader | Signature) -> bytes:
    """The secret in bytes; b"" for one that anybody could guess, or that was cut in copying."""
    encoded = isinstance(proof, Signature) and proof.secret.startswith(BASE64)
    if not encoded:
        return proof.secret.encode()
    try:
        return base64.b64decode(proof.secret.removeprefix(BASE64), validate=True)
    except binascii.Error:
        return b""


def header(knock: Knock, name: str) -> bytes:
    """A header's value in the bytes that were sent, b"" where there is none."""
    return knock.headers.get(name, "").encode("latin-1")


def fresh(sent: bytes, now: float) -> bool:
    """Whether a knock was signed within PATIENCE, before or after: clocks differ."""
    return sent.isdigit() and len(sent) <= 12 and abs(now - int(sent)) <= PATIENCE
