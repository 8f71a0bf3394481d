"""The strings for a test in another process: each action is a POST of JSON to /control/ACTION.

    POST /control/user     {"name": "ann"}                     → {"id": "U0…"}
    POST /control/channel  {"name": "general", "members": […]} → {"id": "C0…"}
    POST /control/fails    {"method": "chat.update", "fault": {"kind": "drop", "after": true}}
    POST /control/sees     {"channel": "C0…", "text": "Hello"} → when it is read there
    POST /control/state    {}                                  → everything that stands

An action that goes wrong answers 400 and says why in `error`. More are registered with `action`.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from aiohttp import web

from tests.faults import Drop, Hang, page
from tests.slack_server.faults import Fail, Fault
from tests.slack_server.values import Channel, Json, Message, Refused

if TYPE_CHECKING:
    from tests.slack_server.server import SlackServer

Action = Callable[["SlackServer", Json], "Json | Awaitable[Json]"]
ACTIONS: dict[str, Action] = {}
FAULTS: dict[str, Callable[..., Fault]] = {
    "drop": Drop,
    "fail": Fail,
    "hang": Hang,
    "page": page,
}


def action(name: str) -> Callable[[Action], Action]:
    """Register what another process may ask for; it gets the body and returns the answer."""

    def register(function: Action) -> Action:
        ACTIONS[name] = function
        return function

    return register


class Control:
    """Serves the actions."""

    def __init__(self, slack: SlackServer) -> None:
        self._slack = slack

    def routes(self) -> list[web.AbstractRouteDef]:
        """Where they are served."""
        return [web.post("/control/{action}", self._act)]

    async def _act(self, request: web.Request) -> web.Response:
        try:
            given = json.loads(await request.text() or "{}")
            result = ACTIONS[request.match_info["action"]](self._slack, given)
            return web.json_response(await result if inspect.isawaitable(result) else result)
        except (LookupError, TypeError, ValueError, AssertionError, Refused) as error:
            told: Json = {"error": f"{type(error).__name__}: {error}"}
        except TimeoutError:
            told = {"error": "It did not come in time.", "state": state(self._slack, {})}
        return web.json_response(told, status=400)


@action("user")
def user(slack: SlackServer, given: Json) -> Json:
    """Somebody joins: `name`, perhaps `id` and `display_name`."""
    name, user_id = given["name"], given.get("id", "")
    return slack.workspace.user(name, user_id, given.get("display_name", "")).json()


@action("channel")
def channel(slack: SlackServer, given: Json) -> Json:
    """A channel: `name`, perhaps `kind`, and `members` by their ids; kind "im" with one of them."""
    workspace = slack.workspace
    members = [workspace.users[each] for each in given.get("members", [])]
    if given.get("kind") == "im":
        return workspace.im(members[0]).json()
    kind = given.get("kind", "public")
    return workspace.channel(given["name"], members, kind=kind).json()


@action("fails")
def fails(slack: SlackServer, given: Json) -> Json:
    """Plan a fault: `method`, perhaps `channel` and `times`, and `fault`, whose `kind` is "drop",
    "fail", "hang" or "page" and the rest its fields.
    """
    fault = FAULTS[given["fault"].pop("kind")](**given["fault"])
    where, times = given.get("channel", ""), given.get("times", 1)
    slack.fails(given["method"], fault, channel=where, times=times)
    return {}


@action("release")
def release(slack: SlackServer, _: Json) -> Json:
    """Answer all that hangs, and let nothing go wrong any more."""
    slack.faults.clear()
    slack.faults.release()
    return {}


@action("flood")
def flood(slack: SlackServer, given: Json) -> Json:
    """Take no call of `method` ("" for any) for `seconds`."""
    slack.rates.flood(given.get("method", ""), given["seconds"])
    return {}


@action("configure")
def configure(slack: SlackServer, given: Json) -> Json:
    """How it is from now on: `streams` as for SlackServer, and any of the `lengths`."""
    slack.streams = given.get("streams", slack.streams)
    slack.lengths = replace(slack.lengths, **given.get("lengths", {}))
    return {}


@action("sees")
async def sees(slack: SlackServer, given: Json) -> Json:
    """Answer when `text` is read in `channel`, perhaps only in `thread_ts`, in a message of the bot
    or whoever it is `by`; with the message. `exactly` wants nothing else in it. `seconds` is how
    long to wait.
    """
    where, thread = slack.workspace.channels[given["channel"]], given.get("thread_ts", "")
    text, exactly = given["text"], given.get("exactly", False)
    author = given.get("by", slack.workspace.bot.id)

    def found() -> list[Message]:
        return [
            message
            for message in slack.workspace.messages(where, thread)
            if message.user == author
            and (message.seen == text if exactly else text in message.seen)
        ]

    await slack.workspace.until(found, given.get("seconds", 30.0))
    return shown(found()[-1])


@action("calls")
def calls(slack: SlackServer, given: Json) -> Json:
    """The calls of the bot, of a `method` or all."""
    kept = slack.workspace.calls
    method = given.get("method", "")
    return {
        "calls": [
            {"method": each.method, "given": each.given, "at": each.at, "outcome": each.outcome}
            for each in kept
            if method in {"", each.method}
        ]
    }


@action("state")
def state(slack: SlackServer, _: Json) -> Json:
    """What stands in all channels, what the bot did that it should not, and how often it called."""
    workspace = slack.workspace
    return {
        "channels": {each.id: listed(slack, each) for each in workspace.channels.values()},
        "pings": [f"{each.what}: {each.written}" for each in workspace.pings],
        "violations": slack.violations,
        "refused": dict(slack.rates.refused),
        "calls": {
            f"{method} {outcome}": times for (method, outcome), times in slack.statuses.items()
        },
    }


def listed(slack: SlackServer, where: Channel) -> Json:
    """A channel with its messages."""
    messages = [shown(each) for each in slack.workspace.messages(where)]
    return {"name": where.name, "kind": where.kind, "messages": messages}


def shown(message: Message) -> Json:
    """A message, and how it is `seen`."""
    return {**message.json(), "seen": message.seen, "streaming": message.streaming}
