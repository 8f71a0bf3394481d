"""tunebot that dies by SIGKILL at a moment: `python -m tests.adapters.telegram.dying MOMENT run …`.

Moment 0 is in the transaction that shelves the first update; then come the instants after that
commit, before the next, after it, and so on.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from functools import partial

from sqlite_utils import Database

from bot.cli import main
from bot.messages import RawEvent
from bot.store import shelf, steps
from bot.store.steps import Outcome, Step

put, together = shelf.put, steps.together


class Moments:
    """Counts them, from the first update on."""

    def __init__(self, last: int) -> None:
        self._left = last
        self._begun = False

    def put(
        self, db: Database, adapter: str, events: Sequence[tuple[str, str]], now: float
    ) -> list[RawEvent | None]:
        """Shelve updates."""
        shelved = put(db, adapter, events, now)
        if not self._begun:
            self._begun = True
            self._pass()
        return shelved

    def together(self, db: Database, waiting: Sequence[Step]) -> list[Outcome]:
        """Commit steps."""
        if self._begun:
            self._pass()
        outcomes = together(db, waiting)
        if self._begun:
            self._pass()
        return outcomes

    def _pass(self) -> None:
        if not self._left:
            os.kill(os.getpid(), signal.SIGKILL)
        self._left -= 1


if __name__ == "__main__":
    moments = Moments(int(sys.argv.pop(1)))
    shelf.put, steps.together = moments.put, partial(moments.together)
    main()
