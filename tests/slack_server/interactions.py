"""What a person does with commands, buttons, shortcuts and views, as the bot is told."""

from __future__ import annotations

from typing import Any

from tests.slack_server.events import TOKEN
from tests.slack_server.values import Channel, Json, Message, User, View
from tests.slack_server.workspace import Workspace

NAMELESS = {"im": "directmessage", "private": "privategroup"}


def command(
    workspace: Workspace, by: User, name: str, text: str, channel: Channel, response_url: str
) -> Json:
    """A slash command. All of it is text, as in the form that HTTP mode posts."""
    return {
        "token": TOKEN,
        "team_id": workspace.team,
        "team_domain": workspace.domain,
        "channel_id": channel.id,
        "channel_name": NAMELESS.get(channel.kind, channel.name),
        "user_id": by.id,
        "user_name": by.name,
        "command": name,
        "text": text,
        "api_app_id": workspace.app,
        "is_enterprise_install": "false",
        "response_url": response_url,
        "trigger_id": workspace.trigger(by),
    }


def interaction(workspace: Workspace, by: User, kind: str, **more: Any) -> Json:
    """What all interactions have in common."""
    return {
        "type": kind,
        "user": {"id": by.id, "username": by.name, "name": by.name, "team_id": workspace.team},
        "api_app_id": workspace.app,
        "token": TOKEN,
        "team": {"id": workspace.team, "domain": workspace.domain},
        "enterprise": None,
        "is_enterprise_install": False,
        "trigger_id": workspace.trigger(by),
        **more,
    }


def block_actions(
    workspace: Workspace, by: User, shown: Message | View, action: Json, response_url: str
) -> Json:
    """A press on a message or a view. What only the person sees travels without its text."""
    done = {**action, "action_ts": workspace.ts()}
    if isinstance(shown, View):
        container: Json = {"type": "view", "view_id": shown.id}
        return interaction(
            workspace, by, "block_actions", container=container, view=shown.json(), actions=[done]
        )
    container = {
        "type": "message",
        "message_ts": shown.ts,
        "channel_id": shown.channel,
        "is_ephemeral": bool(shown.ephemeral_for),
    }
    if shown.in_thread:
        container["thread_ts"] = shown.thread_ts
    message = {} if shown.ephemeral_for else {"message": message_of(workspace, shown)}
    return interaction(
        workspace,
        by,
        "block_actions",
        container=container,
        channel=place(workspace.channels[shown.channel]),
        state={"values": {}},
        response_url=response_url,
        actions=[done],
        **message,
    )


def shortcut(workspace: Workspace, by: User, callback_id: str) -> Json:
    """A global shortcut."""
    return interaction(workspace, by, "shortcut", callback_id=callback_id, action_ts=workspace.ts())


def message_action(
    workspace: Workspace, by: User, callback_id: str, message: Message, response_url: str
) -> Json:
    """A shortcut on a message."""
    return interaction(
        workspace,
        by,
        "message_action",
        callback_id=callback_id,
        action_ts=workspace.ts(),
        message_ts=message.ts,
        channel=place(workspace.channels[message.channel]),
        message=message_of(workspace, message),
        response_url=response_url,
    )


def view_submission(workspace: Workspace, by: User, view: View, state: Json) -> Json:
    """A modal with what was filled in."""
    shown = {**view.json(), "team_id": workspace.team, "state": {"values": state}}
    return interaction(workspace, by, "view_submission", view=shown, response_urls=[])


def view_closed(workspace: Workspace, by: User, view: View, *, all_of_them: bool) -> Json:
    """A modal that was put away; without a trigger, since nothing can be opened then."""
    shown = {**view.json(), "team_id": workspace.team}
    told = interaction(workspace, by, "view_closed", view=shown, is_cleared=all_of_them)
    del told["trigger_id"]
    return told


def place(channel: Channel) -> Json:
    """A channel as interactions name it."""
    return {"id": channel.id, "name": NAMELESS.get(channel.kind, channel.name)}


def message_of(workspace: Workspace, message: Message) -> Json:
    """A message as interactions carry it."""
    return {**message.json(), "team": workspace.team}
