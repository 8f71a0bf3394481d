"""Remembering what was seen in a file of any length, in memory that is bounded."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable


class Seen:
    """Where keys were seen first.

    Above `most` keys it keeps every second, then every fourth of them, chosen by the key itself:
    whatever is equal is kept or left out together. Each that is found then stands for `weight`.
    """

    def __init__(self, most: int) -> None:
        self.weight = 1
        self._most = most
        self._lines: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._lines)

    def first(self, key: int) -> int | None:
        """The line where a key was seen, if it was and is among those that are kept."""
        return self._lines.get(key)

    def add(self, key: int, line: int) -> None:
        """Remember a key, unless it is one that is left out."""
        if key % self.weight:
            return
        self._lines.setdefault(key, line)
        if len(self._lines) > self._most:
            self.weight *= 2
            self._lines = {k: at for k, at in self._lines.items() if k % self.weight == 0}


def content_key(text: str) -> int:
    """A number for what a text says: case and spaces make no difference."""
    return key_of(text.casefold().split())


def key_of(texts: Iterable[str]) -> int:
    """A number for texts: equal ones have the same, in every process."""
    digest = hashlib.blake2b("\0".join(texts).encode("utf-8", "surrogatepass"), digest_size=8)
    return int.from_bytes(digest.digest(), "big")
