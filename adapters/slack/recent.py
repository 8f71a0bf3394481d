"""What was there not long ago."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

T = TypeVar("T", bound=Hashable)


class Recent(Generic[T]):
    """The newest things of a kind, `most` of them."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._things: OrderedDict[T, None] = OrderedDict()

    def add(self, thing: T) -> None:
        """This is the newest."""
        self._things[thing] = None
        self._things.move_to_end(thing)
        if len(self._things) > self._most:
            self._things.popitem(last=False)

    def __contains__(self, thing: T) -> bool:
        return thing in self._things
