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
        fields = json.loads(body)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        raise Refused(400, "We could not parse the JSON body of your request.")
    return fields
