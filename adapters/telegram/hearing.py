"""What people say, on its way to the core: whole, and with the files that they attached."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from adapters.telegram.account import Account
from adapters.telegram.files import Files, forget
from adapters.telegram.format import plain
from adapters.telegram.joined import Growing, Joiner, joined
from adapters.telegram.lanes import Lanes
from adapters.telegram.pacer import Urgency
from adapters.telegram.patience import stored
from adapters.telegram.place import place_of
from adapters.telegram.updates import Heard
from adapters.telegram.writer import Writer
from bot.errors import BotError
from bot.messages import IncomingMessage, Receipt, ReplyTo
from bot.ports import Core


class Hearing:
    """Hands messages in. What only concerns the adapter is done in `lanes`, beside them."""

    def __init__(
        self, core: Core, account: Account, joiner: Joiner, files: Files, lanes: Lanes
    ) -> None:
        self._core = core
        self._account = account
        self._joiner = joiner
        self._files = files
        self._lanes = lanes

    async def hear(self, growing: Growing) -> None:
        """Hand a message in, as one if it came in pieces."""
        pieces = await self._joiner.whole(growing)
        if not pieces:
            await self._core.take_down(*growing.events)
            return
        receipt = await self._hand_in(joined(pieces, growing.events))
        if receipt is Receipt.DUPLICATE and len(pieces) > 1:
            # One of them was handed in before, from another update; the others may be new.
            for piece in pieces:
                await self._hand_in(piece)

    async def _hand_in(self, heard: Heard) -> Receipt:
        """Hand in what was said, with its files; those of a stranger are not even fetched."""
        admitted = self._core.admits(heard.message.person)
        attachments, sentences = await self._files.fetch(heard.files if admitted else ())
        if admitted and not (heard.message.text or attachments):
            self._lanes.at_once(lambda: self._only_tell(heard, sentences))
            return Receipt.ACCEPTED
        message = replace(
            heard.message,
            attachments=tuple(attachments),
            events=tuple(event.id for event in heard.events),
        )
        try:
            receipt = await stored(lambda: self._core.receive(message), self._account.clock)
        except Exception:
            forget(attachments)
            raise
        if receipt is not Receipt.ACCEPTED:
            forget(attachments)
        elif sentences:
            self._lanes.at_once(lambda: self._tell(message, sentences))
        return receipt

    async def _only_tell(self, heard: Heard, sentences: Sequence[str]) -> None:
        """Say why a file did not come, with which nothing was said."""
        await self._tell(heard.message, sentences)
        await self._core.take_down(*heard.events)

    async def _tell(self, message: IncomingMessage, sentences: Sequence[str]) -> None:
        to = ReplyTo(message.conversation, "", message.origin)
        with suppress(BotError):
            text = plain(" ".join(sentences))
            await Writer(self._account, place_of(to)).send("", text, Urgency.ERROR)
