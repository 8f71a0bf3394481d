"""Rows on the disk with some of them changed or left out: only what differs is written again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import compress
from typing import Any, NamedTuple, Protocol, TypeVar

from bot.datasets.spool import Spool

T_co = TypeVar("T_co", bound=tuple[Any, ...], covariant=True)
T = TypeVar("T", bound=tuple[Any, ...])


class Batches(Protocol[T_co]):
    """Rows that can be passed over as often as one likes, once at a time."""

    @property
    def rows(self) -> int:
        """How many there are."""

    def __iter__(self) -> Iterator[T_co]: ...

    def close(self) -> None:
        """Delete them."""


class Patch(NamedTuple):
    """What differs in one batch: a byte 1 for each row that stays, the numbers of the rows that
    are changed, and in `values` their new values, a list for each column after the first.
    """

    keep: bytes
    at: Sequence[int]
    values: Sequence[Sequence[Any]]


class Patched(Batches[T]):
    """Batches with a patch for each of them. Closing it deletes the patches only."""

    def __init__(self, batches: Batches[T]) -> None:
        self._batches = batches
        self._patches: Spool[Patch] = Spool(Patch)
        self._rows = 0
        self.changed = 0

    @property
    def rows(self) -> int:
        """How many stay."""
        return self._rows

    def add(self, patch: Patch) -> None:
        """The patch for the next batch."""
        self._patches.add(patch)
        self._rows += patch.keep.count(1)
        self.changed += len(patch.at) + patch.keep.count(0)

    def __iter__(self) -> Iterator[T]:
        """The rows that stay, as they are now."""
        for batch, patch in zip(self._batches, self._patches, strict=True):
            for column, values in zip(batch[1:], patch.values, strict=True):
                for place, value in zip(patch.at, values, strict=True):
                    column[place] = value
            if 0 not in patch.keep:
                yield batch
            elif 1 in patch.keep:
                columns = (list(compress(column, patch.keep)) for column in batch)
                yield type(batch)(*columns)

    def close(self) -> None:
        """Delete the patches."""
        self._patches.close()
