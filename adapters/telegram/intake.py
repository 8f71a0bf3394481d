"""Updates on their way to the core: in order for a conversation, side by side across them. Only
/stop waits for nothing.

An update is done with once its task has ended: it is committed then, or set aside. Only after that
may Telegram forget it.
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
from telegram import Update
from telegram.error import TelegramError

from adapters.telegram.account import Account
from adapters.telegram.buttons import Says
from adapters.telegram.files import Files, forget
from adapters.telegram.format import plain
from adapters.telegram.joined import Growing, Joiner, joined
from adapters.telegram.pacer import Urgency
from adapters.telegram.place import place_of
from adapters.telegram.updates import Heard, Pressed, Reacted, Reader
from adapters.telegram.writer import Writer
from bot.errors import BotError, StoreError
from bot.messages import ConversationId, IncomingMessage, Receipt, ReplyTo
from bot.ports import Core

T = TypeVar("T")
Work = Callable[[], Coroutine[Any, Any, None]]
OLD = "This button is old: ask again, please."
NOT_YOURS = "Only the person who was asked may press this."
LONGEST_BACKOFF = 30.0  # seconds between two tries to store something

log = structlog.get_logger()


class Intake:
    """Takes updates. A `patient` one tries until the store has them; else StoreError rises."""

    def __init__(
        self,
        core: Core,
        account: Account,
        reader: Reader,
        joiner: Joiner,
        files: Files,
        *,
        patient: bool,
    ) -> None:
        self._core = core
        self._account = account
        self._reader = reader
        self._joiner = joiner
        self._files = files
        self._patient = patient
        self._name = reader.name
        self._newest: dict[str, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def take(self, raw: Any) -> asyncio.Task[None]:
        """Begin with an update; the task ends when it may be forgotten."""
        try:
            update = Update.de_json(raw, None)
            if update.message:
                self._account.ledger.saw(update.message.chat.id, update.message.message_id)
            meaning = self._reader.read(update)
        except Exception as error:  # whatever PTB cannot read, it spoils nothing else
            log.warning("update not read", reason=type(error).__name__)
            return self._start("", lambda: self._set_aside(raw))
        match meaning:
            case Heard():
                growing = self._joiner.add(meaning)
                if growing is None:
                    return self._start("", nothing)
                if growing.task is None:
                    stops = meaning.message.text.strip() == "/stop"  # now, whatever is waited for
                    queue = "" if stops else queue_of(meaning.message.conversation)
                    growing.task = self._start(queue, lambda: self._hear(growing), raw)
                return growing.task
            case Pressed():
                queue = queue_of(meaning.said.conversation)
                return self._start(queue, lambda: self._press(meaning), raw)
            case Reacted():
                thread = self._account.ledger.thread(meaning.chat, meaning.message)
                where = ConversationId(self._name, str(meaning.chat), thread)
                return self._start(queue_of(where), lambda: self._react(meaning, where), raw)
            case None:
                return self._start("", nothing)

    async def close(self) -> None:
        """End what still runs: Telegram delivers again what is not done."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(self, queue: str, work: Work, raw: Any = None) -> asyncio.Task[None]:
        """Do something after what came before it in a queue; "" is at once."""
        before = self._newest.get(queue) if queue else None
        task = asyncio.create_task(self._after(before, work, raw), name=f"take {queue}")
        self._newest[queue] = task
        self._tasks.add(task)
        task.add_done_callback(lambda done: self._forget(queue, done))
        return task

    def _forget(self, queue: str, done: asyncio.Task[None]) -> None:
        self._tasks.discard(done)
        if not done.cancelled():
            done.exception()  # who called the webhook may have hung up: nobody else looks at it
        if self._newest.get(queue) is done:
            del self._newest[queue]

    async def _after(self, before: asyncio.Task[None] | None, work: Work, raw: Any) -> None:
        try:
            if before:
                await asyncio.wait([before])
            await work()
        except StoreError:
            raise
        except Exception:  # a bug does not end polling, and its update is kept
            log.exception("update not taken")
            if raw is not None:
                await self._set_aside(raw)

    async def _set_aside(self, raw: Any) -> None:
        await self._insist(lambda: self._core.set_aside(self._name, json.dumps(raw)))

    async def _hear(self, growing: Growing) -> None:
        """Hand a message in, as one if it came in pieces."""
        pieces = await self._joiner.whole(growing)
        if not pieces:
            return
        receipt = await self._hand_in(joined(pieces))
        if receipt is Receipt.DUPLICATE and len(pieces) > 1:
            # One of them was handed in before and is delivered again; the others may be new.
            for piece in pieces:
                await self._hand_in(piece)

    async def _hand_in(self, heard: Heard) -> Receipt:
        """Hand in what was said, with its files."""
        attachments, sentences = await self._files.fetch(heard.files)
        receipt = Receipt.ACCEPTED
        try:
            if heard.message.text or attachments:
                message = replace(heard.message, attachments=tuple(attachments))
                receipt = await self._receive(message)
        except Exception:
            forget(attachments)
            raise
        if receipt is not Receipt.ACCEPTED:
            forget(attachments)
        elif sentences:
            self._chore(lambda: self._tell(heard.message, " ".join(sentences)))
        return receipt

    async def _press(self, pressed: Pressed) -> None:
        """Let a button say what it says, once, and tell the presser what became of it."""
        match pressed.button:
            case None:
                answer = OLD
            case Says() as button if not button.may(pressed.by):
                answer = NOT_YOURS
            case Says():
                receipt = await self._receive(pressed.said)
                answer = OLD if receipt is Receipt.DUPLICATE else ""
                if receipt is Receipt.ACCEPTED:
                    self._chore(lambda: self._bare(pressed))
            case opinion:
                said = pressed.said
                handle = str(pressed.message)
                known = await self._insist(
                    lambda: self._core.feedback(
                        said.conversation, handle, said.person, opinion.value
                    )
                )
                answer = "Thank you." if known else OLD
        self._chore(lambda: self._answer(pressed, answer))

    async def _react(self, reacted: Reacted, where: ConversationId) -> None:
        """Hand in what a person thinks of an answer."""
        handle = str(reacted.message)
        await self._insist(
            lambda: self._core.feedback(where, handle, reacted.person, reacted.value)
        )

    async def _receive(self, message: IncomingMessage) -> Receipt:
        return await self._insist(lambda: self._core.receive(message))

    async def _insist(self, step: Callable[[], Awaitable[T]]) -> T:
        """Try until the store has taken it."""
        for attempt in count():
            try:
                return await step()
            except StoreError as error:
                if not self._patient:
                    raise
                if not attempt:
                    log.warning("update waits for the store", reason=str(error))
                await self._account.clock.sleep(backoff(attempt, LONGEST_BACKOFF))
        raise AssertionError

    def _chore(self, work: Work) -> None:
        """Do something for which no update waits."""
        self._start("", work)

    async def _tell(self, message: IncomingMessage, sentence: str) -> None:
        to = ReplyTo(message.conversation, "", message.origin)
        with suppress(BotError):
            await Writer(self._account, place_of(to)).send("", plain(sentence), Urgency.ERROR)

    async def _bare(self, pressed: Pressed) -> None:
        """Take the buttons away."""
        with suppress(BotError, TelegramError):
            await self._account.pacer.turn(pressed.chat, Urgency.FIRST)
            await self._account.api.edit_message_reply_markup(pressed.chat, pressed.message)

    async def _answer(self, pressed: Pressed, text: str) -> None:
        """End the waiting of who pressed a button; after a minute Telegram takes it no more."""
        with suppress(TelegramError):
            await self._account.api.answer_callback_query(
                pressed.query, text or None, show_alert=bool(text)
            )


async def nothing() -> None:
    """An update that is nothing to the bot."""


def queue_of(where: ConversationId) -> str:
    """The name of a conversation's queue."""
    return f"{where.channel}/{where.thread}"


def backoff(attempt: int, longest: float) -> float:
    """Seconds before the next try: doubling, jittered by a quarter."""
    return float(min(2.0 ** min(attempt, 10), longest) * random.uniform(0.75, 1.25))
