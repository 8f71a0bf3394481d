"""Rows on the disk, so that passes over them need no memory and do not read the file again."""

from __future__ import annotations

import marshal
from collections.abc import Iterator, Sequence
from tempfile import TemporaryFile
from typing import Any, Generic, NamedTuple, TypeVar

from bot.errors import DatasetError


class Pairs(NamedTuple):
    """Some prompts with their completions, and the lines where they stand."""

    lines: Sequence[int]
    prompts: list[str]
    completions: list[str]


T = TypeVar("T", bound=tuple[Any, ...])


class Spool(Generic[T]):
    """Batches, written once and read often. They are gone when it is closed.

    marshal is the fastest form that Python has; nobody else writes or reads this file.
    """

    def __init__(self, kind: type[T]) -> None:
        self._kind = kind
        self._file = TemporaryFile()  # noqa: SIM115  closed by close
        self.rows = 0
        self._sizes: list[int] = []

    def add(self, batch: T) -> None:
        """Keep a batch; its first value is as long as it has rows. Raises DatasetError where the
        disk is full.
        """
        written = marshal.dumps(tuple(batch))
        try:
            self._file.write(written)
        except OSError as error:
            raise DatasetError(f"The examples cannot be kept: {error.strerror}.") from error
        self.rows += len(batch[0])
        self._sizes.append(len(written))

    def __iter__(self) -> Iterator[T]:
        """All batches, in order. Only one iteration at a time."""
        self._file.flush()
        self._file.seek(0)
        for size in self._sizes:
            yield self._kind(*marshal.loads(self._file.read(size)))  # noqa: S302  our own file

    def close(self) -> None:
        """Delete it."""
        self._file.close()
