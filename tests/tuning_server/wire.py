"""How a call and its answer look in HTTP."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote

from aiohttp import web
from aiohttp.web_request import FileField

from tests.tuning_server.routes import route_of
from tests.tuning_server.values import Answered, Call, Refused


async def call_of(request: web.Request, parts: list[str]) -> Call:
    """A call as it came."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    route, id_ = route_of(parts)
    call = Call(
        request.method, request.path, dict(request.query), headers, route=route, id=unquote(id_)
    )
    if request.content_type == "multipart/form-data":
        call.body = {}
        for name, value in (await request.post()).items():
            if isinstance(value, FileField):
                # How a quote is written in a form: https://html.spec.whatwg.org/#multipart-form-data
                call.filename = value.filename.replace("%22", '"')
                call.content = value.file.read()
            else:
                call.body[name] = value
    elif body := await request.read():
        call.body = decoded(body)
    return call


def decoded(body: bytes) -> Any:
    """JSON, None for anything else."""
    try:
        return json.loads(body)
    except ValueError:
        return None


def response_of(answered: Answered) -> web.Response:
    """An answer in HTTP."""
    content = answered.content
    if content is None:
        content = json.dumps(answered.value).encode()
    return web.Response(
        body=content,
        status=answered.status,
        content_type=answered.content_type,
        headers=answered.headers,
    )


def refusal_of(refused: Refused) -> web.Response:
    """An error in HTTP."""
    return web.json_response(refused.body, status=refused.status, headers=refused.headers)
