"""How a call and its answer look in HTTP."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web
from aiohttp.web_request import FileField

from tests.telegram_server.values import File, Json, Refused

# What is a text even where it looks like JSON; everything else is JSON if it can be.
TEXTS = frozenset(
    {
        *("text", "caption", "callback_query_id", "secret_token", "url", "action", "file_id"),
        *("parse_mode", "language_code", "name", "description", "document", "photo"),
    }
)


async def parameters(request: web.Request) -> Json:
    """The parameters of a call, in whichever of the three ways they came."""
    if request.content_type == "application/json":
        given = await request.json()
        return dict(given)
    if request.content_type == "multipart/form-data":
        return {name: decoded(name, value) for name, value in (await request.post()).items()}
    body = (await request.read()).decode()
    pairs = parse_qsl(body, keep_blank_values=True) or request.query.items()
    return {name: decoded(name, value) for name, value in pairs}


def decoded(name: str, value: Any) -> Any:
    """A parameter's value: in a form everything is text."""
    if isinstance(value, FileField):
        return File(name, value.filename, value.content_type, value.file.read())
    if name in TEXTS:
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def success(result: Any) -> web.Response:
    """The answer to a call; a string is JSON already."""
    body = result if isinstance(result, str) else json.dumps(result)
    return answer(200, f'{{"ok":true,"result":{body}}}')


def failure(refused: Refused) -> web.Response:
    """The answer to a call that is refused."""
    prefix = "Bad Request: " if refused.status == 400 else ""
    told: Json = {
        "ok": False,
        "error_code": refused.status,
        "description": prefix + refused.description,
    }
    if refused.parameters:
        told["parameters"] = refused.parameters
    return answer(refused.status, json.dumps(told))


def answer(status: int, body: str, content_type: str = "application/json") -> web.Response:
    """An answer in HTTP."""
    return web.Response(status=status, text=body, content_type=content_type)
