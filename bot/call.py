"""One question to a model: what was sent, and how far the answer came."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import replace
from time import perf_counter
from typing import Any

from bot import metrics
from bot.errors import ContextTooLong
from bot.messages import Chunk, Profile
from bot.ports import ModelClient
from bot.recall import Recall
from bot.reply import Reply
from bot.store.answers import Asked


class ModelCall:
    """One question to a model: what was sent, and how far the answer came."""

    def __init__(
        self, recall: Recall, model: ModelClient, asked: Asked, profile: Profile, reply: Reply
    ) -> None:
        self.asked = asked
        self.profile = profile
        self.reply = reply
        self.body: dict[str, Any] = {}
        self.last = Chunk()
        self.shortened = False
        self._recall = recall
        self._model = model

    async def stream(self) -> None:
        """Let the reply grow to its end; a conversation over the window is shortened once."""
        self.body = await self._recall.body(self.asked, self.profile)
        try:
            await self._stream()
        except ContextTooLong as refusal:
            shorter = await self._recall.shorter(self.asked, self.profile, self.body, refusal)
            if shorter == self.body:
                raise
            self.body, self.shortened = shorter, True
            await self._stream()

    async def _stream(self) -> None:
        name, start = self.profile.name, perf_counter()
        # The rest of a cut answer does not begin as an answer does.
        profile = replace(self.profile, answer_prefix="") if self.asked.go_on else self.profile
        async with aclosing(self._model.stream(profile, self.body)) as chunks:
            async for chunk in chunks:
                if chunk.text:
                    if not self.reply.text:
                        metrics.first_token.labels(name).observe(perf_counter() - start)
                    self.reply.grow(chunk.text)
                elif chunk.waiting:
                    self.reply.wait(f"_{chunk.waiting}_")
                self.last = chunk
        metrics.answer_time.labels(name).observe(perf_counter() - start)
