"""Examples that say nearly the same as an earlier one.

MinHash, with all minima taken from one sorted list of hashes ("one permutation hashing", Li, Owen
and Zhang 2012, with rotation, Shrivastava and Li 2014): an example costs one hash for each pair of
neighbouring words and a sort, all in C, and no pair of examples is ever compared without a hint.
SimHash would be as cheap, but on texts of a few words it takes different ones for equal.
"""

from __future__ import annotations

import string
from array import array
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple
from zlib import crc32

from bot.datasets.checks import Choice
from bot.datasets.examples import said
from bot.datasets.faults import Places
from bot.datasets.findings import Finding, Level, Remedy, Row, Weight, many

MOST_KEPT = 50_000  # examples that later ones are compared with: about 40 MB
MOST_LOOKED_AT = 10_000  # examples, unless near duplicates are to be removed: a quarter second
MOST_CHARACTERS = 1_000  # at each end of an example that are looked at
# A pair of four fifths alike is found in 97 of 100 cases, one of half in 49, of which the threshold
# below takes nearly all away again.
BANDS, MINIMA_A_BAND = 5, 3
ALIKE = 12  # of the 15 minima: about four fifths of the pairs of words are the same
_MINIMA = BANDS * MINIMA_A_BAND
_POINTS = [-(2**63) + number * 2**64 // _MINIMA for number in range(_MINIMA)]
MOST_LETTERS = 500  # of them, in a script without spaces
_PLAIN = bytes.maketrans(string.punctuation.encode(), b" " * len(string.punctuation))
_LONG_WORD = 20  # bytes of a word on average: a script without spaces

REMOVE = Remedy("drop-near-duplicates", "Remove near duplicates", Weight.OFFERED)


class Kept(NamedTuple):
    """An example that later ones are compared with."""

    line: int
    least: int
    minima: array[int]


class NearDuplicates:
    """Examples that share most pairs of neighbouring words with an earlier one.

    While nobody wants them removed, the first MOST_LOOKED_AT examples show whether there are any;
    otherwise all are looked at. Above MOST_KEPT different examples it looks at every second,
    fourth … of them, which are chosen so that duplicates are chosen together.
    """

    def __init__(self, choice: Choice, most: int = MOST_KEPT) -> None:
        self.takes = choice.takes(REMOVE)
        self._most = most
        self._looked_at = 0
        self._weight = 1
        self._kept: list[Kept] = []
        self._bands: dict[int, Kept] = {}
        self._places = Places()
        self._found = 0
        self._first = (0, 0)

    @property
    def is_done(self) -> bool:
        """Whether more examples need not be shown to it."""
        return not self.takes and self._looked_at >= MOST_LOOKED_AT

    def again(self) -> None:
        """What is left of the examples is shown once more: they are not their own duplicates."""
        self._weight = 1
        self._kept, self._bands = [], {}

    def see(self, row: Row) -> Row | None:
        """The next example, unless it is nearly there already and that is not wanted."""
        if self.is_done:
            return row
        self._looked_at += 1
        hashes = word_pairs(said(row.fields))
        if not hashes or hashes[0] % self._weight:
            return row
        new = Kept(row.line, hashes[0], minima(hashes))
        earlier = self._earlier(new)
        if earlier is None:
            self._keep(new)
            return row
        self._first = (earlier.line, row.line) if not self._found else self._first
        self._found += self._weight
        self._places.add(row.line)
        return None if self.takes else row

    def findings(self) -> Sequence[Finding]:
        """How many there are; estimated where not all examples were compared."""
        if not self._found:
            return []
        sampled = (
            f" This is an estimate: one of {self._weight} examples was compared."
            if self._weight > 1
            else ""
        )
        among = f"Among the first {MOST_LOOKED_AT:,}, " if self.is_done else ""
        verb = "says" if self._found == 1 else "say"
        says = (
            f"{among}{many(self._found)} {verb} nearly the same as an earlier one, as lines "
            f"{self._first[0]} and {self._first[1]} do: training costs more and teaches little "
            f"more.{sampled}"
        )
        remedy = REMOVE
        if not self.is_done:
            remedy = replace(REMOVE, says=f"Remove {many(self._places.count, 'near duplicate')}")
        lines = tuple(self._places.lines)
        return [Finding("near-duplicate", Level.WARNING, says, lines, self._found, remedy)]

    def _earlier(self, new: Kept) -> Kept | None:
        """An example that is nearly the same."""
        for band in _bands(new):
            candidate = self._bands.get(band)
            if candidate and _agreeing(candidate, new) >= ALIKE:
                return candidate
        return None

    def _keep(self, new: Kept) -> None:
        self._kept.append(new)
        for band in _bands(new):
            self._bands.setdefault(band, new)
        if len(self._kept) > self._most:
            self._weight *= 2
            self._kept = [kept for kept in self._kept if kept.least % self._weight == 0]
            self._bands = {band: kept for kept in self._kept for band in _bands(kept)}


def word_pairs(text: str) -> list[int]:
    """A sorted hash for each two neighbours among the words of a text, or among its characters
    where it has no spaces; case and punctuation make no difference.
    """
    if len(text) > 2 * MOST_CHARACTERS:  # the answer is at the end
        text = f"{text[:MOST_CHARACTERS]}\n{text[-MOST_CHARACTERS:]}"
    plain = text.lower().encode("utf-8", "replace").translate(_PLAIN)
    words = plain.split()
    if len(words) * _LONG_WORD < len(plain):
        letters = text[:MOST_LETTERS].lower()
        words = [each.encode("utf-8", "replace") for each in letters if not each.isspace()]
    codes = list(map(crc32, words))
    # hash() of numbers is the same in every process.
    return sorted(set(map(hash, pairwise(codes)))) if len(codes) > 1 else codes


def minima(hashes: Sequence[int]) -> array[int]:
    """The first hash at or after each of 15 points on the ring of all hashes.

    Of two sets, as many of these agree as the sets have in common of what is in either.
    """
    return array("q", [hashes[bisect_left(hashes, point) % len(hashes)] for point in _POINTS])


def _bands(kept: Kept) -> list[int]:
    """Keys of which nearly equal examples share at least one."""
    return [
        hash((band, *kept.minima[band * MINIMA_A_BAND : (band + 1) * MINIMA_A_BAND]))
        for band in range(BANDS)
    ]


def _agreeing(one: Kept, other: Kept) -> int:
    return sum(a == b for a, b in zip(one.minima, other.minima, strict=True))
