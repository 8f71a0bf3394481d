"""A clock that a test holds."""

from __future__ import annotations

import asyncio


class HeldClock:
    """Stands still until somebody sleeps on it: then it has moved at once.

    `waits` holds every sleep asked for, in seconds and in order.
    """

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self.time = now
        self.waits: list[float] = []

    def now(self) -> float:
        """Unix time in seconds."""
        return self.time

    def advance(self, seconds: float) -> None:
        """Let time pass without a sleeper."""
        self.time += seconds

    async def sleep(self, seconds: float) -> None:
        """Move the time on by so much, and let other tasks run."""
        self.waits.append(seconds)
        self.time += max(0.0, seconds)
        await asyncio.sleep(0)


class StoppedClock:
    """Stands still, and so does everyone who sleeps on it, until the test moves it on.

    `waits` holds every sleep asked for, in seconds and in order.
    """

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self.time = now
        self.waits: list[float] = []
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []
        self._called = asyncio.Event()

    def now(self) -> float:
        """Unix time in seconds."""
        return self.time

    def advance(self, seconds: float) -> None:
        """Let time pass, and wake everyone whose time has come."""
        self.time += seconds
        for until, sleeper in self._sleepers:
            if until <= self.time and not sleeper.done():
                sleeper.set_result(None)

    async def sleep(self, seconds: float) -> None:
        """Wait until the test has moved the time on by so much."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        self.waits.append(seconds)
        sleeper: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.append((self.time + seconds, sleeper))
        self._called.set()
        await sleeper

    async def asleep(self, sleepers: int = 1) -> None:
        """Return when so many wait for the time to move on."""
        async with asyncio.timeout(20):
            while sum(not sleeper.done() for _, sleeper in self._sleepers) < sleepers:
                self._called.clear()
                await self._called.wait()
