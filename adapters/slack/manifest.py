"""What Slack must know of the app, made from the registry and the constants that the code uses.

It agrees with version 2 of Slack's schema (github.com/slackapi/manifest-schema), the first that has
`agent_view`; docs.slack.dev/reference/app-manifest explains each field.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from adapters.slack import Settings
from adapters.slack.commands import FINETUNE, families
from adapters.slack.modals import SHORTCUTS
from bot.errors import ConfigError
from bot.ports import CommandInfo

APP = "tunebot"
DESCRIPTION = "Answers from your team's models, and fine-tunes them from the same chat."
AGENT = (
    "Ask me anything: I answer with your team's own models and remember what is said in a thread."
)
# What is offered to who opens a new chat: a title, and what pressing it says.
PROMPTS = (("What can you do?", "help"), ("Which models are there?", "models"))

# The events that are told, and the scope that each needs (specs/slack/events.json).
EVENTS: Mapping[str, str] = {
    "agent_session_stopped": "chat:write",
    "app_home_opened": "",
    "app_mention": "app_mentions:read",
    "app_uninstalled": "",
    "channel_id_changed": "",
    "message.channels": "channels:history",
    "message.groups": "groups:history",
    "message.im": "im:history",
    "reaction_added": "reactions:read",
    "reaction_removed": "reactions:read",
    "tokens_revoked": "",
}
# The methods that are called, and the scopes that each needs of those that Slack offers for it
# (specs/slack/methods.json): no others than for the kinds of channels whose messages are read.
HISTORY = ("channels:history", "groups:history", "im:history")
METHODS: Mapping[str, tuple[str, ...]] = {
    "apps.connections.open": (),
    "assistant.threads.setStatus": ("chat:write",),
    "auth.test": (),
    "chat.appendStream": ("chat:write",),
    "chat.delete": ("chat:write",),
    "chat.postEphemeral": ("chat:write",),
    "chat.postMessage": ("chat:write",),
    "chat.startStream": ("chat:write",),
    "chat.stopStream": ("chat:write",),
    "chat.update": ("chat:write",),
    "conversations.history": HISTORY,
    "conversations.open": ("im:write",),
    "conversations.replies": HISTORY,
    "files.completeUploadExternal": ("files:write",),
    "files.getUploadURLExternal": ("files:write",),
    "files.info": ("files:read",),
    "reactions.get": ("reactions:read",),
    "users.info": ("users:read",),
    "views.open": (),
    "views.publish": (),
}
# agent_view, slash commands with shortcuts, and the download of what people attach.
FEATURES = ("assistant:write", "commands", "files:read")

SCOPES = sorted({*EVENTS.values(), *sum(METHODS.values(), ()), *FEATURES} - {""})
APP_SCOPE = "connections:write"  # of the app-level token, which no manifest has

MOST_HINT = 1_000


def manifest(
    name: str, settings: Settings, commands: Sequence[CommandInfo], url: str = ""
) -> dict[str, Any]:
    """The manifest of the app for [adapters.NAME]. `url` is the public address of the HTTP
    adapter's server, which Slack calls where `mode` is "http".

    Raises ConfigError where that is missing.
    """
    request = request_url(name, settings, url)
    where = {"request_url": request} if request else {}
    return {
        "_metadata": {"major_version": 2, "minor_version": 1},
        "display_information": {"name": APP, "description": DESCRIPTION},
        "features": {
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "bot_user": {"display_name": APP, "always_online": True},
            "agent_view": {
                "agent_description": AGENT,
                "suggested_prompts": [
                    {"title": title, "message": message} for title, message in PROMPTS
                ],
            },
            "shortcuts": [
                {
                    "name": shortcut.name,
                    "type": shortcut.type,
                    "callback_id": shortcut.callback_id,
                    "description": shortcut.description,
                }
                for shortcut in SHORTCUTS
            ],
            "slash_commands": [
                {**command, **({"url": request} if request else {})}
                for command in slash_commands(settings, commands)
            ],
        },
        "oauth_config": {"scopes": {"bot": SCOPES}},
        "settings": {
            "event_subscriptions": {**where, "bot_events": sorted(EVENTS)},
            "interactivity": {"is_enabled": True, **where},
            "org_deploy_enabled": False,
            "socket_mode_enabled": settings.mode == "socket",
            "token_rotation_enabled": False,
        },
    }


def request_url(name: str, settings: Settings, url: str) -> str:
    """Where Slack calls; "" where the bot opens sockets. Raises ConfigError."""
    if settings.mode == "socket":
        return ""
    if not url.startswith("https://"):
        raise ConfigError(
            f"adapters.{name}.mode is http, so Slack must be told where to call: add "
            "--url https://…, the address under which the HTTP adapter's server is reached."
        )
    return f"{url.rstrip('/')}/{name}"


def slash_commands(settings: Settings, commands: Sequence[CommandInfo]) -> Iterable[dict[str, Any]]:
    """The one for chatting, and one for /finetune where the registry has it."""
    one_word = [each for each in commands if " " not in each.name]
    yield slash_command(settings.command, "Ask something, or use a command", one_word)
    if family := families(commands).get(FINETUNE):
        yield slash_command(settings.finetune_command, "Fine-tune models and follow jobs", family)


def slash_command(name: str, description: str, commands: Sequence[CommandInfo]) -> dict[str, Any]:
    """A slash command; its hint lists what may be typed after it."""
    words = (f"{each.name.split()[-1].lstrip('/')} {each.arguments}".strip() for each in commands)
    hint = " | ".join(words)[:MOST_HINT]
    return {"command": name, "description": description, "usage_hint": hint, "should_escape": False}
