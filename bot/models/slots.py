"""How many calls of a provider run at once."""

from __future__ import annotations

import asyncio


class Slots(dict[str, asyncio.Semaphore]):
    """A semaphore for each provider: one that hangs does not hold up the others."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def __missing__(self, provider: str) -> asyncio.Semaphore:
        self[provider] = semaphore = asyncio.Semaphore(self._most)
        return semaphore
