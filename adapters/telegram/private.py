"""A card for one person that was asked for in a group: it goes to their chat with the bot.

Its buttons would speak there and not in the group: so a card with buttons stays in the group, and
so does the sentence why there is no card.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from adapters.telegram.account import Account
from adapters.telegram.sink import TelegramSink
from bot.errors import DeliveryError, DeliveryRefused
from bot.messages import Button, Document, ReplyTo

AWAY = "private:"  # before the handle of a message that stands in the person's chat
TOLD = "I have sent you this in our private chat."


class PrivateSink:
    """The two chats of such a card. Where the bot may not write to the person, who never wrote to
    it, the card stands in the group.
    """

    def __init__(self, account: Account, to: ReplyTo) -> None:
        alone = replace(to.conversation, channel=to.person.rpartition(":")[2], thread="")
        self._group = TelegramSink(account, to, feedback=False)
        self._alone = TelegramSink(
            account, replace(to, conversation=alone, origin=""), feedback=False
        )
        self._target: TelegramSink | None = None

    async def ready(self) -> None:
        """It does not grow."""

    async def show(self, part: int, text: str, handle: str, *, waiting: bool = False) -> str:  # noqa: ARG002  the port's
        """Nothing of it is seen before it is whole."""
        return handle

    async def finish(
        self,
        part: int,
        text: str,
        handle: str,
        *,
        failed: bool = False,
        buttons: Sequence[Button] = (),
    ) -> str:
        """Make a part stand in one of the chats, and say in the group that it is in the other."""
        stays = failed or buttons or (handle and not away(handle))
        if not stays and self._target is not self._group:
            try:
                stands = await self._alone.finish(part, text, handle.removeprefix(AWAY))
            except DeliveryRefused:
                if part or handle:  # the rest of it stands there
                    raise
            else:
                self._target = self._alone
                if not (part or handle):
                    await self._tell()
                return AWAY + stands
        self._target = self._group
        known = "" if away(handle) else handle
        return await self._group.finish(part, text, known, failed=failed, buttons=buttons)

    async def _tell(self) -> None:
        """Say in the group where the card is; who asked has it, whether this is taken or not."""
        with suppress(DeliveryError):
            await self._group.finish(0, TOLD, "")

    async def retract(self, handle: str) -> None:
        """Take away a message that holds no part of it."""
        chat = self._alone if away(handle) else self._group
        await chat.retract(handle.removeprefix(AWAY))

    async def attach(self, document: Document) -> None:
        """Send a file where the card is."""
        await (self._target or self._group).attach(document)

    async def close(self) -> None:
        """Nothing more comes."""
        await self._group.close()
        await self._alone.close()


def away(handle: str) -> bool:
    """Whether a handle's message stands in the person's chat."""
    return handle.startswith(AWAY)
