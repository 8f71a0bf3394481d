"""HTTP mode: Slack posts everything to one door of the HTTP adapter, signed."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl

from adapters.slack.reception import Reception
from bot.ports import Knock, Opened


async def open_door(reception: Reception, knock: Knock) -> Opened:
    """Take what Slack posts; its signature has been proved."""
    raw = knock.body.decode(errors="replace")
    response = await reception.take(payload(knock, raw), raw)
    media_type = response.headers.get("content-type", ["text/plain"])[0].partition(";")[0]
    return Opened(response.status, (response.body or "").encode(), media_type)


def payload(knock: Knock, raw: str) -> Any:
    """What was posted: an event as JSON, an interaction as JSON in a form, a command as the form;
    None if it is nothing of these.
    """
    try:
        if "json" in knock.headers.get("content-type", ""):
            return json.loads(raw)
        form = dict(parse_qsl(raw, keep_blank_values=True))
        return json.loads(form["payload"]) if "payload" in form else form
    except (ValueError, RecursionError):
        return None
