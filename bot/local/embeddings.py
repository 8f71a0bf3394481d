"""The server of a model's embeddings, which is there while it is asked.

It is one of its own: a llama.cpp that can do both lets an embedding wait for the end of all answers
that are under way, and a long input would grow the memory of the one that chats.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import structlog

from bot.local.child import Settings
from bot.local.served import Place
from bot.local.serving import LlamaServer
from bot.ports import Clock

IDLE = 600.0  # seconds without a request, after which it ends
# llama.cpp computes a float for each token of an input and each of the vocabulary, and keeps two of
# them: 0.8 GB for so many tokens of the model that comes with the bot.
MOST_TOKENS = 2048

log = structlog.get_logger(__name__)


class Embeddings:
    """The embeddings of a model, of whose context one input has MOST_TOKENS at most."""

    def __init__(self, settings: Settings, start_timeout: float, clock: Clock) -> None:
        longest = min(settings.slot_context, MOST_TOKENS)
        self._settings = replace(settings, slot_context=longest, adapters=(), embeds=True)
        self._start_timeout = start_timeout
        self._clock = clock
        self._server: LlamaServer | None = None
        self._moving = asyncio.Lock()
        self._answering = 0
        self._resting: asyncio.Task[None] | None = None  # until it sees to the server's end
        self._ending: set[asyncio.Task[None]] = set()

    @property
    def pids(self) -> list[int]:
        """Its process, where it runs."""
        return [self._server.pid] if self._server else []

    @asynccontextmanager
    async def using(self) -> AsyncIterator[Place]:
        """Where embeddings are made, as long as this lasts. Raises LocalUnavailable."""
        self._answering += 1
        if self._resting:
            self._resting.cancel()
            self._resting = None
        try:
            server = await self._started()
            yield Place(server.base_url, server.key, {})
        finally:
            self._answering -= 1
            if self._server and not self._answering:
                self._rest(self._server)

    async def stop(self) -> None:
        """End the server. Answers that it was giving break."""
        if self._resting:
            self._resting.cancel()
        await asyncio.gather(*self._ending, return_exceptions=True)
        async with self._moving:
            server, self._server = self._server, None
            if server:
                await server.stop()

    async def _started(self) -> LlamaServer:
        async with self._moving:
            if self._server is None:
                server = LlamaServer(self._settings, self._start_timeout)
                await server.start()
                self._server = server
                log.info("local model makes embeddings", model=self._settings.name)
            return self._server

    def _rest(self, server: LlamaServer) -> None:
        self._resting = asyncio.create_task(self._end_idle(server), name="end idle embeddings")
        self._ending.add(self._resting)
        self._resting.add_done_callback(self._ending.discard)

    async def _end_idle(self, server: LlamaServer) -> None:
        """End a server that is not asked again; who asks meanwhile cancels this."""
        await self._clock.sleep(IDLE)
        # From here on it ends: whoever asks now gets another.
        self._resting, self._server = None, None
        await server.stop()
        log.info("local model makes no embeddings now", model=self._settings.name)
