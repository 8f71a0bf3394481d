"""An answer outside of any conversation: nothing is remembered of it but its tokens."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing

import structlog

from bot import metrics
from bot.access import Access
from bot.messages import Chunk, ConversationId, Person, Price, Profile, Turn, Usage
from bot.models.prices import cost
from bot.models.slots import Slots
from bot.models.tokens import Tokens
from bot.ports import Clock, ModelClient
from bot.prompt import request_body
from bot.store import Store, usage
from bot.store.conversations import row_of

log = structlog.get_logger()


class Completions:
    """Passes turns on to a model, within the rights, the rate and the budget of who asks."""

    def __init__(
        self,
        store: Store,
        model: ModelClient,
        tokens: Tokens,
        prices: Mapping[str, Price],
        access: Access,
        clock: Clock,
        slots: Slots,
    ) -> None:
        self._store = store
        self._model = model
        self._tokens = tokens
        self._prices = prices
        self._access = access
        self._clock = clock
        self._slots = slots

    async def stream(
        self, person: Person, profile: Profile, turns: Sequence[Turn]
    ) -> AsyncGenerator[Chunk, None]:
        """See bot.ports.Core.complete."""
        await self._admit(person)
        body = request_body(profile, turns)
        text, used = [], Usage()
        try:
            async with (
                self._slots[profile.provider],
                aclosing(self._model.stream(profile, body)) as chunks,
            ):
                async for chunk in chunks:
                    text.append(chunk.text)
                    used = chunk.usage or used
                    yield chunk
        finally:
            # Who asked may have gone before the count came: it was paid for all the same.
            if used == Usage() and any(text):
                used = await self._tokens.used(body, "".join(text))
            if used != Usage():
                await self._count(person, profile, used)

    async def _admit(self, person: Person) -> None:
        """Raise AccessDenied or TooFast for somebody who may not ask now."""
        now = self._clock.now()
        self._access.admit(person, now)
        self._access.count(person.id, now)
        await self._access.require_budget(person.id, now)

    async def _count(self, person: Person, profile: Profile, used: Usage) -> None:
        """Remember what an answer took."""
        log.info(
            "completed",
            profile=profile.name,
            prompt_tokens=used.prompt_tokens,
            completion_tokens=used.completion_tokens,
        )
        metrics.tokens.labels(profile.name, "prompt").inc(used.prompt_tokens)
        metrics.tokens.labels(profile.name, "completion").inc(used.completion_tokens)
        nowhere = ConversationId(person.id.partition(":")[0], "")
        price = cost(self._prices, profile.model, used)
        await self._store.insist(
            lambda db: usage.add(
                db, self._clock.now(), person.id, row_of(db, nowhere), profile.model, used, price
            )
        )
