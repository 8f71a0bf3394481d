"""What all texts of a column have in common, found in one pass."""

from __future__ import annotations

import string
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from os.path import commonprefix

from bot.datasets.endings import core

MATTERS = 5  # characters of a prefix; a shorter one is never removed
_UPPER, _LOWER = string.ascii_uppercase.encode(), string.ascii_lowercase.encode()
_ASCII = bytes(range(128))
_BETWEEN = "\0 "  # NUL stands in no ending; a space will begin each completion


@dataclass(slots=True)
class Traits:
    """Of the texts that were added. `unused` are those of the candidates that no text contains.

    `solid` is the length of the shortest text without anything like an ending, as far as the prefix
    is long enough to matter. `leads` is for who takes a space from the beginning of each text to
    say whether all had one.
    """

    unused: list[str] = field(default_factory=list)
    count: int = 0
    upper: int = 0
    lower: int = 0
    prefix: str = ""
    suffix: str = ""
    shortest: int = 0
    longest: int = 0
    solid: int = 0
    leads: bool = True

    def add(self, texts: list[str]) -> None:
        """More texts."""
        if not texts:
            return
        lengths = list(map(len, texts))
        if not self.count:
            self.prefix = self.suffix = texts[0]
            self.shortest = self.solid = lengths[0]
        self.count += len(texts)
        self.shortest = min(self.shortest, *lengths)
        self.longest = max(self.longest, *lengths)
        self.prefix = commonprefix([self.prefix, min(texts), max(texts)])
        self.suffix = common_suffix(self.suffix, texts)
        if len(self.prefix) >= MATTERS:
            self.solid = min(self.solid, *map(len, map(core, texts)))
        joined = _BETWEEN + _BETWEEN.join(texts)
        self.unused = [each for each in self.unused if each not in joined]
        upper, lower = cases(joined)
        self.upper += upper
        self.lower += lower

    def judge_alone(self, endings: Iterable[str]) -> None:
        """A text has nothing in common with itself but what is known as an ending. To be called
        after the last text.
        """
        if self.count == 1:
            text, self.prefix = self.prefix, ""
            self.suffix = next((each for each in endings if text.endswith(each)), "")

    def loud(self, *without: str) -> bool:
        """Whether more than a third of the letters is in upper case, without those of texts that
        stand in every text.
        """
        upper, lower = cases("".join(without))
        return 2 * (self.upper - self.count * upper) > self.lower - self.count * lower

    @property
    def identical(self) -> bool:
        """Whether all texts are one and the same."""
        return self.count > 1 and self.shortest == self.longest == len(self.prefix)


def cases(text: str) -> tuple[int, int]:
    """How many letters have another form in lower case, and how many are in lower case."""
    encoded = text.encode()
    upper = len(encoded) - len(encoded.translate(None, _UPPER))
    lower = len(encoded) - len(encoded.translate(None, _LOWER))
    if len(encoded) > len(text):
        others = Counter(encoded.translate(None, _ASCII).decode())
        upper += sum(n for letter, n in others.items() if letter.lower() != letter)
        lower += sum(n for letter, n in others.items() if letter.islower())
    return upper, lower


def common_suffix(suffix: str, texts: Iterable[str]) -> str:
    """The longest end that all texts share with one that others share already."""
    for text in texts:
        if not text.endswith(suffix):
            suffix = commonprefix([suffix[::-1], text[::-1]])[::-1]
    return suffix


def first_unused(unused: Iterable[str], otherwise: str) -> str:
    """The candidate that is suggested."""
    return next(iter(unused), otherwise)
