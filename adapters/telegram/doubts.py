"""The texts of one reply that were sent and not confirmed yet: each may stand in its chat."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from adapters.telegram.ledger import Ledger


class Doubt(NamedTuple):
    """A text that went to a chat when `after` was the newest message there."""

    chat: int
    after: int


class Doubts:
    """Doubts by the names of texts."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._doubts: dict[str, Doubt] = {}

    def begin(self, name: str, chat: int) -> None:
        """A text is sent, perhaps once more."""
        if name not in self._doubts:
            self._doubts[name] = Doubt(chat, self._ledger.newest(chat))
            self._ledger.begins(chat)

    def end(self, name: str) -> None:
        """A text arrived, or did not for sure."""
        if doubt := self._doubts.pop(name, None):
            self._ledger.ends(doubt.chat)

    def close(self) -> None:
        """Nobody looks for them any more."""
        for name in list(self._doubts):
            self.end(name)

    def places(self, name: str, chat: int) -> Sequence[int]:
        """The ids under which a text may stand in a chat; none if it was sent to another one."""
        doubt = self._doubts.get(name)
        return self._ledger.unaccounted(*doubt) if doubt and doubt.chat == chat else ()
