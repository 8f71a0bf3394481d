"""The people and the connections in the hands of another process, by actions as in control.py.

    POST /control/says     {"who": "ann", "channel": "general", "text": "@tunebot hello"}
    POST /control/press    {"who": "ann", "channel": "C0…", "ts": "1800…", "which": "Start"}
    POST /control/slash    {"who": "ann", "command": "/finetune", "text": "status"}
    POST /control/drops    {}  → every socket is cut, without a word
    POST /control/settled  {}  → when everything is acknowledged or lost, how that went

`who` is a name or an id, and joins if nobody has that name. `channel` is a name or an id; without
one it is the direct messages with the bot. A message is meant by its `channel` and `ts`.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.slack_server.control import action, shown
from tests.slack_server.delivery import Delivery
from tests.slack_server.people import Person
from tests.slack_server.values import Channel, Json, Message, View

if TYPE_CHECKING:
    from tests.slack_server.server import SlackServer

Deed = Callable[[Person, Message, Json], None]
DEEDS: dict[str, Deed] = {
    "deletes": lambda person, message, _: person.deletes(message),
    "edits": lambda person, message, given: person.edits(message, given["text"]),
    "reacts": lambda person, message, given: person.reacts(message, given["name"]),
    "stops": lambda person, message, _: person.stops(message),
    "unreacts": lambda person, message, given: person.unreacts(message, given["name"]),
}


@action("says")
def says(slack: SlackServer, given: Json) -> Json:
    """Say `text`, perhaps in `thread_ts`, `broadcast`, or with `files`: each has a `name`, and
    `text` or `base64`.
    """
    person, where = doer(slack, given), place(slack, given)
    files = [
        person.file(
            each["name"], b64decode(each.get("base64", "")) or each.get("text", "").encode()
        )
        for each in given.get("files", ())
    ]
    message = person.says(
        where,
        given["text"],
        thread_ts=given.get("thread_ts", ""),
        files=files,
        broadcast=given.get("broadcast", False),
    )
    return shown(message)


def register(name: str, deed: Deed) -> None:
    """Something that a person does to a message."""

    @action(name)
    def act(slack: SlackServer, given: Json) -> Json:
        message = meant(slack, given)
        deed(doer(slack, given), message, given)
        return shown(message)


for name, deed in DEEDS.items():
    register(name, deed)


@action("slash")
def slash(slack: SlackServer, given: Json) -> Json:
    """A slash `command` with its `text`."""
    person, where = doer(slack, given), place(slack, given)
    return person.slash(given["command"], given.get("text", ""), where).body


@action("press")
def press(slack: SlackServer, given: Json) -> Json:
    """Press `which` on a message, or on the `view` "home" or "modal"; perhaps an `option` of it."""
    on = view(slack, given) if "view" in given else meant(slack, given)
    return doer(slack, given).press(on, given["which"], given.get("option", "")).body


@action("submits")
def submits(slack: SlackServer, given: Json) -> Json:
    """Fill the modal in with `values` and submit it."""
    return doer(slack, given).submits(view(slack, given), given.get("values", {})).body


@action("closes")
def closes(slack: SlackServer, given: Json) -> Json:
    """Put the modal away."""
    doer(slack, given).closes(view(slack, given))
    return {}


@action("shortcut")
def shortcut(slack: SlackServer, given: Json) -> Json:
    """A shortcut by its `callback_id`; on a message if one is meant."""
    person = doer(slack, given)
    if "ts" in given:
        return person.message_shortcut(given["callback_id"], meant(slack, given)).body
    return person.shortcut(given["callback_id"]).body


@action("opens_home")
def opens_home(slack: SlackServer, given: Json) -> Json:
    """Look at the app's `tab`, "home" or "messages"."""
    doer(slack, given).opens_home(given.get("tab", "home"))
    return {}


@action("uninstalls")
def uninstalls(slack: SlackServer, given: Json) -> Json:
    """Take the app out of the workspace."""
    doer(slack, given).uninstalls()
    return {}


# Connections


@action("again")
def again(slack: SlackServer, given: Json) -> Json:
    """Tell the bot of a message once more, perhaps `under_another_id`."""
    other = given.get("under_another_id", False)
    delivery(slack).again(meant(slack, given), under_another_id=other)
    return {}


@action("posts_to")
async def posts_to(slack: SlackServer, given: Json) -> Json:
    """From now on post everything to `url`; says whether that proves to be the bot's."""
    return {"verified": await delivery(slack).posts_to(given["url"]).verify()}


@action("disconnects")
async def disconnects(slack: SlackServer, given: Json) -> Json:
    """Ask the bot to leave its sockets, for a `reason`."""
    await delivery(slack).sockets.disconnect(given.get("reason", "refresh_requested"))
    return {}


@action("drops")
def drops(slack: SlackServer, _: Json) -> Json:
    """Cut all sockets; how many there were."""
    live = list(delivery(slack).sockets.live)
    for socket in live:
        socket.drop()
    return {"sockets": len(live)}


@action("settled")
async def settled(slack: SlackServer, given: Json) -> Json:
    """Answer when everything is acknowledged or lost, within `seconds`."""
    told = delivery(slack)
    await told.settled(given.get("seconds", 30.0))
    return {
        "payloads": len(told.payloads),
        "acknowledgements": told.acknowledgements,
        "losses": [payload.body for payload in told.losses],
        "delivered": dict(told.delivered),
        "sockets": len(told.sockets.live),
    }


# What is meant


def delivery(slack: SlackServer) -> Delivery:
    """What tells the bot of things here."""
    assert isinstance(slack.delivery, Delivery), "nobody is told of anything here"
    return slack.delivery


def doer(slack: SlackServer, given: Json) -> Person:
    """Who does it."""
    who, workspace = given["who"], slack.workspace
    known = [user for user in workspace.users.values() if who in {user.id, user.name}]
    return Person(delivery(slack), known[0] if known else workspace.user(who))


def place(slack: SlackServer, given: Json) -> Channel:
    """Where it is done."""
    name = given.get("channel", "")
    if not name:
        return doer(slack, given).im
    for channel in slack.workspace.channels.values():
        if name in {channel.id, channel.name}:
            return channel
    raise LookupError(f"there is no channel {name}")


def meant(slack: SlackServer, given: Json) -> Message:
    """The message that is meant, also one that only they see."""
    where = place(slack, given)
    alone = slack.workspace.ephemeral(doer(slack, given).user, where) if "who" in given else []
    for message in (slack.workspace.find(where.id, given["ts"]), *alone):
        if message and message.ts == given["ts"]:
            return message
    raise LookupError(f"there is no message {given['ts']} in {where.id}")


def view(slack: SlackServer, given: Json) -> View:
    """The modal that stands before them, or their home tab."""
    person = doer(slack, given)
    found = person.home if given.get("view") == "home" else person.modal
    assert found, "nothing stands before them"
    return found
