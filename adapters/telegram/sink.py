"""One reply in a chat: a preview or a message that grows, and the final text that stands.

A private chat has previews (drafts), which leave nothing to complete. Where there are none, the
first text is a message and grows by edits; the handle of a part is that message's id.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from telegram import InlineKeyboardMarkup

from adapters.telegram.account import Account
from adapters.telegram.buttons import keyboard
from adapters.telegram.format import Formatted, formatted, units
from adapters.telegram.pacer import Urgency
from adapters.telegram.place import place_of
from adapters.telegram.previews import DraftsRefused, Previews
from adapters.telegram.writer import Writer
from bot.errors import DeliveryError
from bot.messages import Button, Document, ReplyTo
from bot.ports import Limits

# A part ends at 4,096 units at most, and formatting may lengthen it a little.
LIMITS = Limits(soft=3500, hard=4000, unit="utf-16")
NEARLY_FULL = 3400  # units after which a part may be full: then it is no preview any more
DRAFT_PAUSE, EDIT_PAUSE, GROUP_PAUSE = 0.5, 1.0, 4.0  # seconds between two looks
GROUP_START = 1.0  # seconds before the first look: a short answer comes at once, whole
TYPING_AFTER, TYPING_LASTS = 0.5, 4.5
DRAFT_LASTS = 20.0  # seconds; Telegram takes a preview away after 30


@dataclass(frozen=True, slots=True)
class Standing:
    """What a part shows, and in which message."""

    handle: str
    text: Formatted
    keyboard: InlineKeyboardMarkup | None = None


class TelegramSink:
    """One reply. `feedback` puts 👍 and 👎 below an answer."""

    def __init__(self, account: Account, to: ReplyTo, *, feedback: bool) -> None:
        place = place_of(to)
        self._account = account
        self._clock = account.clock
        self._writer = Writer(account, place)
        self._previews = Previews(account, place)
        self._person = to.person
        self._private = place.private
        self._drafts = place.private
        self._draft_id = zlib.crc32(to.key.encode()) or 1
        self._draft: Formatted | None = None
        self._draft_at = 0.0
        self._standing: dict[int, Standing] = {}
        self._next_look = self._clock.now() + (0.0 if place.private else GROUP_START)
        self._answer = to.answer
        self._feedback = feedback and to.answer
        self._company = asyncio.create_task(self._keep_company(), name=f"typing {to.key}")

    @property
    def _drafting(self) -> bool:
        return self._drafts and self._account.drafts

    async def ready(self) -> None:
        """Return when the chat would take another look."""
        while (wait := self._wait()) > 0:
            await self._clock.sleep(wait)

    def _wait(self) -> float:
        chat = self._writer.chat
        look = self._next_look - self._clock.now()
        if self._drafting:
            return max(look, self._account.pacer.silence(chat))
        return max(look, self._account.pacer.wait(chat, self._urgency))

    @property
    def _urgency(self) -> Urgency:
        return Urgency.PROGRESS if self._standing else Urgency.FIRST

    async def show(self, part: int, text: str, handle: str, *, waiting: bool = False) -> str:  # noqa: ARG002
        """Show a part that may still grow: as a preview, or where there are none, as a message."""
        shown = formatted(text)
        if self._drafting and not handle and units(text) < NEARLY_FULL:
            try:
                await self._preview(shown)
            except DraftsRefused:
                self._drafts = False
            else:
                return ""
        self._draft = None
        message = await self._stand(part, shown, handle, self._urgency)
        usual = EDIT_PAUSE if self._private else GROUP_PAUSE
        self._looked(usual)
        return message

    async def _preview(self, shown: Formatted) -> None:
        await self._previews.show(self._draft_id, shown)
        self._draft, self._draft_at = shown, self._clock.now()
        self._looked(DRAFT_PAUSE)

    def _looked(self, usual: float) -> None:
        pause = self._account.pacer.pause(self._writer.chat, usual)
        self._next_look = self._clock.now() + pause

    async def finish(
        self,
        part: int,
        text: str,
        handle: str,
        *,
        failed: bool = False,
        buttons: Sequence[Button] = (),
    ) -> str:
        """Make the final text of a part stand."""
        self._company.cancel()
        urgency = Urgency.ERROR if failed else Urgency.FINAL
        below = keyboard(buttons, self._person, feedback=self._feedback and not failed)
        # First, as it may fail: then this part is not sent yet, and is not sent twice.
        await self._bare(part - 1)
        return await self._stand(part, formatted(text), handle, urgency, below)

    async def _bare(self, part: int) -> None:
        """Take the buttons away from a part that is not the last."""
        above = self._standing.get(part)
        if above and above.keyboard:
            await self._writer.edit(above.handle, above.text, Urgency.FINAL)
            self._standing[part] = Standing(above.handle, above.text)

    async def _stand(
        self,
        part: int,
        text: Formatted,
        handle: str,
        urgency: Urgency,
        below: InlineKeyboardMarkup | None = None,
    ) -> str:
        """Have a part stand in the message of its handle, or in a new one if that is gone."""
        if handle and self._standing.get(part) == Standing(handle, text, below):
            return handle
        if not await self._writer.edit(handle, text, urgency, below):
            handle = await self._writer.send(str(part), text, urgency, below)
        self._standing[part] = Standing(handle, text, below)
        return handle

    async def retract(self, handle: str) -> None:
        """Take away a message that holds no part of the final text."""
        await self._writer.delete(handle)

    async def attach(self, document: Document) -> None:
        """Send a file."""
        await self._writer.attach(document)

    async def close(self) -> None:
        """Be seen typing no more."""
        self._company.cancel()
        self._writer.close()
        await asyncio.gather(self._company, return_exceptions=True)

    async def _keep_company(self) -> None:
        """Show that something comes while nothing else shows it, and keep a preview alive."""
        await self._clock.sleep(TYPING_AFTER)
        while True:
            if not self._draft:
                if self._answer:  # nobody waits for what is only told, or for a card that changes
                    await self._previews.type()
            elif self._clock.now() - self._draft_at > DRAFT_LASTS:
                with suppress(DeliveryError, DraftsRefused):
                    await self._preview(self._draft)
            await self._clock.sleep(TYPING_LASTS)
