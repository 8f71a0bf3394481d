"""Slack on the loopback: the Web API as it behaves, and what people see of it.

    async with SlackServer() as slack:
        ann = slack.workspace.user("ann")
        general = slack.workspace.channel("general", [ann])
        client = AsyncWebClient(slack.tokens.bot, base_url=slack.api_url)
        await client.chat_postMessage(channel=general.id, text="Hello")
        assert slack.workspace.visible(general) == ["Hello"]

`Slack` is the same with people in it, and a bot that hears of what they do, over sockets or HTTP:

    async with Slack() as slack:
        ann = slack.person("ann")
        ann.says(ann.im, "Hello")
        await slack.delivery.settled()

What the limits are is in facts/slack.md; the methods' arguments and the blocks are held against
Slack's own descriptions where these are there.
"""

from tests.faults import Drop, Hang, Raw, page
from tests.rates import Rate
from tests.slack_server.calls import Call
from tests.slack_server.faults import Fail, Fault
from tests.slack_server.limits import Lengths, Limits
from tests.slack_server.people import Person
from tests.slack_server.pings import Ping
from tests.slack_server.server import Delivery, SlackServer, Tokens
from tests.slack_server.slack import Slack
from tests.slack_server.values import Channel, File, Message, User, View
from tests.slack_server.workspace import Workspace

__all__ = [
    "Call",
    "Channel",
    "Delivery",
    "Drop",
    "Fail",
    "Fault",
    "File",
    "Hang",
    "Lengths",
    "Limits",
    "Message",
    "Person",
    "Ping",
    "Rate",
    "Raw",
    "Slack",
    "SlackServer",
    "Tokens",
    "User",
    "View",
    "Workspace",
    "page",
]
