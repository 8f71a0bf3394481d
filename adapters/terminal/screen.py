"""A terminal as output: finished answers in the scrollback, one growing answer at the bottom."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console, RenderableType
from rich.segment import ControlType, Segment, Segments
from rich.style import Style
from rich.text import Text
from rich.theme import Theme

from adapters.terminal.markdown import Answer
from adapters.terminal.output import Above, Output, writable
from adapters.terminal.text import clean, tail

FRAME = 1 / 20
"""Seconds between two frames at least: what the eye still takes for motion."""
SHARE = 4
"""Seconds between two frames for each that one takes to draw: others need the processor too."""

THEME = Theme({"markdown.code": "bold cyan"})
"""rich's own puts code on black, which is a box on a light terminal."""

Line = Sequence[Segment]


class Screen(Output):
    """What grows is drawn over and over within one screenful, so that the scrollback only ever
    gets whole answers.
    """

    def __init__(self, stdout: TextIO, *, markdown: bool) -> None:
        super().__init__()
        self._console = Console(
            file=writable(stdout),
            markup=False,
            emoji=False,
            highlight=False,
            force_terminal=True,
            theme=THEME,
        )
        self._markdown = markdown
        self._owner: object = None
        self._frame: Sequence[Line] = ()
        self._next_frame = 0.0
        self.progress = not self._console.is_dumb_terminal

    @contextmanager
    def prompting(self, above: Above) -> Iterator[None]:
        """A prompt takes the place of an answer that still grows."""
        self.drop(self._owner)
        with super().prompting(above):
            yield

    async def ready(self) -> None:
        """Frames are further apart the longer one takes to draw."""
        await asyncio.sleep(self._next_frame - time.monotonic())

    def wait(self) -> None:
        """Draw a dim sign where the answer will grow."""
        if self.progress and self._owner is None and not self._prompts:
            self._draw(unwrapped("…", "dim"))

    def show(self, owner: object, text: str) -> None:
        """Draw the end of the text, as much as the screen holds."""
        if self._prompts or not self.progress or self._owner not in {None, owner}:
            return
        began = time.monotonic()
        lines = self._lines(self._rendered(tail(text, self._console.width * self._most)))
        self._owner = owner
        self._draw(lines[-self._most :])
        ended = time.monotonic()
        self._next_frame = ended + max(FRAME, SHARE * (ended - began))

    def drop(self, owner: object) -> None:
        """Erase what the owner showed, or the sign that an answer is awaited."""
        if self._owner in {None, owner}:
            self._draw(())
            self._owner = None

    async def say(self, text: str) -> None:
        """Print the whole text and an empty line."""
        lines = self._lines(self._rendered(text)) if self._markdown else unwrapped(text)
        await self._print([*lines, []])

    async def note(self, text: str) -> None:
        """Print a dim line."""
        await self._print(unwrapped(text, "dim"))

    async def _print(self, lines: Sequence[Line]) -> None:
        """Print above what stands at the bottom, be it a prompt or an answer that grows."""
        async with self._above():
            frame = self._frame
            self._draw(())
            self._write(each for line in lines for each in (*line, Segment.line()))
            self._draw(frame)

    def _draw(self, frame: Sequence[Line]) -> None:
        """Put a frame where the last one stands. Line by line: erased as a whole, it flickers."""
        if not (frame or self._frame):
            return
        up, self._frame = self._rows(), frame
        self._write(
            [
                control(f"\x1b[{up}A\r" if up else "\r"),
                *(each for line in frame for each in (control("\x1b[K"), *line, Segment.line())),
                control("\x1b[J"),
            ]
        )

    def _rows(self) -> int:
        """The rows that the frame takes; a terminal made narrower has wrapped it meanwhile."""
        width = self._console.width
        lengths = (Segment.get_line_length([*line]) for line in self._frame)
        return min(sum(max(1, -(-length // width)) for length in lengths), self._most)

    @property
    def _most(self) -> int:
        # The cursor has the last row. The first stays free: tmux takes erasing from there for
        # clearing the screen, which it saves in the scrollback.
        return max(1, self._console.height - 2)

    def _write(self, segments: Iterator[Segment] | list[Segment]) -> None:
        self._console.print(Segments(segments), end="", soft_wrap=True)

    def _rendered(self, text: str) -> RenderableType:
        return Answer(clean(text)) if self._markdown else Text(clean(text))

    def _lines(self, content: RenderableType) -> list[Line]:
        options = self._console.options.update(height=None)
        return [trimmed(line) for line in self._console.render_lines(content, options, pad=False)]


def trimmed(line: Line) -> Line:
    """The line as it may be written: it commands nothing, even if a Markdown parser made it from
    "&#8238;", and has no blanks at its end, which would wrap in a narrower window.
    """
    line = [Segment(clean(segment.text), segment.style) for segment in line]
    while line and not line[-1].text.strip():
        line.pop()
    if line:
        line[-1] = Segment(line[-1].text.rstrip(), line[-1].style)
    return line


def unwrapped(text: str, style: str = "") -> list[Line]:
    """Lines as they are: where the terminal wraps them, they are still copied whole."""
    return [[Segment(line, Style.parse(style))] for line in clean(text).split("\n")]


def control(code: str) -> Segment:
    """Moves and erases of our own. rich has no name for some; any will do, the code is written."""
    return Segment(code, None, [(ControlType.CURSOR_UP, 1)])
