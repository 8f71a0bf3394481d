"""Long polling that lets Telegram forget an update only once it is committed.

PTB's own Updater polls on before anybody has seen what came (facts/telegram.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from adapters.telegram.account import Account
from adapters.telegram.intake import Intake
from adapters.telegram.patience import insist, stored
from adapters.telegram.shelf import Shelf, number_of

LONG = 45.0  # seconds that Telegram waits for something to happen
PAUSE = 1.0  # seconds before what cannot be confirmed is asked for again


class Poller:
    """Fetches updates, commits them and gives them to the intake."""

    def __init__(self, account: Account, shelf: Shelf, intake: Intake) -> None:
        self._account = account
        self._shelf = shelf
        self._intake = intake
        self._offset = 0

    async def run(self) -> None:
        """Poll until cancelled."""
        clock = self._account.clock
        while True:
            await self._intake.room()
            found = await insist(self._fetch, self._account)
            arrived = await stored(partial(self._shelf.put, found), clock)
            self._intake.take(arrived)
            if not found:
                self._offset = 0  # all is confirmed; after a quiet week Telegram numbers anew
            elif (offset := above(found, self._offset)) > self._offset:
                self._offset = offset
            else:
                await clock.sleep(PAUSE)

    async def _fetch(self) -> Sequence[Any]:
        return await self._account.api.updates(self._offset, LONG)


def above(found: Sequence[Any], offset: int) -> int:
    """The offset that confirms what was found when `offset` was asked for.

    Numbers rise. So what has none has at least the offset that was reached before it, if that is
    known; to guess higher might confirm what nobody has seen.
    """
    for update in found:
        number = number_of(update)
        if number is not None:
            offset = max(offset, number + 1)
        elif offset:
            offset += 1
    return offset
