"""From the shelf to the core: in order for a conversation, side by side across them. Only /stop
waits for nothing.

An envelope stays on the shelf until what it means is committed: after a crash it is read again.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import replace
from itertools import count
from typing import Any, TypeVar

import structlog

from adapters.slack.account import Account
from adapters.slack.addressed import Meant
from adapters.slack.events import Did, Moved, Throttled, Written, read
from adapters.slack.files import Files, forget
from adapters.slack.hearing import Heard, Hearing
from adapters.slack.interactions import Interactions
from adapters.slack.recent import Recent
from bot.errors import BotError, StoreError
from bot.messages import ConversationId, IncomingMessage, Person, RawEvent, Receipt, ReplyTo
from bot.ports import Core, Sink

T = TypeVar("T")
Work = Callable[[], Coroutine[Any, Any, None]]
LONGEST_BACKOFF = 30.0  # seconds between two tries to store something
MOST_RECENT = 10_000  # messages and conversations that are known without asking the store

log = structlog.get_logger()


class Intake:
    """Reads envelopes from the shelf. `sink` makes what sentences about files are said through."""

    def __init__(
        self,
        core: Core,
        account: Account,
        hearing: Hearing,
        files: Files,
        interactions: Interactions,
        sink: Callable[[ReplyTo], Sink],
        *,
        mentions_only: bool,
    ) -> None:
        self._core = core
        self._account = account
        self._hearing = hearing
        self._files = files
        self._interactions = interactions
        self._sink = sink
        self._mentions_only = mentions_only
        self._taking_part: Recent[ConversationId] = Recent(MOST_RECENT)
        self._known: Recent[str] = Recent(MOST_RECENT)
        self._newest: dict[str, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def take(self, event: RawEvent) -> None:
        """Begin with an envelope."""
        try:
            meaning = read(json.loads(event.raw), self._account.bot_user)
        except Exception as error:  # whatever is hostile or malformed, it spoils nothing else
            log.warning("envelope not read", reason=type(error).__name__)
            self._start("", lambda: self._core.set_aside(event))
            return
        match meaning:
            case Written():
                heard = self._hearing.heard(meaning)
                queue = "" if heard.stops else heard.queue
                self._start(queue, lambda: self._hear(heard, event), event)
            case Did():
                self._start(meaning.queue, lambda: self._do(meaning, event), event)
            case Moved():
                self._start("", lambda: self._move(meaning, event), event)
            case Throttled():
                log.warning("Slack withholds events: more than 30,000 came within an hour.")
                self._start("", lambda: self._core.take_down(event))
            case None:
                self._start("", lambda: self._core.take_down(event))

    def stop(self, to: ReplyTo) -> None:
        """Somebody stopped an answer by Slack's own button."""
        if not self._interactions.stop_is_new(to.conversation):
            return
        message = IncomingMessage(to.conversation, Person(to.person), "/stop", (), to.origin)
        self._start("", lambda: self._stop(message))

    async def close(self) -> None:
        """End what still runs: the next start finds it on the shelf."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(self, queue: str, work: Work, event: RawEvent | None = None) -> None:
        """Do something after what came before it in a queue; "" is at once."""
        before = self._newest.get(queue) if queue else None
        task = asyncio.create_task(self._after(before, work, event), name=f"read {queue}")
        if queue:
            self._newest[queue] = task
        self._tasks.add(task)
        task.add_done_callback(lambda done: self._forget(queue, done))

    def _forget(self, queue: str, done: asyncio.Task[None]) -> None:
        self._tasks.discard(done)
        if self._newest.get(queue) is done:
            del self._newest[queue]

    async def _after(
        self, before: asyncio.Task[None] | None, work: Work, event: RawEvent | None
    ) -> None:
        try:
            if before:
                await asyncio.wait([before])
            await work()
        except Exception:  # a bug does not end the intake, and its envelope is kept
            log.exception("envelope not taken")
            if event is not None:
                await self._core.set_aside(event)

    async def _hear(self, heard: Heard, event: RawEvent) -> None:
        """Hand in what a person wrote, if it is for the bot."""
        if heard.written.key in self._known or not await self._is_meant(heard):
            await self._core.take_down(event)
            return
        message = await self._hearing.message(heard, event)
        admitted = self._core.admits(message.person)
        attachments, sentences = await self._files.fetch(heard.written.files if admitted else ())
        message = replace(message, attachments=tuple(attachments))
        if sentences:
            self._start("", lambda: self._tell(message, " ".join(sentences)))
        # A stranger is told of it, whatever was left of the message.
        if message.text or attachments or not admitted:
            await self._hand_in(message)
        else:
            await self._core.take_down(event)
        self._known.add(heard.written.key)

    async def _is_meant(self, heard: Heard) -> bool:
        """Whether a message is for the bot: in a thread where it takes part, all may be."""
        if heard.meant is not Meant.IN_ITS_THREADS:
            return heard.meant is Meant.YES
        if self._mentions_only:
            return False
        where = heard.conversation
        if heard.written.below:
            return True
        return where in self._taking_part or bool(await self._core.history(where, most=1))

    async def _hand_in(self, message: IncomingMessage) -> None:
        """Whoever is cancelled here does not know whether the core has the message, and its files
        with it.
        """
        receipt = await self._insist(lambda: self._core.receive(message))
        if receipt is Receipt.ACCEPTED:
            self._account.fresh.add((message.conversation.channel, message.origin))
        else:
            forget(message.attachments)
        if receipt is not Receipt.REFUSED:
            self._taking_part.add(message.conversation)

    async def _tell(self, message: IncomingMessage, sentence: str) -> None:
        to = ReplyTo(
            message.conversation,
            f"files of {message.keys[0]}",
            message.origin,
            message.person.id,
            private=True,
        )
        sink = self._sink(to)
        with suppress(BotError):
            await sink.finish(0, sentence, "", failed=True)
        await sink.close()

    async def _do(self, did: Did, event: RawEvent) -> None:
        deed = getattr(self._interactions, did.deed)
        await self._insist(lambda: deed(did.payload, event))

    async def _move(self, moved: Moved, event: RawEvent) -> None:
        await self._core.move(self._account.name, moved.channel, moved.to)
        await self._core.take_down(event)

    async def _stop(self, message: IncomingMessage) -> None:
        await self._insist(lambda: self._core.receive(message))

    async def _insist(self, step: Callable[[], Awaitable[T]]) -> T:
        """Try until the store has taken it."""
        for attempt in count():
            try:
                return await step()
            except StoreError as error:
                if not attempt:
                    log.warning("envelope waits for the store", reason=str(error))
                await self._account.clock.sleep(backoff(attempt, LONGEST_BACKOFF))
        raise AssertionError


def backoff(attempt: int, longest: float) -> float:
    """Seconds before the next try: doubling, jittered by a quarter."""
    return float(min(2.0 ** min(attempt, 10), longest) * random.uniform(0.75, 1.25))
