"""The menus of commands: what is of use in a chat, in the language of its people."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import pytest

from adapters.telegram.commands import listed, operators_of
from bot.commands import infos
from bot.commands.summaries import LANGUAGES
from bot.ports import CommandInfo
from tests.adapters.fake_core import FakeCore
from tests.adapters.telegram.conftest import HastyClock, Make, going, running
from tests.telegram_server import Fail, Hang, TelegramServer

HELP = CommandInfo("/help", "", "Say what can be done.", operator=False, summaries={"de": "Hilfe."})
USAGE = CommandInfo("/usage", "", "Show the costs.", operator=False, personal=True)
START = CommandInfo("/finetune start", "FILE", "Start a job.", operator=True)


class ListingCore(FakeCore):
    """Has one command of each kind."""

    commands: Sequence[CommandInfo] = (HELP, USAGE, START)


def names(telegram: TelegramServer, scope: str, chat: int = 0) -> list[str]:
    """What a menu lists, in English."""
    return [each["command"] for each in telegram.commands[scope, chat, ""]]


def test_menu_has_each_family_once_in_telegrams_bounds() -> None:
    commands = [
        CommandInfo("/finetune list", "", "List the jobs.", operator=False),
        CommandInfo("/finetune show", "JOB", "Show a job.", operator=False),
        CommandInfo("/Wrong-name", "", "Telegram does not allow it.", operator=False),
        CommandInfo("/silent", "", "", operator=False),
        CommandInfo("/long", "", "x" * 300, operator=False),
    ]
    found = {each.command: each.description for each in listed(commands, "")}
    assert found == {"finetune": "List the jobs.", "silent": "silent", "long": "x" * 256}


def test_command_that_nobody_translated_is_listed_in_english() -> None:
    found = [each.description for each in listed([HELP, USAGE], "de")]
    assert found == ["Hilfe.", "Show the costs."]


def test_operators_have_a_menu_where_they_are_named() -> None:
    people = ["telegram:42", "telegram:*", "*", "slack:U1", "telegram:ann", "telegram:-100"]
    assert operators_of("telegram", people) == [42]


@pytest.mark.parametrize("info", infos(), ids=lambda info: info.name)
def test_every_command_is_listed_in_every_language(info: CommandInfo) -> None:
    assert set(info.summaries) == set(LANGUAGES)
    for summary in info.summaries.values():
        assert summary.endswith(".")
        assert len(summary) < 80


async def test_each_kind_of_chat_lists_what_is_of_use_there(
    telegram: TelegramServer, make: Make
) -> None:
    adapter = make()
    async with going(adapter, ListingCore(adapter)):
        await telegram.until(lambda: ("chat", 7, "de") in telegram.commands)
        assert names(telegram, "default") == ["help", "usage"]
        assert names(telegram, "all_private_chats") == ["help", "usage"]
        assert names(telegram, "all_group_chats") == ["help"]
        assert names(telegram, "chat", 7) == ["help", "usage", "finetune"]
        scopes = [("default", 0), ("all_private_chats", 0), ("all_group_chats", 0), ("chat", 7)]
        assert set(telegram.commands) == {(*each, to) for each, to in product(scopes, ("", "de"))}
        assert telegram.commands["all_group_chats", 0, "de"][0]["description"] == "Hilfe."


async def test_what_is_set_already_is_not_set_again(telegram: TelegramServer, make: Make) -> None:
    for _ in range(2):
        adapter = make()
        async with going(adapter, ListingCore(adapter)):
            before = len(telegram.called("getMyCommands"))
            await telegram.until(lambda: len(telegram.called("getMyCommands")) == before + 8)  # noqa: B023  awaited here
            await telegram.until(lambda: telegram.called("getMyCommands")[-1].status)
            await telegram.until(lambda: ("chat", 7, "de") in telegram.commands)
    assert len(telegram.called("setMyCommands")) == 8


async def test_menus_wait_for_as_long_as_telegram_asks(
    telegram: TelegramServer, make: Make
) -> None:
    telegram.fails("setMyCommands", Fail(429, "Too Many Requests", retry_after=30))
    adapter = make(HastyClock())
    async with going(adapter, ListingCore(adapter)):
        await telegram.until(lambda: ("chat", 7, "de") in telegram.commands)
    assert ("default", 0, "") in telegram.commands


async def test_menus_of_commands_hold_up_no_message(telegram: TelegramServer, make: Make) -> None:
    telegram.fails("getMyCommands", Hang())
    await telegram.private(7).writes("Hello")
    async with running(make()) as core:
        await core.heard("Hello")
