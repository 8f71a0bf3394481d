"""What is seen before a text stands: a preview of it, or that the bot is typing."""

from __future__ import annotations

from contextlib import suppress

from telegram.error import BadRequest, InvalidToken, RetryAfter, TelegramError

from adapters.telegram.account import Account
from adapters.telegram.api import failure, wait_asked
from adapters.telegram.format import Formatted
from adapters.telegram.formatting import with_formatting
from adapters.telegram.place import Place
from bot.errors import DeliveryError

WITH_STOP = {"can_stop": True, "keep_on_stop": True}  # Bot API 10.3


class DraftsRefused(Exception):
    """There are no previews here."""


class Previews:
    """Those of one reply. None of them counts as a message."""

    def __init__(self, account: Account, place: Place) -> None:
        self._account = account
        self._api = account.api
        self._pacer = account.pacer
        self._place = place

    async def show(self, draft: int, text: Formatted) -> None:
        """Show a preview for half a minute. Raises DeliveryError, or DraftsRefused where there are
        none.
        """
        if (wait := self._pacer.silence(self._place.chat)) > 0:
            raise DeliveryError("Telegram takes no preview for now.", wait)
        try:
            await self._with_stop(draft, text)
        except RetryAfter as error:
            self._pacer.hush(self._place.chat, wait_asked(error))
            raise failure(error) from None
        except (BadRequest, InvalidToken) as error:  # a server that is too old says 404
            self._account.drafts = isinstance(error, BadRequest)
            raise DraftsRefused from None
        except TelegramError as error:
            raise failure(error) from None

    async def _with_stop(self, draft: int, text: Formatted) -> None:
        """Show a preview with a Stop button, or without on a server that knows no such thing."""
        if not self._account.stoppable:
            await self._show(draft, text, None)
            return
        try:
            await self._show(draft, text, WITH_STOP)
        except BadRequest:
            await self._show(draft, text, None)
            self._account.stoppable = False

    async def _show(self, draft: int, text: Formatted, more: dict[str, bool] | None) -> None:
        place = self._place

        async def show(shown: Formatted) -> None:
            await self._api.send_message_draft(
                place.chat,
                draft,
                shown.text,
                place.thread,
                entities=shown.entities,
                api_kwargs=more,
            )

        await with_formatting(show, text)

    async def type(self) -> None:
        """Be seen typing for five seconds; it does not matter if not."""
        if self._pacer.silence(self._place.chat) > 0:
            return
        with suppress(TelegramError):
            await self._api.send_chat_action(
                self._place.chat, "typing", message_thread_id=self._place.thread
            )
