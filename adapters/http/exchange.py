"""A question that somebody waits for, and how far its answer came."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace

from bot.errors import AccessDenied, ModelError, TooFast
from bot.messages import ConversationId, IncomingMessage, Receipt, Said
from bot.ports import Core

STOPPING = (
    "tunebot is stopping, or its database failed: once it was started again, ask again with the "
    "same question_id."
)
DELETED = "This question was deleted before it was answered; ask it again."

Key = tuple[ConversationId, str]


class Unanswered(ModelError):
    """Nothing is said to a question now; asking it again may help."""


@dataclass(frozen=True, slots=True)
class Growth:
    """The whole answer so far; or, before its first word, a sentence about why it takes a while."""

    text: str = ""
    waiting: str = ""


NOTHING = Growth()


class Exchange:
    """A question and how far its answer came. Several requests may follow it at once.

    `mark` goes with our message and comes back with its answer. An answer with another mark is ours
    where the core had the question before us; otherwise it belongs to a withdrawn one, which ends
    while the same id is asked anew.
    """

    def __init__(self) -> None:
        self.mark = secrets.token_hex(4)
        self.requests = 0
        self.withdraws = True
        self.receipt: Receipt | None = None
        self.asking: asyncio.Task[None] | None = None
        self.open = False
        self._said: Said | None = None
        self._core: Core
        self._key: Key
        self._growth = NOTHING
        self._writer = ""
        self._finished = False
        self._closed = False
        self._changed = asyncio.Event()

    @property
    def said(self) -> Said:
        """What was said, once `growths` have ended. Raises Unanswered before."""
        if self._said is None:
            raise Unanswered(STOPPING)
        return self._said

    @property
    def ended(self) -> bool:
        """Whether nothing more comes."""
        return self._closed or self._said is not None

    def __aiter__(self) -> AsyncGenerator[Growth, None]:
        """`growths`, however long the silence."""
        return self.growths()

    async def growths(self, silence: float | None = None) -> AsyncGenerator[Growth, None]:
        """The newest snapshot, each time that there is another, until all is said; the same again
        after so many seconds of `silence`. Raises Unanswered, StoreError.
        """
        seen = NOTHING
        while self._said is None:
            changed, closed = self._changed, self._closed
            if self._growth is not seen:
                yield (seen := self._growth)
            elif (self._finished or closed) and await self._ask_what_was_said():
                return
            elif closed:
                raise Unanswered(DELETED if self._finished else STOPPING)
            elif not await happens(changed, silence):
                yield seen

    async def begin(self, core: Core, message: IncomingMessage) -> None:
        """Have the question received, unless something was said to it already."""
        self._core = core
        self._key = (message.conversation, message.question_id)
        origin = f"{self.mark} {message.question_id}"
        try:
            self.receipt = await core.receive(replace(message, origin=origin))
        except (AccessDenied, TooFast):
            if await self._ask_what_was_said():
                return
            raise
        if self.receipt is Receipt.DUPLICATE:
            await self._ask_what_was_said()
        elif self._writer != self.mark:
            self._growth, self._finished, self._closed = NOTHING, False, False

    async def _ask_what_was_said(self) -> bool:
        if said := await self._core.said(*self._key):
            self._said = said
        return said is not None

    def written_by(self, mark: str) -> bool:
        """Whether a writer with that mark writes this answer, as far as is known yet."""
        return mark == self.mark or self.receipt is not Receipt.ACCEPTED

    def show(self, mark: str, growth: Growth) -> None:
        """The newest snapshot."""
        self.open, self._growth = True, growth
        self._change(mark)

    def finish(self, mark: str) -> None:
        """The core knows what was said, or will once the sink is closed."""
        self._finished = True
        self._change(mark)

    def close(self, mark: str = "") -> None:
        """Nothing more comes."""
        self.open, self._closed = False, True
        self._change(mark or self.mark)

    def _change(self, mark: str) -> None:
        self._writer = mark
        self._changed.set()
        self._changed = asyncio.Event()


async def happens(event: asyncio.Event, seconds: float | None) -> bool:
    """Whether an event happens within so many seconds."""
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False
