"""The local provider: an OpenAI-compatible server on the loopback, kept alive."""

from __future__ import annotations

import asyncio
import os
import secrets
from dataclasses import replace
from pathlib import Path

import structlog

from bot.errors import LocalUnavailable
from bot.local.child import Child, Settings
from bot.local.model import model_name, model_path
from bot.messages import Provider

START_TIMEOUT = 120.0  # seconds
LONG_LIFE = 60.0  # seconds; a child that lived longer did not die of its start
LONGEST_PAUSE = 30.0  # seconds
MOST_THREADS = 8

log = structlog.get_logger(__name__)


class LocalServer:
    """A local provider's model behind HTTP. Every request needs `key` as its bearer token.

    The address and the key stay the same when the child dies and is started again. Until it
    answers, connections are refused, then requests get a 503: clients try again.
    """

    def __init__(
        self, provider: Provider, data_folder: Path, start_timeout: float = START_TIMEOUT
    ) -> None:
        self.model = model_name(provider)
        self.base_url = ""  # known once started
        self.key = secrets.token_urlsafe(32)
        self._provider = provider
        self._data_folder = data_folder
        self._start_timeout = start_timeout
        self._child: Child | None = None
        self._keeper: asyncio.Task[None] | None = None

    @property
    def alive(self) -> bool:
        """Whether the child runs at this moment."""
        return self._child is not None and self._child.alive

    async def start(self) -> None:
        """Fetch the model where it is missing, load it, and return when it answers.

        Raises ConfigError for a model_file that is none, LocalUnavailable for everything else.
        """
        path = await model_path(self._provider, self._data_folder)
        settings = Settings(
            model=str(path),
            name=self.model,
            slots=self._provider.slots,
            slot_context=self._provider.slot_context,
            threads=self._provider.threads or cores(),
            key=self.key,
        )
        self._child = await Child.start(settings, self._start_timeout)
        self.base_url = f"http://127.0.0.1:{self._child.port}/v1"
        settings = replace(settings, port=self._child.port)
        self._keeper = asyncio.create_task(self._keep(settings), name=f"keep {self.model}")

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
            log.warning("local model died", model=self.model, status=status, pause=pause(deaths))
            await asyncio.sleep(pause(deaths))
            deaths, born = deaths + 1, clock.time()
            try:
                self._child = await Child.start(settings, self._start_timeout)
            except (LocalUnavailable, OSError, ValueError) as error:
                log.warning("local model does not start", model=self.model, reason=str(error))


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
