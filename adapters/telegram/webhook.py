"""Telegram calls us: it is told that we have an update once that is committed."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from adapters.telegram.intake import Intake
from adapters.telegram.shelf import Shelf
from bot.ports import Knock, Opened


class Webhook:
    """What stands behind the door while the bot runs."""

    def __init__(self, shelf: Shelf, intake: Intake) -> None:
        self._shelf = shelf
        self._intake = intake
        self._taking: set[asyncio.Task[None]] = set()
        self._closed = False

    async def open(self, knock: Knock) -> Opened:
        """Take an update. Raises StoreError. Whoever hangs up leaves behind what has begun."""
        if self._intake.full:
            return Opened(503)
        taking = asyncio.create_task(self._take(update_of(knock.body)), name="webhook")
        self._taking.add(taking)
        taking.add_done_callback(self._taking.discard)
        await asyncio.shield(taking)
        return Opened()

    async def close(self) -> None:
        """Take nothing more: what is committed now is read by the next start."""
        self._closed = True
        await asyncio.gather(*self._taking, return_exceptions=True)

    async def _take(self, update: Any) -> None:
        arrived = await self._shelf.put([update])
        if not self._closed:
            self._intake.take(arrived)


def update_of(body: bytes) -> Any:
    """An update; what is no JSON stays a text, which is set aside: else it came again for a day."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return body.decode(errors="replace")
