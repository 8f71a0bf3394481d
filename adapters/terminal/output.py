"""Where answers are written to."""

from __future__ import annotations

import io
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager, nullcontext
from typing import TextIO

from adapters.terminal.text import clean
from bot.errors import DeliveryRefused

Above = Callable[[], AbstractAsyncContextManager[None]]


class Output(ABC):
    """Final texts and notes stay; what is shown in between is replaced by them.

    `progress` is False where nothing can be shown that is replaced later; `closed` is True once
    nobody reads any more.
    """

    progress = False
    closed = False

    def __init__(self) -> None:
        self.failures: list[str] = []
        self._above: Above = nullcontext
        self._prompts = False

    @contextmanager
    def prompting(self, above: Above) -> Iterator[None]:
        """Inside, a prompt stands on the screen: what is written goes above it, and what grows is
        not shown. `above` takes the prompt away for as long as it is entered.
        """
        self._above = above
        self._prompts = True
        try:
            yield
        finally:
            self._above = nullcontext
            self._prompts = False

    @abstractmethod
    async def ready(self) -> None:
        """Return when another `show` is worth while."""

    def wait(self) -> None:  # noqa: B027  where nothing is shown that is replaced later
        """Show that an answer is awaited."""

    @abstractmethod
    def show(self, owner: object, text: str) -> None:
        """Show a text that grows; one owner at a time is seen."""

    @abstractmethod
    def drop(self, owner: object) -> None:
        """Take away what the owner showed."""

    @abstractmethod
    async def say(self, text: str) -> None:
        """Write a final text, in Markdown."""

    async def fail(self, text: str) -> None:
        """Write a sentence about why there is no answer."""
        await self.say(text)

    @abstractmethod
    async def note(self, text: str) -> None:
        """Write a line of the program itself: not an answer."""


class Plain(Output):
    """Answers as the model wrote them on standard output; notes on standard error.

    `failures` collects the sentences about why there is no answer, unless a prompt `asks`.
    """

    def __init__(self, stdout: TextIO, stderr: TextIO, *, asks: bool = False) -> None:
        super().__init__()
        self._asks = asks
        self._stdout = writable(stdout)
        self._stderr = writable(stderr)

    async def ready(self) -> None:
        """At once: nothing is shown."""

    def show(self, owner: object, text: str) -> None:
        """Nothing: what is written here cannot be replaced."""

    def drop(self, owner: object) -> None:
        """Nothing was shown."""

    async def say(self, text: str) -> None:
        """Raises DeliveryRefused when it cannot be written; a reader who left is no error."""
        try:
            print(clean(text), file=self._stdout, flush=True)
        except OSError as error:
            self.closed = True
            discard(self._stdout)
            if not isinstance(error, BrokenPipeError):
                sentence = f"The answer could not be written: {error.strerror}."
                await self.note(sentence)
                raise DeliveryRefused(sentence) from error

    async def fail(self, text: str) -> None:
        """On standard error; what was piped in ends with it, see `adapters.terminal.piped`."""
        if self._asks:
            await self.note(text)
        else:
            self.failures.append(text)

    async def note(self, text: str) -> None:
        """On standard error: what is piped on holds answers only."""
        async with self._above():
            print(clean(text), file=self._stderr, flush=True)


def writable(stream: TextIO) -> TextIO:
    """The stream, which from now on writes "?" for what its encoding does not have."""
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="replace")
    return stream


def discard(stream: TextIO) -> None:
    """From now on nobody gets what is written; else the interpreter fails when it flushes it."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
