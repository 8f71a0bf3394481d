"""The time of the machine."""

from __future__ import annotations

import asyncio
import time


class SystemClock:
    """The clock of every run outside the tests."""

    def now(self) -> float:
        """Unix time in seconds."""
        return time.time()

    async def sleep(self, seconds: float) -> None:
        """Let other tasks run for so long."""
        await asyncio.sleep(seconds)
