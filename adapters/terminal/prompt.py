"""The prompt: what the person types, and what they type while they wait."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from functools import partial
from pathlib import Path
from typing import TextIO

from prompt_toolkit import PromptSession
from prompt_toolkit.application import create_app_session, in_terminal
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.history import FileHistory
from prompt_toolkit.input import Input, create_input
from prompt_toolkit.input.typeahead import get_typeahead, store_typeahead
from prompt_toolkit.key_binding import KeyBindings, KeyPress, KeyPressEvent
from prompt_toolkit.keys import Keys
from prompt_toolkit.output import create_output
from prompt_toolkit.output.plain_text import PlainTextOutput
from prompt_toolkit.patch_stdout import patch_stdout
from prompt_toolkit.utils import is_dumb_terminal

from adapters.terminal.output import Output
from adapters.terminal.speaker import Speaker
from bot.ports import CommandInfo


class Interrupted(Exception):
    """Ctrl-C at the prompt."""


class Prompt:
    """Asks, waits for the answer, asks again, until Ctrl-D.

    The terminal stays in raw mode from beginning to end. So nothing that is typed is echoed into
    an answer, Ctrl-C is always a key and never a signal, and keys which come while an answer grows
    wait for the next prompt.
    """

    def __init__(
        self,
        speaker: Speaker,
        commands: Sequence[CommandInfo],
        output: Output,
        stdin: TextIO,
        stream: TextIO,
        history: Path,
    ) -> None:
        self._speaker = speaker
        self._output = output
        self._input: Input = create_input(stdin)
        self._screen = PlainTextOutput(stream) if is_dumb_terminal() else create_output(stream)
        self._early: list[KeyPress] = []
        self._interrupts: asyncio.Queue[None] = asyncio.Queue()
        self._draft = ""
        # What anybody else prints goes above the prompt; patch_stdout knows standard output only.
        self._others: Callable[[], AbstractContextManager[None]] = (
            partial(patch_stdout, raw=True) if stream is sys.stdout else nullcontext
        )
        # Only where it finds its output by itself does prompt_toolkit mind a dumb terminal.
        with create_app_session(self._input, self._screen):
            self._session: PromptSession[str] = PromptSession(
                [("bold", "> ")],
                multiline=True,
                prompt_continuation="  ",
                completer=Commands(commands),
                history=Typed(history),
                key_bindings=bindings(),
                enable_suspend=True,
                interrupt_exception=Interrupted,
            )

    async def run(self) -> None:
        """Return at Ctrl-D. What a restart left unanswered is answered first."""
        with self._input.raw_mode(), self._input.attach(self._take_keys):
            await self._answer()
            with suppress(EOFError):
                while True:
                    await self._turn()

    async def _turn(self) -> None:
        try:
            text = await self._ask()
        except Interrupted:
            if not self._session.default_buffer.text:
                await self._output.note("Ctrl-D ends")
            return
        if await self._speaker.says(text):
            await self._answer()
        else:
            self._draft = text

    async def _ask(self) -> str:
        store_typeahead(self._input, self._early)
        self._early = []
        draft, self._draft = self._draft, ""
        with self._output.prompting(in_terminal), self._others():
            text = await self._session.prompt_async(default=draft, set_exception_handler=False)
        return encodable(text)

    async def _answer(self) -> None:
        """Wait for the answer. Ctrl-C stops it; a second one no longer waits for it."""
        self._interrupts = asyncio.Queue()
        self._output.wait()
        self._sort(get_typeahead(self._input))
        with self._pastes():
            async with asyncio.TaskGroup() as tasks:
                answer = tasks.create_task(self._speaker.answered(), name="terminal answer")
                keys = tasks.create_task(self._obey(answer), name="terminal interrupts")
                answer.add_done_callback(lambda _: keys.cancel())

    async def _obey(self, answer: asyncio.Task[None]) -> None:
        await self._interrupts.get()
        await self._speaker.says("/stop")
        await self._interrupts.get()
        answer.cancel()

    def _take_keys(self) -> None:
        self._sort(self._input.read_keys())

    def _sort(self, keys: Iterable[KeyPress]) -> None:
        for key in keys:
            if key.key == Keys.ControlC:
                self._interrupts.put_nowait(None)
            elif key.key != Keys.CPRResponse:
                self._early.append(key)

    @contextmanager
    def _pastes(self) -> Iterator[None]:
        """Inside, a paste arrives as one key, as it does at the prompt."""
        self._screen.enable_bracketed_paste()
        self._screen.flush()
        try:
            yield
        finally:
            self._screen.disable_bracketed_paste()
            self._screen.flush()


def encodable(text: str) -> str:
    """The text with "?" for what is no UTF-8: the terminal library hands it on as surrogates."""
    return text.encode("utf-8", "replace").decode()


def bindings() -> KeyBindings:
    """Enter sends, unless there is nothing to send; Alt-Enter begins a new line."""
    keys = KeyBindings()

    @keys.add("enter")
    def _(event: KeyPressEvent) -> None:
        if event.current_buffer.text.strip():
            event.current_buffer.validate_and_handle()

    @keys.add("escape", "enter")
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text("\n")

    return keys


class Commands(Completer):
    """Completes the name of a command; says its arguments and what it does."""

    def __init__(self, commands: Sequence[CommandInfo]) -> None:
        self._commands = commands

    def get_completions(
        self,
        document: Document,
        complete_event: CompleteEvent,  # noqa: ARG002
    ) -> Iterable[Completion]:
        """Every command that begins with what is typed, if that begins with "/"."""
        typed = document.text_before_cursor
        if not typed.startswith("/"):
            return
        for command in self._commands:
            if command.name.startswith(typed.lower()):
                yield Completion(
                    command.name,
                    start_position=-len(typed),
                    display=f"{command.name} {command.arguments}".rstrip(),
                    display_meta=command.summary,
                )


class Typed(FileHistory):
    """What was typed, in a file that only its owner reads. Without a disk it is not kept."""

    def __init__(self, path: Path) -> None:
        super().__init__(str(path))
        self._path = path

    def load_history_strings(self) -> Iterable[str]:
        """Newest first; none where the file cannot be read."""
        try:
            return list(super().load_history_strings())
        except OSError:
            return []

    def store_string(self, string: str) -> None:
        """Append an entry."""
        with suppress(OSError):
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._path.touch(mode=0o600)
            self._path.chmod(0o600)
            super().store_string(encodable(string))
