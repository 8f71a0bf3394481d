"""Updates on the core's shelf: committed before anybody reads them, and before Telegram may forget
them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import sha256
from typing import Any, NamedTuple

from bot.messages import RawEvent
from bot.ports import Core


class Arrived(NamedTuple):
    """An update as Telegram sent it, and what stands on the shelf for it."""

    event: RawEvent
    update: Any


class Shelf:
    """The shelf of one adapter, for the updates of one bot."""

    def __init__(self, core: Core, name: str, bot: int) -> None:
        self._core = core
        self._name = name
        self._bot = bot

    async def put(self, updates: Sequence[Any]) -> list[Arrived]:
        """Commit updates together; returns those that are new. Raises StoreError."""
        written = [(self._key(update), json.dumps(update)) for update in updates]
        events = await self._core.shelve(self._name, written) if written else ()
        return [
            Arrived(event, update) for event, update in zip(events, updates, strict=True) if event
        ]

    async def left(self) -> list[Arrived]:
        """What an earlier run committed and did not deal with, oldest first."""
        return [
            Arrived(each, json.loads(each.raw)) for each in await self._core.shelved(self._name)
        ]

    def _key(self, update: Any) -> str:
        """An update's number. What has none is known by itself, or it would be kept at each try."""
        number = number_of(update)
        if number is None:
            return f"{self._bot}:{sha256(json.dumps(update).encode()).hexdigest()}"
        return f"{self._bot}:{number}"


def number_of(update: Any) -> int | None:
    """The update_id, of what has one."""
    number = update.get("update_id") if isinstance(update, dict) else None
    return number if isinstance(number, int) else None
