"""What a person sent at once but Telegram delivers in pieces: a long text, or an album.

Telegram's apps cut a text at 4,096 units and send the pieces one after the other; of an album every
picture comes by itself. Only where a piece may have a successor is that waited for, so a short
message never waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from adapters.telegram.updates import Heard
from bot.messages import RawEvent
from bot.ports import Clock

MOST_UNITS = 4096  # where the apps cut, if no line or word ends shortly before
CUT_FROM = 3900
MOST_PIECES = 50  # of one message, which is kept in memory until it is whole
AT_ONCE = 10.0  # seconds between two pieces as Telegram got them, at most


@dataclass(slots=True, eq=False)
class Growing:
    """The pieces that came so far, and the events that they were read from. `whole` is set once no
    more are waited for; `begun` says that somebody hands them in then.
    """

    pieces: list[Heard]
    events: list[RawEvent]
    until: float
    whole: asyncio.Event = field(default_factory=asyncio.Event)
    begun: bool = False

    @property
    def overheard(self) -> bool:
        """Whether nothing of it is for the bot."""
        return all(piece.overheard for piece in self.pieces)

    def takes(self, heard: Heard) -> bool:
        """Whether a piece belongs to these."""
        return len(self.pieces) < MOST_PIECES and continues(self.pieces[-1], heard)

    def has(self, heard: Heard) -> bool:
        """Whether a piece is one of these."""
        keys = {key for piece in self.pieces for key in piece.message.keys}
        return not keys.isdisjoint(heard.message.keys)


class Joiner:
    """Puts pieces together. `seconds` is how long the next piece may take; 0 joins nothing."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock = clock
        self._seconds = seconds
        self._growing: dict[tuple[str, ...], Growing] = {}

    def add(self, heard: Heard) -> Growing | None:
        """What a piece belongs to: what its sender began, or something new; None if it was only
        overheard. One that is delivered again is in there already.
        """
        where, person = heard.message.conversation, heard.message.person
        sender = (where.channel, where.thread, person.id)
        growing = self._growing.get(sender)
        if growing and growing.has(heard):
            growing.events += heard.events
            return growing
        self._growing.pop(sender, None)
        if growing and growing.takes(heard):
            growing.pieces.append(heard)
            growing.events += heard.events
            growing.until = self._clock.now() + self._seconds
        else:
            if growing:
                growing.whole.set()
            if heard.overheard and not heard.album:
                return None
            growing = Growing([heard], [*heard.events], self._clock.now() + self._seconds)
        if self._seconds and may_continue(heard):
            self._growing[sender] = growing
        else:
            growing.whole.set()
        return growing

    async def whole(self, growing: Growing) -> Sequence[Heard]:
        """The pieces, once the last came or is overdue; none if they were only overheard."""
        if not growing.whole.is_set():
            patience = asyncio.create_task(self._lose_patience(growing), name="joining")
            try:
                await growing.whole.wait()
            finally:
                patience.cancel()
                await asyncio.gather(patience, return_exceptions=True)
        return () if growing.overheard else growing.pieces

    async def _lose_patience(self, growing: Growing) -> None:
        while (left := growing.until - self._clock.now()) > 0:
            await self._clock.sleep(left)
        self._growing = {who: each for who, each in self._growing.items() if each is not growing}
        growing.whole.set()


def may_continue(heard: Heard) -> bool:
    """Whether more may belong to a piece."""
    return bool(heard.album) or heard.length >= CUT_FROM


def continues(before: Heard, heard: Heard) -> bool:
    """Whether a piece belongs to the one before it."""
    if before.album or heard.album:
        return before.album == heard.album
    at_once = abs(heard.at - before.at) <= AT_ONCE
    command = heard.message.text.startswith("/")
    return may_continue(before) and at_once and not heard.files and not command


def joined(pieces: Sequence[Heard], events: Sequence[RawEvent]) -> Heard:
    """One message of all pieces, known by the keys of each. An answer is to what names the bot.

    Calls of a webhook that are made side by side may overtake each other.
    """
    pieces = sorted(pieces, key=lambda piece: piece.number)
    named = next(piece for piece in pieces if not piece.overheard)
    text = pieces[0].message.text
    for before, piece in pairwise(pieces):
        cut_inside = before.length >= MOST_UNITS
        text += piece.message.text if cut_inside else f"\n{piece.message.text}"
    keys = tuple(key for piece in pieces for key in piece.message.keys)
    message = replace(named.message, text=text.strip("\n") if named.album else text, keys=keys)
    files = tuple(file for piece in pieces for file in piece.files)
    return Heard(message, files, tuple(events))
