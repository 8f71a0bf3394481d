"""Telegram: people write to a bot, in private or in groups, and watch the answers grow.

python-telegram-bot is imported only when an adapter is created: a bot without one does not pay
the 10 MiB for it.
"""

# ruff: noqa: PLC0415

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, Field

from bot.errors import ConfigError
from bot.ports import Adapter, Clock

TOKEN = re.compile(r"\d+:[\w-]+", re.ASCII)
SECRET = re.compile(r"[\w-]{1,256}", re.ASCII)


class Settings(BaseModel, extra="forbid"):
    """[adapters.telegram]. Times in seconds; a rate of 0 is no limit.

    `webhook_url` is the address under which Telegram reaches the HTTP adapter's server. `feedback`
    puts 👍 and 👎 below answers. `split_seconds` is how long the next piece of a text may take that
    was too long for one message, `timeout` how long Telegram's answers may take. The rates count
    what the bot writes, edits included: `chat_rate` a second in a chat, `group_rate` a minute in a
    group, `rate` a second in all; these are Telegram's own limits.
    """

    api_url: str = "https://api.telegram.org"
    mode: Literal["polling", "webhook"] = "polling"
    webhook_url: str = ""
    drafts: bool = True
    feedback: bool = False
    split_seconds: float = Field(1.0, ge=0)
    timeout: float = Field(20.0, gt=0)
    chat_rate: float = Field(1.0, ge=0)
    group_rate: int = Field(20, ge=0)
    rate: float = Field(30.0, ge=0)


def create(
    name: str,
    settings: Settings,
    environment: Mapping[str, str],
    clock: Clock | None = None,
) -> Adapter:
    """The adapter for [adapters.telegram]. Raises ConfigError."""
    token = environment.get("TELEGRAM_BOT_TOKEN", "").strip()
    if not TOKEN.fullmatch(token):
        raise ConfigError(
            f"TELEGRAM_BOT_TOKEN {'is no token of a bot' if token else 'is not set'}: "
            "ask @BotFather in Telegram for one, and export it."
        )
    secret = environment.get("TELEGRAM_WEBHOOK_SECRET", "").strip()
    if settings.mode == "webhook":
        if not settings.webhook_url:
            raise ConfigError(
                f"adapters.{name}.webhook_url is missing: set it to the https address under which "
                "Telegram reaches this bot, or set mode to polling."
            )
        tested = not settings.api_url.startswith("https://")
        if not (tested or settings.webhook_url.startswith("https://")):
            raise ConfigError(
                f"adapters.{name}.webhook_url must begin with https://, or Telegram calls nobody."
            )
        if not SECRET.fullmatch(secret):
            raise ConfigError(
                "TELEGRAM_WEBHOOK_SECRET must be 1 to 256 letters, digits, _ or -: "
                "export what `openssl rand -hex 32` prints."
            )
    from adapters.telegram.adapter import Telegram

    return Telegram(name, settings, token, secret, clock)
