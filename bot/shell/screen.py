"""What a person sees: cards as text, choices by number, and a card that is drawn in place."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from rich.console import Console
from rich.live import Live
from rich.text import Text

from bot.messages import Button, Document
from bot.shell.words import for_a_shell

MARKS = re.compile(
    r"\*\*(?P<bold>.+?)\*\*|(?P<code>`[^`\n]+`)|\*(?P<italic>(?=\S)[^*\n]+(?<=\S))\*"
)
STYLES = {"bold": "bold", "code": "cyan", "italic": "italic"}
FRAMES = 4  # a second at most


class Screen:
    """Cards go to standard output, what is said about the program to standard error."""

    def __init__(self) -> None:
        self._out = Console(highlight=False, markup=False, emoji=False)
        self._err = Console(stderr=True, highlight=False, markup=False, emoji=False)
        self._drawing = False

    @property
    def asks(self) -> bool:
        """Whether somebody is there who can choose."""
        return sys.stdin.isatty()

    def card(self, text: str, document: Document | None = None, *, failed: bool = False) -> None:
        """Print a card, and save its file where the program was started."""
        self._print(styled(text), self._err if failed else self._out)
        if document:
            self.note(saved(document, Path.cwd()))

    def note(self, text: str) -> None:
        """Print a line of the program itself."""
        self._print(Text(printable(text), "dim"), self._err)

    def _print(self, text: Text, console: Console) -> None:
        """Lines stay whole, so that they can be copied; but above what is drawn, whose place must
        be known, one console prints all, line by line.
        """
        if self._drawing:
            self._out.print(text)
        else:
            console.print(text, soft_wrap=True)

    @contextmanager
    def live(self) -> Iterator[Live]:
        """A place that is drawn again and again, below what is printed meanwhile; where nobody
        watches, it is printed once, in the end.
        """
        self._drawing = self._out.is_terminal
        try:
            with Live(console=self._out, refresh_per_second=FRAMES) as live:
                yield live
        finally:
            self._drawing = False
            if not self._out.is_terminal:
                self._out.line()

    async def chosen(self, buttons: Sequence[Button]) -> Button | None:
        """The button that a person chooses by its number; None for none of them."""
        for number, button in enumerate(buttons, start=1):
            self._out.print(Text(f"  {number}  {printable(button.label)}"))
        while True:
            self._out.print(f"Which, 1 to {len(buttons)}? Enter for none: ", end="")
            line = await line_typed()
            answer = line.strip()
            if not answer:
                if not line:
                    self._out.print()
                return None
            if answer.isascii() and answer.isdigit() and 1 <= int(answer) <= len(buttons):
                return buttons[int(answer) - 1]


async def line_typed() -> str:
    """A line from the terminal, "" at its end. Waiting for it can be cancelled."""
    loop, there = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(sys.stdin.fileno(), there.set)
    try:
        await there.wait()
    finally:
        loop.remove_reader(sys.stdin.fileno())
    return sys.stdin.readline()


def styled(markdown: str) -> Text:
    """A card's Markdown without its marks, which a terminal shows as styles. Those of code stay:
    blanks at its ends matter.
    """
    text, end = Text(), 0
    markdown = printable(for_a_shell(markdown)).replace("  \n", "\n")
    for mark in MARKS.finditer(markdown):
        text.append(markdown[end : mark.start()])
        kind = mark.lastgroup or ""
        text.append(mark[kind], STYLES[kind])
        end = mark.end()
    text.append(markdown[end:])
    return text


def printable(text: str) -> str:
    """A text that commands no terminal: services and models wrote parts of it."""
    return "".join(each if each.isprintable() or each == "\n" else " " for each in text)


def saved(document: Document, folder: Path) -> str:
    """Save a file under its name, or one like it that is free; says where, or why not."""
    name = Path(printable(Path(document.name).name).lstrip(". ") or "file")
    for number in count():
        path = folder / (f"{name.stem} ({number}){name.suffix}" if number else name)
        try:
            with path.open("xb") as file:
                file.write(document.content)
        except FileExistsError:
            continue
        except OSError as error:
            return f"{name} could not be saved here: {error.strerror}."
        break
    return f"Saved {path}"
