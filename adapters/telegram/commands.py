"""The menus of commands that Telegram's apps show: one for everybody, one for operators."""

from __future__ import annotations

import re
from collections.abc import Iterable

from telegram import BotCommand

from bot.ports import CommandInfo

NAME = re.compile(r"[a-z0-9_]{1,32}")
MOST_COMMANDS, MOST_SUMMARY = 100, 256


def menu(commands: Iterable[CommandInfo], *, operator: bool = False) -> list[BotCommand]:
    """The commands that somebody may use, each family once: "/finetune start" is /finetune."""
    names: dict[str, str] = {}
    for each in commands:
        name = each.name.removeprefix("/").split()[0]
        if (operator or not each.operator) and NAME.fullmatch(name):
            names.setdefault(name, each.summary[:MOST_SUMMARY] or name)
    return [BotCommand(name, summary) for name, summary in names.items()][:MOST_COMMANDS]


def operators_of(name: str, people: Iterable[str]) -> list[int]:
    """The ids of those who are operators at this adapter by name; each is a private chat, too."""
    ids = (person.removeprefix(f"{name}:") for person in people if person.startswith(f"{name}:"))
    return [int(each) for each in ids if each.isascii() and each.isdecimal()]
