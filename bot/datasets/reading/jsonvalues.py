"""JSON files: an array of objects, objects one after the other over many lines, or one object of
columns.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from typing import Any

from bot.datasets.reading.blocks import MOST_LINE
from bot.datasets.reading.chunk import Chunk, check_cell, check_width, chunked
from bot.datasets.reading.problems import NOT_OBJECT, TWICE, Problems
from bot.datasets.reading.tolerant import Tolerant, cleaned
from bot.errors import DatasetError

MOST_COLUMN_BYTES = 64_000_000  # an object of columns has to be read whole
_BLANK = re.compile(r"\s*")
_BETWEEN = re.compile(r"[\s,]*")


class Buffer:
    """The part of the file that is being looked at, and where in the file that is."""

    def __init__(self, source: Iterator[bytes]) -> None:
        self._source = source
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self.text = ""
        self.at = 0
        self.line = 1
        self.ended = False

    def more(self) -> None:
        """Let go of what was looked at, and read on."""
        self.text, self.at = self.text[self.at :], 0
        block = next(self._source, None)
        self.ended = block is None
        self.text += self._decoder.decode(block or b"", final=self.ended)

    def move(self, to: int) -> None:
        """Go on to a place in the text, counting lines."""
        self.line += self.text.count("\n", self.at, to)
        self.at = to

    def skip(self, pattern: re.Pattern[str]) -> str:
        """Go over what matches and give the character behind it, "" at the end of the file."""
        while True:
            found = pattern.match(self.text, self.at)
            self.move(found.end() if found else self.at)
            if self.at < len(self.text) or self.ended:
                return self.text[self.at : self.at + 1]
            self.more()


def read(source: Iterator[bytes], problems: Problems) -> Iterator[Chunk]:
    """The objects. Raises DatasetError where the file is no JSON, with the line."""
    yield from chunked(objects(Buffer(source), problems))


def objects(buffer: Buffer, problems: Problems) -> Iterator[tuple[int, dict[str, Any], int]]:
    """Every object with its line and its size."""
    inside = buffer.skip(_BLANK) == "["
    if inside:
        buffer.move(buffer.at + 1)
    between = _BLANK
    while following := buffer.skip(between):
        if inside and following == "]":
            buffer.move(buffer.at + 1)
            if buffer.skip(_BLANK):
                raise broken(buffer, "something stands after the end of the array")
            return
        line, tolerant = buffer.line, Tolerant()
        value, size = value_at(buffer, tolerant)
        if between is _BLANK and not inside and is_columns(value):
            found = columns(value, line)
            size //= max(1, *map(len, value.values()))  # of one row
        else:
            found = checked(value, line, problems)
        for row in found:
            if (kept := cleaned(row, line, problems, tolerant)) is not None:
                yield line, kept, size
        if tolerant.twice:
            problems.add(TWICE, line)
        between = _BETWEEN
    if inside:
        raise broken(buffer, "the array is never closed: the end of the file is missing")


def checked(value: Any, line: int, problems: Problems) -> Iterator[dict[str, Any]]:
    """The value, if it is an object that is no monster."""
    if not isinstance(value, dict):
        problems.add(NOT_OBJECT, line)
        return
    check_width(len(value), line)
    for each in value.values():
        check_cell(len(each) if isinstance(each, str) else 0, line)
    yield value


def value_at(buffer: Buffer, tolerant: Tolerant) -> tuple[Any, int]:
    """The JSON value here, and how many characters it has. A value that is cut off at the end of
    what was read so far looks broken until more is read.
    """
    wanted = 0
    while True:
        try:
            value, end = tolerant.decoder.raw_decode(buffer.text, buffer.at)
        except (json.JSONDecodeError, RecursionError) as error:
            if isinstance(error, RecursionError) or not may_be_cut(error, buffer):
                raise at_error(buffer, error) from None
            if wanted > MOST_COLUMN_BYTES:
                raise too_large(buffer) from None
            # Twice as much each time: what is read again and again is in sum no more than that.
            wanted = max(2 * (len(buffer.text) - buffer.at), 1)
            while len(buffer.text) - buffer.at < wanted and not buffer.ended:
                buffer.more()
            continue
        if end == len(buffer.text) and not buffer.ended:
            buffer.more()  # a number may go on
            continue
        size = end - buffer.at
        if size > MOST_LINE and not is_columns(value):
            raise broken(buffer, f"one value is over {MOST_LINE // 1_000_000} MB long")
        buffer.move(end)
        return value, size


def may_be_cut(error: json.JSONDecodeError, buffer: Buffer) -> bool:
    """Whether an error may come from the end of what was read, and not from what stands there.

    A text that is cut is reported where it begins, everything else where it is met.
    """
    near = error.pos > len(buffer.text) - 20
    return not buffer.ended and (near or error.msg.startswith("Unterminated string"))


def is_columns(value: Any) -> bool:
    """Whether an object holds columns instead of being a row, as {"prompt": ["a", "b"], …}."""
    if not isinstance(value, dict) or {"messages", "input", "conversations"} & value.keys():
        return False
    kinds = {type(each) for each in value.values()}
    return kinds in ({list}, {dict})


def columns(value: dict[str, Any], line: int) -> Iterator[dict[str, Any]]:
    """The rows of an object of columns; what pandas writes has an object for each column.

    Raises DatasetError where the columns are not of one length.
    """
    check_width(len(value), line)
    cells = [list(each.values()) if isinstance(each, dict) else each for each in value.values()]
    lengths = {name: len(each) for name, each in zip(value, cells, strict=True)}
    if len(set(lengths.values())) > 1:
        named = ", ".join(f"{name} has {length:,}" for name, length in list(lengths.items())[:5])
        raise DatasetError(f"The columns of this JSON file are not of one length: {named}.", line)
    for row in zip(*cells, strict=True):
        for each in row:
            check_cell(len(each) if isinstance(each, str) else 0, line)
        yield dict(zip(value, row, strict=True))


def at_error(buffer: Buffer, error: json.JSONDecodeError | RecursionError) -> DatasetError:
    """What is wrong, with the line of the file in which it is."""
    if isinstance(error, RecursionError):
        return broken(buffer, "values stand in each other too deep")
    buffer.move(max(error.pos, buffer.at))
    return broken(buffer, error.msg[:1].lower() + error.msg[1:])


def too_large(buffer: Buffer) -> DatasetError:
    """What would have to be read whole is too much for that."""
    return DatasetError(
        f"The JSON value that begins in line {buffer.line:,} is over "
        f"{MOST_COLUMN_BYTES // 1_000_000} MB long. If it holds columns, save the table as CSV or "
        'as JSON lines (in pandas: `to_json(path, orient="records", lines=True)`); if examples, '
        "close each of them.",
        buffer.line,
    )


def broken(buffer: Buffer, what: str) -> DatasetError:
    """The file is no JSON from here on."""
    return DatasetError(
        f"Line {buffer.line:,} is no valid JSON: {what}. Mend it there, or write each example as a "
        "JSON object on a line of its own, as .jsonl.",
        buffer.line,
    )
