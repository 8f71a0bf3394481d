"""Updates from the shelf to the core: in order for a conversation, side by side across them. Only
/stop waits for nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import structlog
from telegram import Update

from adapters.telegram.account import Account
from adapters.telegram.buttons import Says
from adapters.telegram.files import Files
from adapters.telegram.hearing import Hearing
from adapters.telegram.joined import Joiner
from adapters.telegram.lanes import Lanes
from adapters.telegram.presses import Presses
from adapters.telegram.shelf import Arrived
from adapters.telegram.updates import Heard, Meaning, Migrated, Pressed, Reacted, Reader
from bot.messages import RawEvent
from bot.ports import Core

OPINIONS = "opinions"  # the lane of what is no message and waits for none
MOST_UNDER_WAY = 5000  # updates in memory; what comes after them waits at Telegram

log = structlog.get_logger()


class Intake:
    """Reads what stands on the shelf, and hands it in."""

    def __init__(
        self, core: Core, account: Account, reader: Reader, joiner: Joiner, files: Files
    ) -> None:
        self._core = core
        self._account = account
        self._reader = reader
        self._joiner = joiner
        self._lanes = Lanes(MOST_UNDER_WAY)
        self._hearing = Hearing(core, account, joiner, files, self._lanes)
        self._presses = Presses(core, account, reader.name, self._lanes)

    @property
    def full(self) -> bool:
        """Whether nothing more should be put on the shelf."""
        return self._lanes.full

    async def room(self) -> None:
        """Return when more may be put on the shelf."""
        await self._lanes.room()

    async def close(self) -> None:
        """End what still runs: the next start reads what is on the shelf."""
        await self._lanes.close()

    def take(self, arrived: Sequence[Arrived]) -> None:
        """Begin with updates, in the order in which they came."""
        nothing = [each.event for each in arrived if not self._begin(each)]
        if nothing:
            self._lanes.at_once(lambda: self._core.take_down(*nothing))

    def _begin(self, arrived: Arrived) -> bool:
        """Begin with an update; False if it is nothing to the bot."""
        event = arrived.event
        try:
            update = Update.de_json(arrived.update, None)
            if update.message:
                self._account.ledger.saw(update.message.chat.id, update.message.message_id)
            return self._understood(self._reader.read(update, event), event)
        except Exception as error:  # whatever PTB cannot read, it spoils nothing else
            log.warning("update not read", reason=type(error).__name__)
            self._lanes.at_once(lambda: self._core.set_aside(event))
            return True

    def _understood(self, meaning: Meaning | None, event: RawEvent) -> bool:
        """Have something done about it; False if there is nothing to do."""
        match meaning:
            case Heard():
                return self._heard(meaning)
            case Pressed(button=Says()):
                lane = self._lane(meaning.chat, meaning.said.conversation.thread)
                self._start(lane, lambda: self._presses.press(meaning), [event])
            case Pressed():
                self._start(OPINIONS, lambda: self._presses.press(meaning), [event])
            case Reacted():
                self._start(OPINIONS, lambda: self._presses.react(meaning), [event])
            case Migrated(chat, to) if self._account.moves.learn(chat, to):
                self._start(self._lane(to), lambda: self._migrate(chat, event), [event])
            case _:
                return False
        return True

    def _heard(self, heard: Heard) -> bool:
        growing = self._joiner.add(heard)
        if growing is None:
            return False
        if not growing.begun:
            growing.begun = True
            where = heard.message.conversation
            stops = heard.message.text.strip() == "/stop"  # now, whatever is waited for
            lane = "" if stops else self._lane(int(where.channel), where.thread)
            self._start(lane, lambda: self._hearing.hear(growing), growing.events)
        return True

    async def _migrate(self, chat: int, event: RawEvent) -> None:
        await self._account.moves.carry(chat)
        await self._core.take_down(event)

    def _lane(self, chat: int, thread: str = "") -> str:
        """A conversation's; a supergroup goes on in that of the group which it was."""
        return f"{self._account.moves.before(chat)}/{thread}"

    def _start(
        self, lane: str, work: Callable[[], Awaitable[None]], events: Sequence[RawEvent]
    ) -> None:
        """Do something in a lane, "" for at once. What fails by a bug is kept for who looks."""

        async def safely() -> None:
            try:
                await work()
            except Exception:
                for event in events:
                    await self._core.set_aside(event)
                raise

        if lane:
            self._lanes.start(lane, safely)
        else:
            self._lanes.at_once(safely)
