"""A file as blocks of UTF-8 or as text, whatever its encoding, a bounded piece at a time."""

from __future__ import annotations

import codecs
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

from bot.datasets.reading.encoding import Encoding
from bot.errors import DatasetError

BLOCK = 1 << 20  # bytes
MOST_LINE = 8_000_000  # bytes of one line; nothing that a model is trained on is as long

Progress: TypeAlias = Callable[[float], None]
"""Is told how much is done, from 0 to 1. What it raises ends the work."""


class Watched(io.FileIO):
    """A file that tells how much of it has been read."""

    def __init__(self, path: Path, progress: Progress) -> None:
        super().__init__(path)
        self._size = max(path.stat().st_size, 1)
        self._progress = progress

    def readinto(self, buffer: Any) -> int | None:
        """As FileIO does."""
        count = super().readinto(buffer)
        self._progress(min(self.tell() / self._size, 1.0))
        return count


def text(path: Path, encoding: Encoding, progress: Progress) -> io.TextIOWrapper:
    """The file's characters with its own line ends; bytes that are none become lone surrogates, or
    � where it is no UTF-8.
    """
    source = io.BufferedReader(Watched(path, progress), BLOCK)
    source.read(encoding.bom)
    errors = "surrogateescape" if encoding.is_utf8 else "replace"
    return io.TextIOWrapper(source, encoding.name, errors=errors, newline="")


def blocks(path: Path, encoding: Encoding, progress: Progress) -> Iterator[bytes]:
    """The file in UTF-8. Bytes of a UTF-8 file that are none come as they are."""
    with io.BufferedReader(Watched(path, progress), BLOCK) as source:
        source.read(encoding.bom)
        if encoding.is_utf8:
            while block := source.read(BLOCK):
                yield block
            return
        decoder = codecs.getincrementaldecoder(encoding.name)(errors="replace")
        while block := source.read(BLOCK):
            yield decoder.decode(block).encode("utf-8", "replace")
        yield decoder.decode(b"", final=True).encode("utf-8", "replace")


def lines(source: Iterator[bytes]) -> Iterator[tuple[int, list[bytes]]]:
    """The lines of blocks without their ends, many at a time, with the number of the first.

    Raises DatasetError at a line of over 8 MB.
    """
    number, rest = 1, b""
    for block in source:
        joined = rest + block
        cut = last_end(joined)
        whole, rest = joined[:cut].splitlines(), joined[cut:]
        too_long(whole, rest, number)
        if whole:
            yield number, whole
        number += len(whole)
    if rest:
        yield number, rest.splitlines()


def last_end(block: bytes) -> int:
    """Where the last whole line of a block ends. A \\r at its very end may be half of \\r\\n."""
    return block.rfind(b"\n") + 1 or block.rfind(b"\r", 0, len(block) - 1) + 1


def too_long(whole: list[bytes], rest: bytes, number: int) -> None:
    """Refuse what nobody means as a line."""
    if whole and max(map(len, whole)) > MOST_LINE:
        number += next(i for i, line in enumerate(whole) if len(line) > MOST_LINE)
    elif len(rest) > MOST_LINE:
        number += len(whole)
    else:
        return
    raise DatasetError(
        f"Line {number:,} is over {MOST_LINE // 1_000_000} MB long, which no model can learn from. "
        "Put each example on a line of its own.",
        number,
    )
