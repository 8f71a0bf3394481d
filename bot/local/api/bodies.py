"""Bodies of requests, read with bounds."""

from __future__ import annotations

import json
from typing import Any

from fastapi import Request

from bot.local.api.errors import Refused

MOST_BYTES = 16 * 1024**2  # of a body that is JSON


async def json_of(request: Request) -> dict[str, Any]:
    """The JSON object that came. Raises Refused."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MOST_BYTES:
            raise Refused(413, f"The request is larger than {MOST_BYTES // 1024**2} MB.")
    try:
        fields = value_of(body)
    except ValueError:
        fields = None
    if not isinstance(fields, dict):
        raise Refused(400, "We could not parse the JSON body of your request.")
    return fields


def value_of(text: bytes | bytearray | str) -> Any:
    """A JSON value that can go out again. Raises ValueError, also for what Python alone takes for
    JSON: NaN, an endless number, half of a character.
    """
    try:
        value = json.loads(text)
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    return value
