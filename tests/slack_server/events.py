"""Events as the Events API tells them, in both modes."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

from tests.slack_server.values import Channel, Json, Message, User
from tests.slack_server.workspace import Workspace

TOKEN = "verification-token"  # sent with every payload; nobody checks it any more
KINDS = {"channel": "message.channels", "group": "message.groups", "im": "message.im"}


def callback(workspace: Workspace, event: Json, event_id: str, person: str = "") -> Json:
    """The wrapper of an event; authorized by the bot, or by a person."""
    return {
        "token": TOKEN,
        "team_id": workspace.team,
        "api_app_id": workspace.app,
        "event": event,
        "type": "event_callback",
        "event_id": event_id,
        "event_time": int(workspace.now()),
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": workspace.team,
                "user_id": person or workspace.bot.id,
                "is_bot": not person,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": False,
        "event_context": f"4-{event_id}",
    }


def subscription(event: Json) -> str:
    """The name by which an app's manifest asks for an event."""
    return KINDS[event["channel_type"]] if event["type"] == "message" else str(event["type"])


# Messages


def of_message(workspace: Workspace, what: str, message: Message, before: Json) -> Iterator[Json]:
    """The events of one change, `what` as the workspace's watchers hear it; `before` is how the
    message stood. One that mentions the bot in a channel is told twice.
    """
    channel = workspace.channels[message.channel]
    if what == "message":
        told = new_message(workspace, message)
        if mentions(workspace, message) and channel.kind != "im":
            yield app_mention(told)
        yield told
        return
    ts = workspace.ts()
    change: Json = {
        "type": "message",
        "subtype": what,
        "channel": channel.id,
        "channel_type": channel.type,
        "hidden": True,
        "ts": ts,
        "event_ts": ts,
        "previous_message": before,
    }
    if what == "message_changed":
        yield {**change, "message": message.json()}
    else:
        yield {**change, "deleted_ts": message.ts}


def mentions(workspace: Workspace, message: Message) -> bool:
    """Whether somebody else speaks to the bot by its name."""
    return f"<@{workspace.bot.id}>" in message.text and message.user != workspace.bot.id


def new_message(workspace: Workspace, message: Message) -> Json:
    """A message event; what the bot itself posted comes like this, too."""
    channel = workspace.channels[message.channel]
    told: Json = {
        **message.json(),
        "channel": channel.id,
        "channel_type": channel.type,
        "event_ts": message.ts,
        "team": workspace.team,
    }
    by = workspace.users[message.user]
    if not by.is_bot:
        written = uuid.uuid5(uuid.NAMESPACE_OID, f"{message.channel}/{message.ts}")
        told["client_msg_id"] = f"{written}"
    elif message.subtype == "bot_message":
        told["username"] = by.display_name
        del told["user"]
    else:
        told["bot_profile"] = bot_profile(workspace, by)
    root = workspace.find(message.channel, message.thread_ts) if message.in_thread else None
    if root:
        told["parent_user_id"] = root.user
    if root and message.subtype == "thread_broadcast":
        told["root"] = root.json()
    return told


def app_mention(told: Json) -> Json:
    """The same message, told to who is mentioned."""
    left_out = {"channel_type", "subtype", "parent_user_id"}
    return {
        **{key: value for key, value in told.items() if key not in left_out},
        "type": "app_mention",
    }


def bot_profile(workspace: Workspace, bot: User) -> Json:
    """Who an app is."""
    return {
        "id": bot.bot_id,
        "app_id": workspace.app,
        "name": bot.name,
        "icons": {},
        "deleted": False,
        "updated": 1_700_000_000,
        "team_id": workspace.team,
    }


# Other events


def reaction(workspace: Workspace, kind: str, by: User, name: str, message: Message) -> Json:
    """`kind` is "reaction_added" or "reaction_removed"."""
    return {
        "type": kind,
        "user": by.id,
        "reaction": name,
        "item": {"type": "message", "channel": message.channel, "ts": message.ts},
        "item_user": message.user,
        "event_ts": workspace.ts(),
    }


def app_home_opened(workspace: Workspace, by: User, tab: str) -> Json:
    """With the view where one was published before and its tab is opened."""
    event: Json = {
        "type": "app_home_opened",
        "user": by.id,
        "channel": workspace.im(by).id,
        "tab": tab,
        "event_ts": workspace.ts(),
    }
    if tab == "home" and by.id in workspace.homes:
        event["view"] = workspace.homes[by.id].json()
    return event


def agent_session_stopped(workspace: Workspace, by: User, message: Message, *streams: str) -> Json:
    """A person pressed Stop in a thread; `streams` are the messages that were written just then.
    As documented at docs.slack.dev/reference/events/agent_session_stopped.
    """
    return {
        "type": "agent_session_stopped",
        "user": by.id,
        "channel": message.channel,
        "thread_ts": message.thread,
        "streaming_message_ts": list(streams),
        "event_ts": workspace.ts(),
    }


def member_joined_channel(workspace: Workspace, member: User, channel: Channel, by: User) -> Json:
    """Somebody, perhaps the bot, came into a channel by invitation or alone."""
    invitation = {} if by.id == member.id else {"inviter": by.id}
    return {
        "type": "member_joined_channel",
        "user": member.id,
        "channel": channel.id,
        "channel_type": channel.id[0],
        "team": workspace.team,
        "event_ts": workspace.ts(),
        **invitation,
    }


def assistant_thread_started(workspace: Workspace, by: User, thread_ts: str, seen: str) -> Json:
    """A person opened a new thread with the app while they saw the channel `seen`."""
    return {
        "type": "assistant_thread_started",
        "assistant_thread": {
            "user_id": by.id,
            "context": {"channel_id": seen, "team_id": workspace.team, "enterprise_id": None},
            "channel_id": workspace.im(by).id,
            "thread_ts": thread_ts,
        },
        "event_ts": workspace.ts(),
    }


def app_context_changed(workspace: Workspace, by: User, seen: str) -> Json:
    """A person looks at the channel `seen` beside the app, or at nothing. Slack's example has
    `context` alone, the types of its own library channel, user and event_ts, too: assumed.
    """
    entity = {"type": "slack#/types/channel_id", "value": seen, "team_id": workspace.team}
    context: Json = {"entities": [entity]} if seen else {}
    return {
        "type": "app_context_changed",
        "user": by.id,
        "channel": workspace.im(by).id,
        "context": context,
        "event_ts": workspace.ts(),
    }


def tokens_revoked(workspace: Workspace) -> Json:
    """Somebody took the app's tokens away."""
    revoked: dict[str, Any] = {"oauth": [], "bot": [workspace.bot.id]}
    return {"type": "tokens_revoked", "tokens": revoked, "event_ts": workspace.ts()}


def app_uninstalled(workspace: Workspace) -> Json:
    """Somebody took the app out of the workspace."""
    return {"type": "app_uninstalled", "event_ts": workspace.ts()}
