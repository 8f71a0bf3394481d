"""What people type, in the words of the core's commands. Pure.

A slash command is typed in a channel, the same words after a mention in a thread, where Slack has
no slash commands: "finetune status ft-7" is /finetune status ft-7 in both.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from bot.ports import CommandInfo

SLASHED = re.compile(r"/[A-Za-z][\w-]*(?=\s|$)")  # "/usr/bin" is text
FINETUNE = "/finetune"  # the family that has a slash command of its own
AFTERWARDS = ".!?…"  # "stop!" is /stop
FREE_TEXT = "TEXT"  # the argument that may have any number of words


def is_command(text: str) -> bool:
    """Whether a text is meant as a command, as the core has it."""
    return bool(SLASHED.match(text))


def said(text: str, commands: Sequence[CommandInfo]) -> str:
    """What was said to the bot by its name: as it is, or as the command that it means.

    The words of a command of several words are enough. A command of one word has a slash or stands
    alone: "help me write a mail" is a question.
    """
    return meant(text, commands, lambda _, rest: not rest)


def typed(text: str, commands: Sequence[CommandInfo]) -> str:
    """The same for what stands after the slash command for chatting. By that it is known to be for
    the bot, so as many words may follow a command's as it has arguments: "model support".
    """
    return meant(text, commands, fits)


def meant(
    text: str, commands: Sequence[CommandInfo], fitting: Callable[[CommandInfo, str], bool]
) -> str:
    """A text, or the command that it means. `fitting` judges what follows a command of one word."""
    text = text.strip()
    if is_command(text):
        return text
    for command in named(text, commands):
        rest = rest_of(text, command)
        if " " in command.name or fitting(command, rest):
            return f"{command.name} {rest}".rstrip()
    alone = f"/{text.lower().rstrip(AFTERWARDS)}"
    return alone if alone in families(commands) else text


def within(family: str, text: str) -> str:
    """What stands after the slash command of a family, "/finetune", whose name may be repeated
    there; "" for nothing.
    """
    first, *rest = text.split(maxsplit=1) or [""]
    if first.lower() in {family, family.lstrip("/")}:
        text = rest[0] if rest else ""
    return f"{family} {text.strip()}" if text.strip() else ""


def families(commands: Sequence[CommandInfo]) -> dict[str, list[CommandInfo]]:
    """The commands of several words by their first: "/finetune"."""
    found: dict[str, list[CommandInfo]] = {}
    for command in commands:
        first, *more = command.name.split()
        if more:
            found.setdefault(first, []).append(command)
    return found


def named(text: str, commands: Sequence[CommandInfo]) -> Iterator[CommandInfo]:
    """The commands with whose words a text begins, the longest first."""
    words = text.lower().rstrip(AFTERWARDS).split()
    for command in sorted(commands, key=lambda each: -len(each.name.split())):
        name = command.name.lstrip("/").split()
        if words[: len(name)] == name:
            yield command


def rest_of(text: str, command: CommandInfo) -> str:
    """What stands after a command's words, as it was typed; "" if that is only a mark."""
    length = len(command.name.split())
    pieces = text.split(maxsplit=length)
    return pieces[length] if pieces[length:] and pieces[length].strip(AFTERWARDS) else ""


def fits(command: CommandInfo, rest: str) -> bool:
    """Whether a command may have so many words after it."""
    places = re.findall(r"[A-Z]+", command.arguments)
    return FREE_TEXT in places or len(rest.split()) <= len(places)


def usage(slash: str, commands: Sequence[CommandInfo]) -> str:
    """What may be typed after the slash command for chatting, in Markdown: a question, or one of
    these. Families of commands have one of their own, and a line about it.
    """
    lines = (
        f"- `{slash} {typed_as(each).lstrip('/')}` {summary(each)}"
        for each in commands
        if " " not in each.name
    )
    return "\n".join([f"Type `{slash}` and your question, or one of these:", "", *lines])


def usage_of(family: str, slash: str, commands: Sequence[CommandInfo]) -> str:
    """The same for the slash command of a family."""
    lines = (
        f"- `{slash} {typed_as(each).removeprefix(family).strip()}` {summary(each)}"
        for each in families(commands).get(family, ())
    )
    return "\n".join(["Type one of these:", "", *lines])


def typed_as(command: CommandInfo) -> str:
    """A command with its arguments: "/model [NAME]"."""
    return f"{command.name} {command.arguments}".strip()


def summary(command: CommandInfo) -> str:
    """What a command does, and whether only operators may use it."""
    return f"{command.summary}{' (operators)' if command.operator else ''}"
