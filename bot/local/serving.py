"""llama.cpp on the loopback, kept alive."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace

import structlog

from bot.errors import LocalUnavailable
from bot.local.child import Child, Settings

START_TIMEOUT = 120.0  # seconds
LONG_LIFE = 60.0  # seconds; a child that lived longer did not die of its start
LONGEST_PAUSE = 30.0  # seconds
MOST_THREADS = 8

log = structlog.get_logger(__name__)


class LlamaServer:
    """A model and its adapters behind llama.cpp's HTTP interface, kept alive.

    The address stays the same when the child dies and is started again. Until it answers,
    connections are refused, then requests get a 503.
    """

    def __init__(self, settings: Settings, start_timeout: float = START_TIMEOUT) -> None:
        self.base_url = ""  # known once started
        self._settings = settings
        self._start_timeout = start_timeout
        self._child: Child | None = None
        self._keeper: asyncio.Task[None] | None = None

    @property
    def key(self) -> str:
        """The bearer token that every request needs."""
        return self._settings.key

    @property
    def adapters(self) -> tuple[str, ...]:
        """The files of the adapters; their places are their ids."""
        return self._settings.adapters

    @property
    def alive(self) -> bool:
        """Whether the child runs at this moment."""
        return self._child is not None and self._child.alive

    @property
    def pid(self) -> int:
        """The child's process, 0 before the start."""
        return self._child.pid if self._child else 0

    async def start(self) -> None:
        """Load the model and return when it answers. Raises LocalUnavailable."""
        self._child = await Child.start(self._settings, self._start_timeout)
        self.base_url = f"http://127.0.0.1:{self._child.port}/v1"
        settings = replace(self._settings, port=self._child.port)
        self._keeper = asyncio.create_task(self._keep(settings), name=f"keep {settings.name}")

    async def stop(self) -> None:
        """End the child. Answers that it was giving break."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        if self._child is not None:
            await self._child.stop()

    async def _keep(self, settings: Settings) -> None:
        """Start the child again whenever it dies, later and later if it does not stay."""
        clock = asyncio.get_running_loop()
        deaths, born = 0, clock.time()
        while self._child is not None:
            status = await self._child.wait()
            await self._child.stop()
            deaths = 0 if clock.time() - born > LONG_LIFE else deaths
            log.warning("local model died", model=settings.name, status=status, pause=pause(deaths))
            await asyncio.sleep(pause(deaths))
            deaths, born = deaths + 1, clock.time()
            try:
                self._child = await Child.start(settings, self._start_timeout)
            except (LocalUnavailable, OSError, ValueError) as error:
                log.warning("local model does not start", model=settings.name, reason=str(error))


def pause(deaths: int) -> float:
    """Seconds to wait before a restart, after so many recent deaths."""
    return min(2.0 ** (deaths - 1), LONGEST_PAUSE) if deaths else 0.0


def cores() -> int:
    """The cores that this process may use, at most MOST_THREADS.

    One thread more than there are cores makes llama.cpp 3 times slower, and a container may show
    more cores than it gets.
    """
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min(usable or 1, MOST_THREADS)
