"""Reactions: the bot's own, and what it is told of those of others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.slack_server.methods import channel, method
from tests.slack_server.values import Json, Message, Parameters, Refused

if TYPE_CHECKING:
    from tests.slack_server.server import SlackServer


@method("reactions.add")
def add(slack: SlackServer, given: Parameters) -> Json:
    """The bot reacts to a message, by the name of an emoji without colons."""
    if not given["name"].replace("+", "").replace("-", "").replace("_", "").isalnum():
        raise Refused("invalid_name")
    slack.workspace.react(reacted_to(slack, given), given["name"], slack.workspace.bot)
    return {}


@method("reactions.remove")
def remove(slack: SlackServer, given: Parameters) -> Json:
    """The bot takes a reaction back."""
    slack.workspace.unreact(reacted_to(slack, given), given["name"], slack.workspace.bot)
    return {}


@method("reactions.get")
def get(slack: SlackServer, given: Parameters) -> Json:
    """Who reacted to a message, and with what."""
    message = reacted_to(slack, given)
    return {"type": "message", "channel": message.channel, "message": message.json()}


def reacted_to(slack: SlackServer, given: Parameters) -> Message:
    """The message that is meant. Raises Refused."""
    if not given.get("channel") or not given.get("timestamp"):
        raise Refused("no_item_specified")
    message = slack.workspace.find(channel(slack, given).id, str(given["timestamp"]))
    if not message:
        raise Refused("message_not_found")
    return message
