"""The home tab of the app: what it can do, the models, and what a person used. Pure.

Everything that others wrote stands in rich text or plain text, where Slack acts on nothing. Slack
takes 100 blocks of a home tab; there are ten, and two for each family of commands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from adapters.slack.commands import families, summary, typed_as
from bot.messages import Person, Profile, Spent
from bot.ports import CommandInfo

Json = dict[str, Any]
MOST_ROWS = 50  # in a list; more would be read by nobody
MOST_WORDS = 400  # characters
MOST_FAMILIES = 20
MOST_NAME = 100  # characters; a header holds 150
COMMAND_OF_ALL = "/help"
COMMAND_OF_MODELS = "/models"


@dataclass(frozen=True, slots=True)
class Known:
    """What the home tab of a person shows. `spent` is today's and all; `command` is the slash
    command for chatting.
    """

    person: Person
    command: str
    greeting: str
    profiles: Sequence[Profile]
    commands: Sequence[CommandInfo]
    spent: tuple[Spent, Spent]


def home(known: Known) -> Json:
    """The view for who may talk with the bot."""
    today, in_all = known.spent
    one_word = [each for each in known.commands if " " not in each.name]
    grouped = list(families(known.commands).items())[:MOST_FAMILIES]
    return view(
        header("Ask me anything"),
        rich(
            section(
                text(f"{known.greeting} Write to me under "),
                text("Messages", bold=True),
                text(", mention me in a channel, or type "),
                text(f"{known.command} your question", code=True),
                text(" anywhere. A thread is my memory: I know what was said in it."),
            )
        ),
        header("Models"),
        rich(listed([profile_row(*each) for each in enumerate(known.profiles)], COMMAND_OF_MODELS)),
        header("What you have used"),
        rich(listed([spent_row("Today", today), spent_row("In all", in_all)])),
        header("Commands"),
        rich(
            section(
                text("Type them after "),
                text(known.command, code=True),
                text(", or to me in a thread, where Slack has no slash commands."),
            )
        ),
        rich(listed([command_row(each) for each in one_word], COMMAND_OF_ALL)),
        *(block for each in grouped for block in family(*each)),
    )


def family(name: str, commands: Sequence[CommandInfo]) -> list[Json]:
    """The commands that begin with the same word."""
    return [
        header(f"{name[:MOST_NAME]} …"),
        rich(listed([command_row(each) for each in commands], COMMAND_OF_ALL)),
    ]


def closed(sentence: str) -> Json:
    """The view for a stranger."""
    return view(
        header("We cannot talk yet"),
        {"type": "section", "text": {"type": "plain_text", "text": sentence}},
    )


def stranger_sentence(person: Person) -> str:
    """Why somebody may not talk, and what to do."""
    return (
        f"I may not talk with you. My operator can let you in by adding {person.id!r} to users in "
        "the configuration's [access]."
    )


def profile_row(number: int, profile: Profile) -> Json:
    """A model's line; the first one answers unless another is chosen."""
    usual = ", unless another is chosen" if number == 0 else ""
    return section(text(profile.name, bold=True), text(f": {profile.model}{usual}"))


def spent_row(when: str, spent: Spent) -> Json:
    """What was used, in a line."""
    figures = (
        counted(spent.answers, "answer"),
        f"{counted(spent.prompt_tokens, 'token')} in",
        f"{spent.completion_tokens:,} out",
        price(spent),
    )
    return section(text(when, bold=True), text(f": {', '.join(figures)}"))


def counted(number: int, noun: str) -> str:
    """A number of something."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def price(spent: Spent) -> str:
    """What it cost, as far as that is known."""
    if spent.unpriced and spent.unpriced == spent.answers:
        return "price unknown"
    money = f"${spent.cost:,.4f}" if 0 < spent.cost < 1 else f"${spent.cost:,.2f}"
    return f"{money} and {spent.unpriced:,} of unknown price" if spent.unpriced else money


def command_row(command: CommandInfo) -> Json:
    """A command's line."""
    return section(text(typed_as(command), code=True), text(f" {summary(command)}"))


def listed(rows: Sequence[Json], lists_all: str = "") -> Json:
    """A list with bullets, which ends with the command that lists the others."""
    rest = len(rows) - MOST_ROWS
    if rest > 0:
        rows = [*rows[:MOST_ROWS], section(text(f"{rest:,} more: "), text(lists_all, code=True))]
    return {"type": "rich_text_list", "style": "bullet", "elements": list(rows)}


def view(*blocks: Json) -> Json:
    """A home tab."""
    return {"type": "home", "blocks": list(blocks)}


def header(title: str) -> Json:
    """A title."""
    return {"type": "header", "text": {"type": "plain_text", "text": title}}


def rich(*elements: Json) -> Json:
    """A block of text that is shown as it is."""
    return {"type": "rich_text", "elements": list(elements)}


def section(*elements: Json) -> Json:
    """A paragraph, or a row of a list."""
    return {"type": "rich_text_section", "elements": list(elements)}


def text(words: str, **style: bool) -> Json:
    """Words, perhaps bold or as code; Slack takes no empty ones."""
    shown = words if len(words) <= MOST_WORDS else f"{words[: MOST_WORDS - 1]}…"
    element: Json = {"type": "text", "text": shown or " "}
    return {**element, "style": style} if style else element
