"""A growing text as HTML, of which only what changed is made and sent again."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

from adapters.http.page.markdown import blocks

# A last line of nothing but marks may become anything: "-" an underline or a list's item.
UNDECIDED = re.compile(r"[ \t]*(?:[-=+*_#>`~|: \t]*|\d+[.)]?)")
STEADY = 64  # a block is made again once it grew by this part of itself


@dataclass(frozen=True, slots=True)
class Change:
    """Blocks of HTML that stand for all blocks from the one of that number on."""

    start: int
    html: tuple[str, ...]


class Growing:
    """The blocks that a reader has, and where in the text those begin that may still change.

    A block is settled when another one began at least two whole lines ago: what comes later cannot
    change it. Every look renders only what is not settled, and a large block less and less often,
    so that all looks together cost a multiple of the text, however it is cut into pieces.
    """

    def __init__(self) -> None:
        self._text = ""
        self._offset = 0  # of the first block that is not settled
        self._settled = 0  # blocks before it
        self._html: list[str] = []

    def show(self, text: str) -> Change | None:
        """What changes as the text has grown to this, if it is worth a look already."""
        text = decided(normalised(text))
        grown = len(text) - len(self._text)
        if 0 <= grown * STEADY < len(text) - self._offset and text.startswith(self._text):
            return None
        return self._change(text)

    def finish(self, text: str) -> Change | None:
        """What changes as the text has grown to this, its last word."""
        return self._change(normalised(text))

    def _change(self, text: str) -> Change | None:
        if not text.startswith(self._text[: self._offset]):
            self._offset = self._settled = 0
        self._text = text
        tail = text[self._offset :]
        lines, html = [], []
        for line, block in blocks(tail):
            lines.append(line)
            html.append(block)
        start = self._settled + alike(self._html[self._settled :], html)
        change = Change(start, tuple(html[start - self._settled :]))
        unchanged = start == len(self._html) and not change.html
        self._html[start:] = change.html
        self._settle(tail, lines)
        return None if unchanged else change

    def _settle(self, tail: str, lines: Sequence[int]) -> None:
        """Leave all blocks behind that can no longer change."""
        last = tail.count("\n") - 2
        settled = max((at for at, line in enumerate(lines) if line <= last), default=0)
        if settled:
            before = tail.split("\n", lines[settled])[:-1]
            self._offset += sum(len(line) + 1 for line in before)
            self._settled += settled


def alike(old: Sequence[str], new: Sequence[str]) -> int:
    """How many blocks two lists have in common at their beginning."""
    pairs = zip(old, new, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def decided(text: str) -> str:
    """A text without a last line that says nothing yet."""
    before, end, line = text.rpartition("\n")
    return before + end if UNDECIDED.fullmatch(line) else text


def normalised(text: str) -> str:
    """A text with one kind of line ends, as the parser sees it."""
    return text.replace("\r\n", "\n").replace("\r", "\n")
