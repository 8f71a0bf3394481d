"""The servers of a model: one at a time, but while it is replaced.

llama.cpp takes no adapters once it runs (facts/local-models.md). So a second server is started with
the adapters that are wanted, new requests move over, and the first ends with its last answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from typing import Any

import structlog

from bot.local.child import Settings
from bot.local.embeddings import Embeddings
from bot.local.served import Place
from bot.local.serving import START_TIMEOUT, LlamaServer
from bot.local.version import version
from bot.ports import Clock, SystemClock

MOST_ADAPTERS = 8  # loaded at once, 20 MB each; the one that was not asked for the longest goes

log = structlog.get_logger(__name__)


class Generation:
    """A server, the versions of the adapters that it has loaded, and how many answers it gives."""

    def __init__(self, server: LlamaServer, versions: Mapping[str, str]) -> None:
        self.server = server
        self.versions = versions
        self.answering = 0
        self.idle = asyncio.Event()
        self.idle.set()

    def scales(self, adapter: str) -> list[dict[str, Any]]:
        """`lora` of a request: all adapters by their ids. One that is not named would have the
        scale of the request before.
        """
        return [
            {"id": id_, "scale": float(path == adapter)}
            for id_, path in enumerate(self.server.adapters)
        ]


class Generations:
    """A model, whatever adapters it is asked for."""

    def __init__(
        self,
        settings: Settings,
        start_timeout: float = START_TIMEOUT,
        clock: Clock | None = None,
    ) -> None:
        self._embeddings = Embeddings(settings, start_timeout, clock or SystemClock())
        self._settings = settings
        self._start_timeout = start_timeout
        self._current: Generation | None = None
        self._recent: list[str] = []  # adapters, the one that was asked for last at the end
        self._moving = asyncio.Lock()
        self._ending: dict[asyncio.Task[None], Generation] = {}

    @property
    def alive(self) -> bool:
        return self._current is not None and self._current.server.alive

    @property
    def adapters(self) -> tuple[str, ...]:
        """The files that are loaded."""
        return self._current.server.adapters if self._current else ()

    @property
    def answering(self) -> int:
        """How many answers are given or wait for a slot."""
        return sum(each.answering for each in self._all())

    @property
    def pids(self) -> list[int]:
        """The processes of all servers, but that for embeddings."""
        return [each.server.pid for each in self._all()]

    @property
    def embedding_pids(self) -> list[int]:
        """The process that makes embeddings, where it runs."""
        return self._embeddings.pids

    async def start(self) -> None:
        """Serve the base. Raises LocalUnavailable."""
        await self._move(())

    async def stop(self) -> None:
        """End all servers. Answers that they were giving break."""
        await self._embeddings.stop()
        for task in list(self._ending):
            task.cancel()
        await asyncio.gather(*self._ending, return_exceptions=True)
        if self._current:
            await self._current.server.stop()

    @asynccontextmanager
    async def using(self, adapter: str) -> AsyncIterator[Place]:
        """A server with an adapter, "" for the base, which stays as long as this lasts.

        Raises LocalUnavailable where llama.cpp cannot load it; the others are not hurt.
        """
        generation = await self._with(adapter)
        generation.answering += 1
        generation.idle.clear()
        try:
            server = generation.server
            yield Place(
                server.base_url,
                server.key,
                {"lora": generation.scales(adapter)},
                f"{server.base_url.removesuffix('/v1')}/props",
            )
        finally:
            generation.answering -= 1
            if not generation.answering:
                generation.idle.set()

    def embedding(self) -> AbstractAsyncContextManager[Place]:
        """Where the base makes embeddings, as long as this lasts. Raises LocalUnavailable."""
        return self._embeddings.using()

    async def forget(self, *adapters: str) -> None:
        """Have adapters loaded no more, so that their files may be deleted."""
        async with self._moving:
            self._recent = [each for each in self._recent if each not in adapters]
            left = tuple(each for each in self._present() if each not in adapters)
            if left != self.adapters:
                await self._move(left)

    async def _with(self, adapter: str) -> Generation:
        if adapter:
            self._recent = [*(each for each in self._recent if each != adapter), adapter]
        if not self._serves(adapter):
            async with self._moving:
                if not self._serves(adapter):
                    known = {*self._present(), adapter}
                    wanted = [each for each in self._recent if each in known]
                    await self._move(tuple(wanted[-MOST_ADAPTERS:]))
        assert self._current is not None  # noqa: S101 - started before anything is asked
        return self._current

    def _serves(self, adapter: str) -> bool:
        """Whether this one is loaded, and no other that is not there any more: another process may
        have deleted it, and the server could not be started again.
        """
        present = self._present()
        return adapter in {"", *present} and len(present) == len(self.adapters)

    def _present(self) -> list[str]:
        """The adapters that are loaded as their files are now."""
        loaded = self._current.versions if self._current else {}
        return [each for each, was in loaded.items() if was and version(each) == was]

    async def _move(self, adapters: tuple[str, ...]) -> None:
        versions = {each: version(each) for each in adapters}  # before they are read
        server = LlamaServer(replace(self._settings, adapters=adapters), self._start_timeout)
        await server.start()
        log.info("local model serves", model=self._settings.name, adapters=len(adapters))
        before, self._current = self._current, Generation(server, versions)
        if before:
            ending = asyncio.create_task(self._end(before), name="end a local model")
            self._ending[ending] = before
            ending.add_done_callback(self._ending.pop)

    async def _end(self, generation: Generation) -> None:
        """End a server after its last answer."""
        try:
            await generation.idle.wait()
        finally:
            await generation.server.stop()

    def _all(self) -> list[Generation]:
        return [*self._ending.values(), *([self._current] if self._current else [])]
