"""The menu of commands takes what Telegram allows."""

from __future__ import annotations

from adapters.telegram.commands import menu, operators_of
from bot.ports import CommandInfo


def test_menu_has_each_family_once_and_nothing_for_operators() -> None:
    commands = [
        CommandInfo("/help", "[COMMAND]", "Say what can be done.", operator=False),
        CommandInfo("/finetune start", "FILE", "Start a job.", operator=True),
        CommandInfo("/finetune list", "", "List the jobs.", operator=False),
        CommandInfo("/finetune show", "JOB", "Show a job.", operator=False),
        CommandInfo("/Wrong-name", "", "Telegram does not allow it.", operator=False),
        CommandInfo("/silent", "", "", operator=False),
        CommandInfo("/long", "", "x" * 300, operator=False),
    ]
    listed = {each.command: each.description for each in menu(commands)}
    assert listed == {
        "help": "Say what can be done.",
        "finetune": "List the jobs.",
        "silent": "silent",
        "long": "x" * 256,
    }
    assert [each.description for each in menu(commands[:2], operator=True)][-1] == "Start a job."


def test_operators_have_a_menu_where_they_are_named() -> None:
    people = ["telegram:42", "telegram:*", "*", "slack:U1", "telegram:ann", "telegram:-100"]
    assert operators_of("telegram", people) == [42]
