"""Slack: people mention a bot in a channel or write to it directly, and watch the answers grow.

slack-bolt and slack-sdk are imported only when an adapter is created: a bot without one does not
pay for them.
"""

# ruff: noqa: PLC0415

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints

from bot.errors import ConfigError
from bot.ports import Adapter, Clock

# Slack takes lower-case letters, digits, - and _ (docs.slack.dev, "Slash commands").
CommandName = Annotated[str, StringConstraints(pattern=r"^/[a-z0-9_-]{1,31}$")]
BOT_TOKEN = re.compile(r"xoxb-[\w-]+", re.ASCII)
APP_TOKEN = re.compile(r"xapp-[\w-]+", re.ASCII)
# What a person copies, by the environment's name for it: its form, and where it is found.
SECRETS: Mapping[str, tuple[re.Pattern[str], str]] = {
    "SLACK_BOT_TOKEN": (
        BOT_TOKEN,
        "install the app at api.slack.com/apps and copy the Bot User OAuth Token, xoxb-…, from "
        "OAuth & Permissions",
    ),
    "SLACK_APP_TOKEN": (
        APP_TOKEN,
        "generate an app-level token, xapp-…, with the scope connections:write under Basic "
        "Information at api.slack.com/apps",
    ),
    "SLACK_SIGNING_SECRET": (
        re.compile(r"\w{16,}", re.ASCII),
        "copy the Signing Secret from Basic Information at api.slack.com/apps",
    ),
}


class Settings(BaseModel, extra="forbid"):
    """[adapters.slack]. Times in seconds, sizes in bytes; a rate of 0 is no limit.

    `mode` says how events come: through `sockets` connections that the bot opens, or by HTTP to the
    HTTP adapter's server. `direct` is what a direct message begins: a thread of its own, or
    nothing, where all of them are one conversation. `threads` says which messages of a thread with
    the bot are for it: all, or those that mention it. `command` and `finetune_command` are the two
    slash commands. `feedback` puts 👍 and 👎 below answers, `streams` lets them grow by Slack's own
    streaming where it has that. `timeout` is how long Slack's answers may take, `max_file` the most
    that is fetched of what people attach. `channel_rate` counts messages a second in a channel; it
    is Slack's own limit.
    """

    api_url: str = "https://slack.com/api/"
    mode: Literal["socket", "http"] = "socket"
    sockets: int = Field(default=2, ge=1, le=5)  # Slack gives an app ten, and each has a successor
    direct: Literal["thread", "channel"] = "thread"
    threads: Literal["all", "mentions"] = "all"
    command: CommandName = "/tunebot"
    finetune_command: CommandName = "/finetune"
    feedback: bool = True
    streams: bool = True
    timeout: float = Field(default=20.0, gt=0)
    max_file: int = Field(default=20_971_520, gt=0)
    channel_rate: float = Field(default=1.0, ge=0)


def create(
    name: str,
    settings: Settings,
    environment: Mapping[str, str],
    clock: Clock | None = None,
) -> Adapter:
    """The adapter for [adapters.slack]. Raises ConfigError."""
    token = secret("SLACK_BOT_TOKEN", environment)
    if settings.command == settings.finetune_command:
        raise ConfigError(
            f"adapters.{name}.finetune_command is {settings.command}, as command is: give it "
            "another name."
        )
    proof = "SLACK_APP_TOKEN" if settings.mode == "socket" else "SLACK_SIGNING_SECRET"
    from adapters.slack.adapter import Slack

    return Slack(name, settings, token, secret(proof, environment), clock)


def secret(name: str, environment: Mapping[str, str]) -> str:
    """A secret as the environment has it. Raises ConfigError."""
    form, remedy = SECRETS[name]
    value = environment.get(name, "").strip()
    if not form.fullmatch(value):
        what = "does not look like one" if value else "is not set"
        raise ConfigError(f"{name} {what}: {remedy}, and export it.")
    return value
