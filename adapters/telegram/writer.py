"""Puts texts and files into one chat, at its pace, and takes no for an answer only where it is one.

An edit may be repeated, a send may not: one whose answer got lost is looked for before it is sent
again (see adapters.telegram.ledger). If it is not found there it is sent again: a text twice is
less bad than none. In a topic it is not looked for, as an edit might hit another topic's text. A
file cannot be looked for at all: one whose answer got lost is sent twice.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import structlog
from telegram import InlineKeyboardMarkup as Keyboard
from telegram import LinkPreviewOptions, Message, ReplyParameters
from telegram.error import BadRequest, ChatMigrated, RetryAfter, TelegramError

from adapters.telegram.account import Account
from adapters.telegram.api import Doubtful, failure, says, wait_asked
from adapters.telegram.doubts import Doubts
from adapters.telegram.format import Formatted
from adapters.telegram.formatting import LOST, SAME, with_formatting
from adapters.telegram.pacer import Urgency
from adapters.telegram.place import Place, handle_of, message_of
from adapters.telegram.upload import MOST_UPLOAD, upload
from bot.errors import DeliveryError, DeliveryRefused
from bot.messages import Document

T = TypeVar("T")
NO_THREAD = ("thread not found", "TOPIC_DELETED", "TOPIC_CLOSED")
NO_PREVIEW = LinkPreviewOptions(is_disabled=True)

log = structlog.get_logger()


class Writer:
    """One reply's hand. Raises DeliveryError and DeliveryRefused, as bot.ports says."""

    def __init__(self, account: Account, place: Place) -> None:
        self._account = account
        self._api = account.api
        self._pacer = account.pacer
        self._place = place
        self._doubts = Doubts(account.ledger)
        self._answered = False
        place.go_to(account.moves.now(place.chat))

    @property
    def chat(self) -> int:
        """Where it goes."""
        return self._place.chat

    async def send(
        self, name: str, text: Formatted, urgency: Urgency, keyboard: Keyboard | None = None
    ) -> str:
        """Post a text; returns its handle. `name` is the same when it is tried again."""
        found = await self._find(name, text, keyboard)
        message = found or await self._post(name, text, urgency, keyboard)
        self._doubts.end(name)
        self._arrived(message)
        return handle_of(self.chat, message)

    def close(self) -> None:
        """Nothing is looked for any more."""
        self._doubts.close()

    async def edit(
        self, handle: str, text: Formatted, urgency: Urgency, keyboard: Keyboard | None = None
    ) -> bool:
        """Give a message another text; False where it does not stand any more."""
        message = message_of(handle, self.chat)
        return bool(message) and await self._edit(message, text, urgency, keyboard)

    async def _edit(
        self, message: int, text: Formatted, urgency: Urgency, keyboard: Keyboard | None
    ) -> bool:
        await self._turn(urgency)

        async def edit(shown: Formatted) -> object:
            return await self._api.edit_message_text(
                shown.text,
                self.chat,
                message,
                entities=shown.entities,
                link_preview_options=NO_PREVIEW,
                reply_markup=keyboard,
            )

        try:
            await with_formatting(edit, text)
        except ChatMigrated as error:
            await self._follow(error)
            return False
        except TelegramError as error:
            if says(error, *LOST):
                return False
            if not says(error, SAME):
                raise self._failure(error) from None
        return True

    async def delete(self, handle: str) -> None:
        """Take a message away, if it stands."""
        message = message_of(handle, self.chat)
        if not message:
            return
        try:
            await self._api.delete_message(self.chat, message)
        except BadRequest as error:
            log.info("message not deleted", chat=self.chat, reason=error.message)
        except TelegramError as error:
            raise self._failure(error) from None

    async def attach(self, document: Document) -> None:
        """Post a file."""
        if len(document.content) > MOST_UPLOAD:
            raise DeliveryRefused(f"{document.name} is larger than Telegram takes, 50 MB.")
        await self._turn(Urgency.FINAL)
        try:
            posted = await upload(self._api, document, self._here)
        except TelegramError as error:
            raise self._failure(error) from None
        self._arrived(posted.message_id)

    def _arrived(self, message: int) -> None:
        self._answered = True
        self._account.ledger.saw(self.chat, message)

    async def _post(
        self, name: str, text: Formatted, urgency: Urgency, keyboard: Keyboard | None
    ) -> int:
        """Send a text, and remember the doubt if nobody says whether it arrived."""
        await self._turn(urgency)
        self._doubts.begin(name, self.chat)

        async def send(shown: Formatted) -> Message:
            return await self._here(
                lambda where: self._api.send_message(
                    text=shown.text,
                    entities=shown.entities,
                    link_preview_options=NO_PREVIEW,
                    reply_markup=keyboard,
                    **where,
                )
            )

        try:
            return (await with_formatting(send, text)).message_id
        except TelegramError as error:
            why = self._failure(error)
            if not isinstance(why, Doubtful):
                self._doubts.end(name)
            raise why from None

    async def _find(self, name: str, text: Formatted, keyboard: Keyboard | None) -> int:
        """The message that an earlier try posted, 0 if none is found."""
        places = () if self._place.thread else self._doubts.places(name, self.chat)
        for message in places:
            free = message in self._doubts.places(name, self.chat)  # also after the last edit
            if free and await self._edit(message, text, Urgency.FINAL, keyboard):
                log.info("message found", chat=self.chat, message=message)
                return message
        return 0

    async def _turn(self, urgency: Urgency) -> None:
        """What is final waits here; what grows comes again with a newer text."""
        if urgency >= Urgency.FIRST:
            self._pacer.at_once(self.chat, urgency)
        else:
            await self._pacer.turn(self.chat, urgency)

    async def _here(self, call: Callable[[dict[str, Any]], Awaitable[T]]) -> T:
        """Make a call where the chat is now: groups move, topics are deleted."""
        try:
            return await call(self._where())
        except ChatMigrated as error:
            await self._follow(error)
        except BadRequest as error:
            if not self._place.thread or not says(error, *NO_THREAD):
                raise
            self._place.thread = None
        return await call(self._where())

    def _where(self) -> dict[str, Any]:
        reply = None
        if self._place.message and not self._answered:
            reply = ReplyParameters(self._place.message, allow_sending_without_reply=True)
        thread = self._place.thread
        return {"chat_id": self.chat, "message_thread_id": thread, "reply_parameters": reply}

    async def _follow(self, moved: ChatMigrated) -> None:
        """The group is a supergroup now, with another id."""
        before = self.chat
        self._place.go_to(moved.new_chat_id)
        if self._account.moves.learn(before, moved.new_chat_id):
            await self._account.moves.carry(before)

    def _failure(self, error: TelegramError) -> DeliveryError:
        """What a call failed by; the chat is left alone if Telegram asks for that."""
        if isinstance(error, RetryAfter):
            self._pacer.hold(self.chat, wait_asked(error))
        return failure(error)
