"""What a model is reminded of: the turns that fit its window, and a summary of those before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import structlog

from bot import context, prompt
from bot.attachments import pictures, read_out
from bot.errors import ContextTooLong, ModelError
from bot.messages import Chunk, Price, Profile, Role, Turn, Usage
from bot.models.prices import cost
from bot.models.tokens import Tokens, upper_bound, window
from bot.ports import Clock, ModelClient
from bot.store import Store, answers
from bot.store.answers import Asked

SUMMARY_PROMPT = (
    "Summarise the conversation below for someone who goes on with it: who wants what, what was "
    "decided, names, numbers and open questions. At most 150 words, no introduction."
)
MARGIN = 0.9  # of a window that a refusal named: the provider counts other tokens than we do

log = structlog.get_logger()


class Recall:
    """Fits conversations to windows. What a model's refusals say of its window is remembered."""

    def __init__(
        self,
        store: Store,
        model: ModelClient,
        tokens: Tokens,
        prices: Mapping[str, Price],
        clock: Clock,
    ) -> None:
        self._store = store
        self._model = model
        self._tokens = tokens
        self._prices = prices
        self._clock = clock
        self._rooms: dict[tuple[str, str], int] = {}

    async def body(self, asked: Asked, profile: Profile) -> dict[str, Any]:
        """The request for an answer, with as much of the conversation as the window holds."""
        room = context.room(profile, profile.context or window(profile.model))
        room = min(room, self._rooms.get((profile.provider, profile.model), room))
        asked.turns = await read_out(asked.turns, sees=profile.vision)
        return await self._within(room, asked, profile)

    async def shorter(
        self, asked: Asked, profile: Profile, sent: Mapping[str, Any], refusal: ContextTooLong
    ) -> dict[str, Any]:
        """The request for a second try, after one was refused as too long.

        It fits the window that the refusal names. Where it names none, or we had counted that the
        first one fits, our count is not the model's: half of what was sent will do.
        """
        await self._tokens.loaded(profile.model)
        counted = self._tokens.count_request(sent)
        room = context.room(profile, int(refusal.window * MARGIN))
        believed = refusal.window and counted > room
        self._rooms[profile.provider, profile.model] = room if believed else counted * 3 // 4
        return await self._within(room if believed else counted // 2, asked, profile)

    async def _within(self, room: int, asked: Asked, profile: Profile) -> dict[str, Any]:
        """The request for an answer in `room` tokens."""
        # A model of single questions has never seen what stands before one.
        reminded = profile.summarise or profile.history > 1
        summary = asked.settings.summary if reminded else ""
        kept = await self._fitting(asked.turns, profile, room, summary)
        if profile.summarise and len(kept) < len(asked.turns):
            # Half as many as would fit, so that the next turns need no summary of their own.
            kept = context.fit(kept, len(kept) // 2)
            left_out = asked.turns[: len(asked.turns) - len(kept)]
            summary = await self._summary(asked, profile, left_out, room)
        seen = await pictures(kept) if profile.vision else {}
        return prompt.request_body(profile, kept, summary, go_on=asked.go_on, pictures=seen)

    async def _fitting(
        self, said: Sequence[Turn], profile: Profile, room: int, summary: str
    ) -> list[Turn]:
        """The newest turns that fit. They are only counted where a quick bound does not do."""
        before = profile.system + summary
        wanted = context.fit(said, profile.history)
        if upper_bound(before) + context.tokens_of(wanted, upper_bound) <= room:
            return wanted
        await self._tokens.loaded(profile.model)
        return context.fit(
            said,
            profile.history,
            room,
            lambda text: self._tokens.count(profile.model, text),
            before,
        )

    async def _summary(
        self, asked: Asked, profile: Profile, left_out: Sequence[Turn], room: int
    ) -> str:
        """A summary of the old one and what is left out now; the old one if the model fails."""
        old = asked.settings.summary
        said = context.fit(left_out, len(left_out), room, upper_bound, SUMMARY_PROMPT + old)
        lines = [f"{turn.role.value}: {turn.text}" for turn in said]
        messages = [
            {"role": "system", "content": SUMMARY_PROMPT},
            {
                "role": Role.USER.value,
                "content": "\n".join([*([prompt.remembered(old)] if old else []), *lines]),
            },
        ]
        body = {"model": profile.model, **profile.params, "messages": messages}
        chunks: list[Chunk] = []
        try:
            async with aclosing(self._model.stream(replace(profile, stop=()), body)) as stream:
                chunks = [chunk async for chunk in stream]
        except ModelError as error:
            log.warning("summary failed", error=type(error).__name__)
        summary = "".join(chunk.text for chunk in chunks).strip()
        if not summary:
            return old
        used = chunks[-1].usage or Usage()
        price = cost(self._prices, profile.model, used)
        await self._store.insist(
            answers.summarise,
            asked,
            summary,
            left_out[-1].id,
            profile.model,
            used,
            price,
            self._clock.now(),
        )
        return summary
