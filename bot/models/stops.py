"""Where an answer ends: stop sequences, the first and the last mark of what a person sees."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.prompt import SENTENCE_MARKS, stop_mark


class StopTrimmer:
    """Gives back the text that a stream shows, whatever its pieces, up to the first stop.

    The first stop is the one that begins first. The sentence's punctuation that a stop begins with
    is shown: of "Yes.\\n" with the stop ".\\n" it is "Yes.". `prefix` is taken away once, at the
    beginning. No more is held back than what a stop or the prefix may still become. `cut` says that
    a stop was found: nothing comes after it.
    """

    def __init__(self, stops: Sequence[str], prefix: str = "") -> None:
        # Of stops that begin at one place the shortest is known first.
        self._stops = sorted(filter(None, stops), key=len)
        self._any_stop = re.compile("|".join(map(re.escape, self._stops))) if self._stops else None
        self._longest = len(self._stops[-1]) if self._stops else 0
        self._first_letters = frozenset(stop[0] for stop in self._stops)
        self._prefix = prefix
        self._held = ""
        self._last = ""  # the last character that can be seen
        self.cut = False

    def feed(self, text: str) -> str:
        """Take the next piece of the answer and return what may be shown now."""
        if self.cut:
            return ""
        text = self._held + text
        beginning = self._beginning_of_stop(text)
        stop = self._any_stop.search(text) if self._any_stop else None
        if stop and stop.start() <= beginning:
            return self._end(text, stop)
        self._held = text[beginning:]
        return self._shown(text[:beginning])

    def flush(self) -> str:
        """Return what was held back: the answer ends here."""
        stop = self._any_stop.search(self._held) if self._any_stop and not self.cut else None
        if stop:
            return self._end(self._held, stop)
        rest, self._held = self._shown(self._held, last=True), ""
        return rest

    def mark_of_cut(self, stop: str) -> str:
        """The punctuation that the server took away together with `stop`, if any is missing."""
        ended = self.cut or not self._last or self._last in SENTENCE_MARKS
        return "" if ended else stop_mark(stop)

    def _end(self, text: str, stop: re.Match[str]) -> str:
        self.cut = True
        self._held = ""
        shown = self._shown(text[: stop.start()], last=True)
        # A mark alone is no answer.
        return shown + stop_mark(stop[0]) if self._last else shown

    def _shown(self, text: str, *, last: bool = False) -> str:
        """What is left of a text after the answer's prefix."""
        if self._prefix and text:
            if text.startswith(self._prefix):
                text = text.removeprefix(self._prefix)
            elif self._prefix.startswith(text) and not last:
                self._held = text + self._held
                return ""
            self._prefix = ""
        self._last = text.rstrip()[-1:] or self._last
        return text

    def _beginning_of_stop(self, text: str) -> int:
        """Where the end of the text begins that a stop may still grow from; its length if none."""
        for start in range(max(0, len(text) - self._longest + 1), len(text)):
            if text[start] in self._first_letters:
                end = text[start:]
                if any(stop.startswith(end) and stop != end for stop in self._stops):
                    return start
        return len(text)
