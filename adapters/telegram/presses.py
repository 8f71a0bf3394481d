"""What people do to messages of the bot: press their buttons, and react to them."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from telegram.error import TelegramError

from adapters.telegram.account import Account
from adapters.telegram.buttons import Opinion, Says
from adapters.telegram.lanes import Lanes
from adapters.telegram.pacer import Urgency
from adapters.telegram.patience import stored
from adapters.telegram.place import handle_of
from adapters.telegram.updates import Pressed, Reacted
from bot.errors import BotError
from bot.messages import Person, Receipt
from bot.ports import Core

OLD = "This button is old: ask again, please."
NOT_YOURS = "Only the person who was asked may press this."
PRESSED = "This was pressed already."
THANKS = "Thank you."


class Presses:
    """Hands them in. What nobody waits for is done in `lanes`, beside them."""

    def __init__(self, core: Core, account: Account, name: str, lanes: Lanes) -> None:
        self._core = core
        self._account = account
        self._name = name
        self._lanes = lanes

    async def press(self, pressed: Pressed) -> None:
        """Let a button say what it says, once, and tell the presser what became of it."""
        match pressed.button:
            case Says() as button if button.may(pressed.by):
                answer = await self._say(pressed)
            case Opinion(value):
                known = await self._judge(pressed.chat, pressed.message, pressed.said.person, value)
                answer = THANKS if known else OLD
            case button:
                answer = NOT_YOURS if button else OLD
        self._lanes.at_once(lambda: self._answer(pressed, answer))
        await self._core.take_down(pressed.event)

    async def react(self, reacted: Reacted) -> None:
        """Hand in what a person thinks of an answer."""
        await self._judge(reacted.chat, reacted.message, reacted.person, reacted.value)
        await self._core.take_down(reacted.event)

    async def _say(self, pressed: Pressed) -> str:
        """Hand in what a button says; what its presser is told."""
        said = replace(pressed.said, events=(pressed.event.id,))
        receipt = await stored(lambda: self._core.receive(said), self._account.clock)
        if receipt is Receipt.ACCEPTED:
            self._lanes.at_once(lambda: self._bare(pressed))
        return PRESSED if receipt is Receipt.DUPLICATE else ""

    async def _judge(self, chat: int, message: int, person: Person, value: int) -> bool:
        handle = handle_of(chat, message)
        return await stored(
            lambda: self._core.feedback(self._name, str(chat), handle, person, value),
            self._account.clock,
        )

    async def _bare(self, pressed: Pressed) -> None:
        """Take the buttons away."""
        with suppress(BotError, TelegramError):
            await self._account.pacer.turn(pressed.chat, Urgency.FIRST)
            await self._account.api.edit_message_reply_markup(pressed.chat, pressed.message)

    async def _answer(self, pressed: Pressed, text: str) -> None:
        """End the waiting of who pressed a button; after a minute Telegram takes it no more."""
        with suppress(TelegramError):
            await self._account.api.answer_callback_query(
                pressed.query, text or None, show_alert=text in {OLD, NOT_YOURS}
            )
