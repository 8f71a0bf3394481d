"""Where a long text is split into messages of a platform.

Every cut depends only on what stands before it. So a growing text is cut where the finished one
will be, and a message that is full never changes again: platforms that can only append need that.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from bot.ports import Limits

FENCE = re.compile(r"[ \t]*(`{3,}|~{3,})(.*)")
LONGEST_INFO = 20  # characters of a code block's language that are repeated in the next message

MEASURES: Mapping[str, Callable[[str], int]] = {
    "characters": len,
    "utf-16": lambda text: len(text.encode("utf-16-le", "surrogatepass")) // 2,
    "utf-8": lambda text: len(text.encode("utf-8", "surrogatepass")),
}


class Segments:
    """Splits one growing text. Full segments are kept, so each look costs only the newest."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._measure = MEASURES[limits.unit]
        self._full: list[str] = []
        self._start = 0  # where the newest segment begins in the text
        self._fence = ""  # the line that opens its code block again

    def of(self, text: str) -> list[str]:
        """The segments of the whole text so far; none is blank, all but the last are final."""
        while self._limits.hard and (cut := self._cut(text)):
            self._close(text, cut)
        newest = self._opening() + text[self._start :]
        return [*self._full, newest] if text[self._start :].strip() else list(self._full)

    def _close(self, text: str, cut: int) -> None:
        """End the newest segment at `cut` and begin the next one there."""
        body = self._opening() + text[self._start : cut].rstrip()
        fence = open_fence(body)
        self._full.append(body + closing(fence))
        self._fence = fence
        self._start = cut + len(text[cut:]) - len(text[cut:].lstrip("\n" if fence else None))

    def _opening(self) -> str:
        return f"{self._fence}\n" if self._fence else ""

    def _cut(self, text: str) -> int:
        """Where the newest segment ends, 0 while it may still grow.

        After `soft` units a blank line ends it, half-way to `hard` the end of a line, later still
        a space, and at `hard` whatever stands there.
        """
        soft, hard = self._limits.soft, self._limits.hard
        fence = self._fence
        used = self._measure(self._opening())
        at = self._start
        for line in lines(text, at):
            most = hard - self._measure(closing(fence or line_fence(line)))
            units = self._measure(line)
            if used + units > most:
                return at + self._inside(line, used, most)
            used, at, fence = used + units, at + len(line), after_line(fence, line)
            blank = not line.strip() and not fence
            if line.endswith("\n") and used >= (soft if blank else (soft + hard) // 2):
                return at
        return 0

    def _inside(self, line: str, used: int, most: int) -> int:
        """Where to cut a line that does not fit: at its first late space, else where it is full."""
        late = (self._limits.soft + 3 * self._limits.hard) // 4
        for i, character in enumerate(line):
            units = self._measure(character)
            if used + units > most:
                return max(i, 1)
            used += units
            if character.isspace() and used >= late:
                return i + 1
        return len(line)


def lines(text: str, start: int) -> Iterator[str]:
    """The lines of a text from `start`, each with its newline."""
    while start < len(text):
        end = text.find("\n", start) + 1 or len(text)
        yield text[start:end]
        start = end


def line_fence(line: str) -> str:
    """The marker of a line that may open or close a code block, "" for any other line."""
    found = FENCE.match(line)
    return found[1] if found else ""


def after_line(fence: str, line: str) -> str:
    """The line that opened the code block in which the next line stands, "" outside of one."""
    found = FENCE.match(line)
    if not found:
        return fence
    marker, info = found[1], found[2].strip()
    if not fence:
        return "" if marker[0] == "`" and "`" in info else marker + info[:LONGEST_INFO]
    ends = marker.startswith(line_fence(fence)) and not info
    return "" if ends else fence


def open_fence(text: str) -> str:
    """The line that opened the code block in which a text ends."""
    fence = ""
    for line in lines(text, 0):
        fence = after_line(fence, line)
    return fence


def closing(fence: str) -> str:
    """What ends the code block of an opening line."""
    return f"\n{line_fence(fence)}" if fence else ""
