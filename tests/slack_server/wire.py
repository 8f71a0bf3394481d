"""How a call and its answer look in HTTP."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from tests.slack_server.values import Json, Refused

# What may be an object or a list: in a form, and where a method says "string", it is JSON.
STRUCTURED = frozenset(
    {
        *("attachments", "blocks", "chunks", "files", "loading_messages", "metadata", "prompts"),
        *("unfurled_attachments", "view"),
    }
)

SCOPES = (
    "app_mentions:read,assistant:write,channels:history,channels:read,groups:history,groups:read,"
    "im:history,chat:write,commands,im:read,im:write,reactions:read,reactions:write,files:read,"
    "files:write,users:read"
)


async def parameters(request: web.Request) -> tuple[Json, bool]:
    """The parameters of a call without the token, and whether they came as JSON.

    Raises Refused where they cannot be read.
    """
    in_json = request.content_type == "application/json" and request.can_read_body
    given: Json = dict(request.query)
    if in_json:
        given |= _object(await request.text())
    else:
        given |= await _form(request)
    given.pop("token", None)
    return {name: _decoded(name, value) for name, value in given.items()}, in_json


async def _form(request: web.Request) -> dict[str, str]:
    """The fields of a form; the methods take no files in one."""
    fields = (await request.post()).items()
    return {name: value for name, value in fields if isinstance(value, str)}


def _object(body: str) -> Json:
    try:
        given = json.loads(body)
    except ValueError:
        raise Refused("invalid_json") from None
    if not isinstance(given, dict):
        raise Refused("json_not_object")
    return given


def _decoded(name: str, value: Any) -> Any:
    """What is structured as it is meant; what is no JSON stays text, for the checks to refuse."""
    if name in STRUCTURED and isinstance(value, str):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


async def token(request: web.Request) -> str:
    """The token of a call: in its header, or among its parameters; "" if there is none."""
    scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
    if scheme == "Bearer":
        return bearer
    return (await _form(request)).get("token") or request.query.get("token") or ""


def success(result: Json) -> web.Response:
    """The answer to a call."""
    return web.json_response({"ok": True, **result}, headers={"X-OAuth-Scopes": SCOPES})


def failure(refused: Refused) -> web.Response:
    """The answer to a call that is refused; Slack's status for it is 200."""
    return web.json_response({"ok": False, "error": refused.error, **refused.more})


def too_fast(retry_after: int) -> web.Response:
    """The answer to a call that came too fast."""
    body = {"ok": False, "error": "ratelimited"}
    return web.json_response(body, status=429, headers={"Retry-After": f"{retry_after}"})


def page(title: str, status: int = 200) -> web.Response:
    """A page for people where a program awaits an answer."""
    html = f"<!DOCTYPE html><html><head><title>{title}</title></head><body></body></html>"
    return web.Response(status=status, text=html, content_type="text/html")
