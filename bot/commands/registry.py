"""The one list of commands, from which help, completion and manifests are made."""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TypeVar

from bot.access import Access, Rank
from bot.commands.stops import Stops
from bot.commands.summaries import SUMMARIES
from bot.completion import Completions
from bot.config import Tuning
from bot.conversation import Conversation
from bot.errors import CommandError
from bot.files import Files
from bot.messages import Card, Price
from bot.models.profiles import Profiles
from bot.ports import Clock, CommandInfo
from bot.store import Store
from bot.store.inbox import Received
from bot.tuning.jobs import Jobs
from bot.tuning.library import Library

T = TypeVar("T")
LOOKS_LIKE_ONE = re.compile(r"/[A-Za-z][\w-]*(\s|$)")  # "/usr/bin" and "/" are text


@dataclass(frozen=True, slots=True)
class Services:
    """What commands work with."""

    store: Store
    files: Files
    conversation: Conversation
    profiles: Profiles
    access: Access
    clock: Clock
    library: Library
    jobs: Jobs
    completions: Completions
    prices: Mapping[str, Price]
    tuning: Tuning
    stops: Stops = field(default_factory=Stops)


@dataclass(frozen=True, slots=True)
class Call:
    """A command that somebody typed. `rest` is what stands after its name, as it was typed."""

    message: Received
    rest: str
    services: Services

    async def stoppable(self, work: Awaitable[T]) -> T:
        """What a work returns. Raises Stopped when somebody says /stop where it was called."""
        return await self.services.stops.run(self.message.conversation, work)


Run = Callable[[Call], Awaitable[Card | str | None]]


@dataclass(frozen=True, slots=True)
class Command:
    """A command. `at_once` does not wait for the answer that runs in its conversation; what a
    `personal` one tells is for who asks alone; one that only buttons say is not `listed`.
    """

    name: str
    arguments: str
    rank: Rank
    at_once: bool
    run: Run
    personal: bool = False
    listed: bool = True
    takes_file: bool = False

    @property
    def help(self) -> str:
        """The whole help text."""
        return inspect.getdoc(self.run) or ""

    @property
    def summary(self) -> str:
        """The help text's first line."""
        return self.help.partition("\n")[0]

    @property
    def usage(self) -> str:
        """How it is typed: "/model [NAME]"."""
        return f"{self.name} {self.arguments}".strip()


COMMANDS: dict[str, Command] = {}


def command(
    usage: str,
    *,
    rank: Rank = Rank.USER,
    at_once: bool = False,
    personal: bool = False,
    listed: bool = True,
    takes_file: bool = False,
) -> Callable[[Run], Run]:
    """Register a function as the command that is typed like `usage`: "/finetune cancel JOB".

    The lower-case words are its name. Its docstring is its help, what it returns the reply; None
    says nothing.
    """
    words = usage.split()
    length = next((i for i, word in enumerate(words) if not re.fullmatch("/?[a-z]+", word)), None)
    name, arguments = " ".join(words[:length]), " ".join(words[length:] if length else [])

    def register(run: Run) -> Run:
        COMMANDS[name] = Command(name, arguments, rank, at_once, run, personal, listed, takes_file)
        return run

    return register


def is_command(text: str) -> bool:
    """Whether a message is meant as a command."""
    return bool(LOOKS_LIKE_ONE.match(text.strip()))


def called(text: str) -> tuple[Command, str]:
    """The command that a text calls, and the rest of the text.

    Raises CommandError with the nearest command when there is none of that name.
    """
    words = text.split()
    for length in range(min(len(words), 3), 0, -1):
        found = COMMANDS.get(" ".join(words[:length]).lower())
        if found:
            return found, after_words(text, length)
    raise CommandError(f"There is no {words[0]}. {nearest(words)}")


def after_words(text: str, count: int) -> str:
    """What stands after the first words of a text, as it was typed."""
    pieces = text.split(maxsplit=count)
    return pieces[count].strip() if len(pieces) > count else ""


def nearest(words: Sequence[str]) -> str:
    """A sentence that names the command which a mistyped one is most like."""
    for length in (3, 2, 1):
        typed = " ".join(words[:length]).lower()
        if found := get_close_matches(typed, COMMANDS, n=1):
            return f"Did you mean {found[0]}? /help lists all commands."
    return "/help lists all commands."


def infos() -> list[CommandInfo]:
    """All commands, as adapters list them."""
    return [
        CommandInfo(
            c.name,
            c.arguments,
            c.summary,
            c.rank is Rank.OPERATOR,
            SUMMARIES.get(c.name, {}),
            c.personal,
            c.takes_file,
        )
        for c in COMMANDS.values()
        if c.listed
    ]
