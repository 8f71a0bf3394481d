"""The menus of commands that Telegram's apps show: by kind of chat, and by the app's language."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from typing import NamedTuple, TypeVar

from telegram import (
    BotCommand,
    BotCommandScope,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllPrivateChats,
    BotCommandScopeChat,
    BotCommandScopeDefault,
)
from telegram.error import RetryAfter, TelegramError

from adapters.telegram.api import Api, wait_asked
from bot.ports import Clock, CommandInfo

T = TypeVar("T")
NAME = re.compile(r"[a-z0-9_]{1,32}")
MOST_COMMANDS, MOST_SUMMARY = 100, 256
ENGLISH = ""  # the language of those for whose own there is no menu


class Menu(NamedTuple):
    """What is listed in some chats."""

    scope: BotCommandScope
    commands: Sequence[CommandInfo]


def menus(commands: Sequence[CommandInfo], operators: Iterable[int]) -> list[Menu]:
    """What everybody may use, in groups without what is for one person alone; all for operators, in
    their own chats with the bot.
    """
    everybody = [each for each in commands if not each.operator]
    in_groups = [each for each in everybody if not each.personal]
    return [
        Menu(BotCommandScopeDefault(), everybody),
        Menu(BotCommandScopeAllPrivateChats(), everybody),
        Menu(BotCommandScopeAllGroupChats(), in_groups),
        *(Menu(BotCommandScopeChat(chat), commands) for chat in operators),
    ]


def listed(commands: Iterable[CommandInfo], language: str) -> list[BotCommand]:
    """A menu in a language, each family once: "/finetune start" is /finetune."""
    names: dict[str, str] = {}
    for each in commands:
        name = each.name.removeprefix("/").split()[0]
        if NAME.fullmatch(name):
            summary = each.summaries.get(language, each.summary)
            names.setdefault(name, summary[:MOST_SUMMARY] or name)
    return [BotCommand(name, summary) for name, summary in names.items()][:MOST_COMMANDS]


def operators_of(name: str, people: Iterable[str]) -> list[int]:
    """The ids of those who are operators at this adapter by name; each is a private chat, too."""
    ids = (person.removeprefix(f"{name}:") for person in people if person.startswith(f"{name}:"))
    return [int(each) for each in ids if each.isascii() and each.isdecimal()]


class Menus:
    """Shows menus; the bot works without, too."""

    def __init__(self, api: Api, clock: Clock) -> None:
        self._api = api
        self._clock = clock

    async def show(self, shown: Iterable[Menu]) -> None:
        """Set what is not set already, in every language, at the pace that Telegram asks for."""
        for menu in shown:
            languages = {language for each in menu.commands for language in each.summaries}
            with suppress(TelegramError):  # an operator who never wrote to the bot has no chat
                for language in [ENGLISH, *sorted(languages)]:
                    await self._set(menu.scope, listed(menu.commands, language), language)

    async def _set(self, scope: BotCommandScope, wanted: list[BotCommand], language: str) -> None:
        found = await self._patiently(lambda: self._api.get_my_commands(scope, language))
        if list(found) != wanted:
            await self._patiently(lambda: self._api.set_my_commands(wanted, scope, language))

    async def _patiently(self, call: Callable[[], Awaitable[T]]) -> T:
        """Make a call, later if Telegram asks for that."""
        while True:
            try:
                return await call()
            except RetryAfter as error:
                await self._clock.sleep(wait_asked(error))
