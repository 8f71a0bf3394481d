"""From the words of a shell to a command, and back. Pure, but for whether a file is there."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.commands.registry import COMMANDS
from bot.errors import CommandError
from bot.tuning.library import DATA

# These read quotation marks; others take what stands.
UNQUOTE = frozenset({"prepare", "start", "dataset"})
ASK_FIRST = frozenset({"prepare", "dataset", "start", "cancel", "delete"})
CONFIRM = re.compile(r"/finetune confirm (\d+)")


@dataclass(frozen=True, slots=True)
class Typed:
    """A command as the chat has it, and the file that goes with it."""

    text: str
    file: Path | None = None

    @property
    def verb(self) -> str:
        """What is to be done: "start"; "" for the list of what can be."""
        return "".join(self.text.split()[1:2])

    @property
    def asks_first(self) -> bool:
        """Whether the first button of its card does what it was told."""
        return self.verb in ASK_FIRST


def typed(words: Sequence[str], *, yes: bool = False) -> Typed:
    """The command of some words; a file as the first argument of prepare and start goes with it.

    Raises CommandError for a file that is not there.
    """
    verb, arguments = "".join(words[:1]), list(words[1:])
    file: Path | None = None
    command = COMMANDS.get(f"/finetune {verb}")
    if command and command.takes_file and arguments:
        if file := existing(arguments[0]):
            del arguments[0]
        elif arguments[0].lower().endswith(DATA):
            raise CommandError(f"{arguments[0]}: no such file.")
    if yes and verb == "start":
        arguments.append("--yes")
    rest = shlex.join(arguments) if verb in UNQUOTE else " ".join(arguments)
    return Typed(f"/finetune {verb} {rest}".strip(), file)


def existing(path: str) -> Path | None:
    """The file of a path, "~" too; None where there is none, or could not be one."""
    try:
        file = Path(path).expanduser()
        return file if file.is_file() else None
    except (OSError, ValueError, RuntimeError):  # a name that is none; "~nobody"
        return None


def confirmed(text: str) -> int | None:
    """The number of the job that a command confirms."""
    found = CONFIRM.fullmatch(text)
    return int(found[1]) if found else None


def for_a_shell(text: str) -> str:
    """A text in which commands stand as they are typed here."""
    return text.replace("`/finetune", "`tunebot finetune")
