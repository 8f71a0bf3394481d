"""What the core offers to adapters: each method is described in bot.ports.Core."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import suppress

import structlog

from bot.access import Access, Rank
from bot.commands import infos
from bot.completion import Completions
from bot.files import Files
from bot.inbox import Inbox
from bot.messages import (
    Chunk,
    ConversationId,
    IncomingMessage,
    Person,
    Profile,
    RawEvent,
    Receipt,
    Said,
    Spent,
    Summary,
    Turn,
)
from bot.models.profiles import Profiles
from bot.ports import Check, Clock, CommandInfo, Door
from bot.store import Store, conversations, feedback, questions, shelf, turns, usage

MOST_LISTED = 500  # conversations of a channel
READY_SECONDS = 15.0
STOP_SECONDS = 5.0  # for what runs in a conversation that is deleted

log = structlog.get_logger()


class Tunebot:
    """The front of everything that adapters ask for. `look` tries all that must work."""

    def __init__(
        self,
        store: Store,
        inbox: Inbox,
        completions: Completions,
        profiles: Profiles,
        access: Access,
        clock: Clock,
        *,
        greeting: str,
        operators: Sequence[str],
        doors: Sequence[Door],
        files: Files,
        look: Callable[[], Awaitable[Sequence[Check]]],
    ) -> None:
        self.greeting = greeting
        self.operators = operators
        self.doors = doors
        self.files = files.folder
        self._files = files
        self._store = store
        self._inbox = inbox
        self._completions = completions
        self._profiles = profiles
        self._access = access
        self._clock = clock
        self._look = look
        self._looking = asyncio.Lock()
        self._looked = float("-inf")
        self._found: Sequence[Check] = ()

    @property
    def commands(self) -> Sequence[CommandInfo]:
        """Every command."""
        return infos()

    @property
    def profiles(self) -> Sequence[Profile]:
        """The default one, then the others."""
        return sorted(self._profiles.all(), key=lambda p: p.name != self._profiles.default)

    async def shelve(
        self, adapter: str, events: Sequence[tuple[str, str]]
    ) -> Sequence[RawEvent | None]:
        """Commit what nobody has read."""
        return await self._store.do(shelf.put, adapter, events, self._clock.now())

    async def shelved(self, adapter: str) -> Sequence[RawEvent]:
        """What an earlier run left."""
        return await self._store.insist(shelf.left, adapter)

    async def take_down(self, *events: RawEvent) -> None:
        """Events are dealt with."""
        await self._store.insist(shelf.take_down, [event.id for event in events])

    async def set_aside(self, event: RawEvent) -> None:
        """Keep what could not be read."""
        log.warning("not readable, set aside", characters=len(event.raw))
        await self._store.insist(shelf.set_aside, event.id, self._clock.now())

    def admits(self, person: Person) -> bool:
        """Whether a person is no stranger."""
        return self._access.rank(person.id) > Rank.STRANGER

    async def receive(self, message: IncomingMessage) -> Receipt:
        """Commit a message."""
        return await self._inbox.receive(message)

    async def idle(self, conversation: ConversationId) -> None:
        """Wait until a conversation has nothing to do."""
        await self._inbox.idle(conversation)

    async def said(self, conversation: ConversationId, question_id: str) -> Said | None:
        """What was said to a question."""
        return await self._store.do(questions.said, conversation, question_id)

    async def withdraw(self, conversation: ConversationId, question_id: str) -> None:
        """Answer a question no more."""
        await self._inbox.withdraw(conversation, question_id)

    async def history(
        self, conversation: ConversationId, before: int = 0, most: int = 50
    ) -> Sequence[Turn]:
        """The newest turns."""
        return await self._store.insist(turns.history, conversation, before, most)

    async def chosen(self, conversation: ConversationId) -> Profile:
        """Who answers in a conversation."""
        settings = await self._store.insist(conversations.settings, conversation)
        return self._profiles.chosen(settings.profile, settings.system)

    async def conversations(self, adapter: str, channel: str) -> Sequence[Summary]:
        """The conversations of a channel."""
        return await self._store.insist(conversations.listed, adapter, channel, MOST_LISTED)

    async def delete(self, conversation: ConversationId) -> None:
        """Delete a conversation."""
        kept = await self._files.kept()
        await self._inbox.delete(conversation)
        with suppress(TimeoutError):  # what ran is stored once more, and taken away again
            async with asyncio.timeout(STOP_SECONDS):
                await self._inbox.idle(conversation)
        await self._store.scrub()
        await self._files.delete(kept - await self._files.kept())

    async def move(self, adapter: str, channel: str, to: str) -> None:
        """Give a channel's conversations its new id."""
        await self._inbox.move(adapter, channel, to)

    async def feedback(
        self, adapter: str, channel: str, handle: str, person: Person, value: int
    ) -> bool:
        """Store what a person thinks of an answer."""
        now = self._clock.now()
        return await self._store.insist(
            feedback.give, adapter, channel, handle, person.id, value, now
        )

    async def spent(self, person: Person) -> tuple[Spent, Spent]:
        """What a person used."""
        today = usage.day_of(self._clock.now())
        return (
            await self._store.insist(usage.of_person, person.id, today),
            await self._store.insist(usage.of_person, person.id),
        )

    def complete(
        self, person: Person, profile: Profile, turns: Sequence[Turn]
    ) -> AsyncGenerator[Chunk, None]:
        """An answer outside of any conversation."""
        return self._completions.stream(person, profile, turns)

    async def ready(self) -> Sequence[Check]:
        """What works, looked at again when it is too old."""
        async with self._looking:
            if not 0 <= self._clock.now() - self._looked < READY_SECONDS:
                self._found = await self._look()
                self._looked = self._clock.now()
        return self._found
