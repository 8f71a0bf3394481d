"""The terminal: a prompt where there is a person, one question where there is a pipe.

What is read depends on standard input, what is written on standard output: a terminal gets rendered
Markdown which grows in place, anything else the answers as the model wrote them and nothing more.
rich and prompt_toolkit are imported only for a terminal: a bot without one does not pay for them.
"""

# ruff: noqa: PLC0415

from __future__ import annotations

import secrets
import sys
from collections.abc import Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import TextIO

import platformdirs
from pydantic import BaseModel

from adapters.terminal.files import save
from adapters.terminal.output import Output, Plain
from adapters.terminal.piped import ask
from adapters.terminal.speaker import Speaker
from bot.errors import DeliveryRefused
from bot.messages import Button, Document, ReplyTo
from bot.ports import Check, Core, Door, Limits

HELP = "/help says what can be done. Ctrl-C stops an answer, Ctrl-D ends."


class Settings(BaseModel, extra="forbid"):
    """[adapters.terminal]. `history_file` is what was typed, "" for the user's data folder;
    `greeting` is said before the first prompt, "" for who answers.
    """

    history_file: str = ""
    markdown: bool = True
    greeting: str = ""


class Terminal:
    """The terminal that this program was started in; everything said there is one history."""

    def __init__(
        self,
        name: str,
        settings: Settings,
        stdin: TextIO | None = None,
        stdout: TextIO | None = None,
        stderr: TextIO | None = None,
    ) -> None:
        self.name = name
        self._settings = settings
        self._stdin = stdin or sys.stdin
        self._stdout = stdout or sys.stdout
        self._stderr = stderr or sys.stderr
        self.output = self._choose_output()
        self.limits = Limits(progress=self.output.progress, edits=False)
        # Another process cannot see what this one printed: its handles are foreign here.
        self._handles = (f"{secrets.token_hex(4)}:{number}" for number in count())
        self._printed: dict[str, int] = {}

    def _choose_output(self) -> Output:
        if not self._stdout.isatty():
            return Plain(self._stdout, self._stderr, asks=self._stdin.isatty())
        from adapters.terminal.screen import Screen

        return Screen(self._stdout, markdown=self._settings.markdown)

    @property
    def _prompt_stream(self) -> TextIO | None:
        """Where a prompt can stand; None where nobody would see it."""
        if not self._stdin.isatty():
            return None
        return next((each for each in (self._stdout, self._stderr) if each.isatty()), None)

    @property
    def _history(self) -> Path:
        if self._settings.history_file:
            return Path(self._settings.history_file).expanduser()
        return platformdirs.user_data_path("tunebot") / "history"

    async def run(self, core: Core) -> None:
        """Talk until Ctrl-D, or until what was piped in is answered."""
        speaker = Speaker(core, self.name, self.output)
        if self._prompt_stream is None:
            await ask(speaker, self._stdin, self.output)
            return
        from adapters.terminal.prompt import Prompt

        for line in filter(None, (self._settings.greeting or core.greeting, HELP)):
            await self.output.note(line)
        prompt = Prompt(
            speaker, core.commands, self.output, self._stdin, self._prompt_stream, self._history
        )
        await prompt.run()

    def sink(self, to: ReplyTo) -> TerminalSink:  # noqa: ARG002 - there is one place to write to
        """A fresh writer for one reply."""
        return TerminalSink(self)

    @property
    def doors(self) -> Sequence[Door]:
        """Nobody calls a terminal."""
        return ()

    @property
    def people(self) -> Sequence[str]:
        """What the ids of its people begin with."""
        return (self.name,)

    @property
    def opens_doors(self) -> bool:
        """There is no server in a terminal."""
        return False

    @property
    def trouble(self) -> str:
        """A terminal is there, or the program ends."""
        return ""

    async def close(self) -> None:
        """Nothing to release."""

    async def check(self) -> Sequence[Check]:
        """One line: whether a person can type here."""
        if self._prompt_stream is None:
            found = "no terminal here: standard input is read as one message"
        else:
            found = f"a prompt; what is typed is kept in {self._history}"
        return [Check(f"adapter {self.name}", works=True, found=found)]

    async def print(self, text: str, handle: str, *, failed: bool) -> str:
        """Print a final text, but not again what stands under its handle already."""
        handle = handle or next(self._handles)
        if self._printed.get(handle) != hash(text):
            await (self.output.fail(text) if failed else self.output.say(text))
            self._printed[handle] = hash(text)
        return handle


class TerminalSink:
    """One reply. What grows is a preview; only final texts stay, so only they have a handle."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._output = terminal.output

    async def ready(self) -> None:
        """Return when the terminal has drawn what it was shown."""
        await self._output.ready()

    async def show(self, part: int, text: str, handle: str, *, waiting: bool = False) -> str:  # noqa: ARG002
        """Show a part that still grows."""
        self._output.show(self, text)
        return handle

    async def finish(
        self,
        part: int,  # noqa: ARG002
        text: str,
        handle: str,
        *,
        failed: bool = False,
        buttons: Sequence[Button] = (),
    ) -> str:
        """Print a final text, whole, and what can be typed instead of pressing a button.

        Raises DeliveryRefused where standard output is full.
        """
        self._output.drop(self)
        choices = "".join(f"\n- {button.label}: `{button.says}`" for button in buttons)
        text = f"{text}\n{choices}" if choices else text
        return await self._terminal.print(text, handle, failed=failed)

    async def retract(self, handle: str) -> None:
        """What scrolled away cannot be taken away."""

    async def attach(self, document: Document) -> None:
        """Save a file in the current folder and say where. Raises DeliveryRefused."""
        try:
            path = save(document, Path.cwd())
        except OSError as error:
            sentence = f"{document.name} could not be saved here: {error.strerror}."
            await self._output.note(sentence)
            raise DeliveryRefused(sentence) from error
        await self._output.note(f"Saved {path}")

    async def close(self) -> None:
        """Take away what was still growing."""
        self._output.drop(self)


def create(
    name: str,
    settings: Settings,
    environment: Mapping[str, str],  # noqa: ARG001 - no secrets
) -> Terminal:
    """The adapter for [adapters.terminal], on the streams of this process."""
    return Terminal(name, settings)
