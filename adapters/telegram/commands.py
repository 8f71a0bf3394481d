"""The menu of commands that Telegram's apps show."""

from __future__ import annotations

import re
from collections.abc import Iterable

from telegram import BotCommand

from bot.ports import CommandInfo

NAME = re.compile(r"[a-z0-9_]{1,32}")
MOST_COMMANDS, MOST_SUMMARY = 100, 256


def menu(commands: Iterable[CommandInfo]) -> list[BotCommand]:
    """The commands that everybody may use, each family once: "/finetune start" is /finetune."""
    names: dict[str, str] = {}
    for each in commands:
        name = each.name.removeprefix("/").split()[0]
        if not each.operator and NAME.fullmatch(name):
            names.setdefault(name, each.summary[:MOST_SUMMARY] or name)
    return [BotCommand(name, summary) for name, summary in names.items()][:MOST_COMMANDS]
