"""One message of a reply: it grows as a stream of Slack's, or by edits, and then it stands.

A stream only takes more. So whatever would change what it shows, and whatever leaves in doubt how
much it shows, ends it: then the message goes on by edits, in its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from adapters.slack.blocks import Block, stop
from adapters.slack.failures import Lost, RateLimited, SlackRefused, TooLong
from adapters.slack.lookup import Name
from adapters.slack.pacer import APPEND, POST, UPDATE, Urgency
from adapters.slack.safe import safe, streamable, visible
from adapters.slack.writer import Writer

LONGEST_STREAM = 240.0  # seconds; Slack ends it after about 300


@dataclass(slots=True)
class Stream:
    """What an open stream shows; `doubtful` when nobody knows."""

    began: float
    shown: str
    doubtful: bool = False


@dataclass(frozen=True, slots=True)
class Content:
    """What stands in a message."""

    text: str
    below: Sequence[Block] = ()


class Message:
    """`ts` is "" until it stands somewhere. One that is known from the start may be a stream."""

    def __init__(self, writer: Writer, name: Name, ts: str = "") -> None:
        self.ts = ts
        self._writer = writer
        self._name = name
        self._pacer = writer.account.pacer
        self._clock = writer.account.clock
        self._stream: Stream | None = None
        self._content: Content | None = None
        self._settled = False

    @property
    def below(self) -> Sequence[Block]:
        """What stands below its text."""
        return self._content.below if self._content else ()

    @property
    def settled(self) -> bool:
        """Whether it does not grow any more."""
        return self._settled

    @property
    def pause(self) -> float:
        """Seconds until it may be looked at again."""
        return self._pacer.pause(self)

    def wait(self) -> float:
        """Seconds until Slack would take more of it."""
        if self._stream:
            return self._pacer.wait(APPEND, Urgency.PROGRESS)
        if self.ts:
            return self._pacer.wait(UPDATE, Urgency.PROGRESS)
        if self._writer.streams.may_start:
            return 0.0
        return self._pacer.wait(POST, Urgency.FIRST, self._writer.channel)

    async def show(self, text: str) -> None:
        """Show the newest text, unless a person stopped it. Raises DeliveryError."""
        if self._writer.streams.stopped:
            return
        self._settled = False
        if not self.ts:
            self.ts = await self._writer.find(self._name)
        if not self.ts:
            await self._open(text)
        elif self._stream:
            await self._grow(self._stream, text)
        else:
            await self._edit(text)

    async def finish(self, text: str, below: Sequence[Block], urgency: Urgency) -> None:
        """Make a text stand, with blocks below it. Raises DeliveryError."""
        content = Content(text, below)
        if not self.ts:
            self.ts = await self._writer.find(self._name)
        if not self.ts:
            self.ts = await self._writer.post(self._name, text, below, urgency)
        elif not (self._stream and await self._complete(self._stream, content, urgency)):
            await self._put(content, urgency)
        self._content = content
        self._rest()

    async def retract(self) -> None:
        """Take it away. Raises DeliveryError."""
        if self.ts:
            await self._end(Urgency.FINAL)
            await self._writer.delete(self.ts)
        self.ts = ""
        self._rest()

    async def leave(self) -> None:
        """Nothing more comes: no stream stays open. Raises DeliveryError."""
        try:
            await self._end(Urgency.FINAL)
        finally:
            self._rest()

    # How it grows

    async def _open(self, text: str) -> None:
        """The first text: as a stream where Slack takes one, else as a message."""
        shown = streamable(text)
        if visible(shown) != shown:  # nothing of it can be seen yet
            return
        if self._writer.streams.may_start:
            self._pacer.streams(self)
            try:
                self.ts = await self._writer.start(self._name, shown)
            except (SlackRefused, RateLimited) as error:
                self._pacer.rests(self)
                if isinstance(error, TooLong):
                    raise
            except BaseException:
                self._pacer.rests(self)
                raise
            else:
                self._stream = Stream(self._clock.now(), shown)
                return
        if not self._pacer.may_edit():  # then its whole text is one post
            return
        growing = [stop(self._writer.place.thread)]
        self._pacer.edits(self)
        try:
            self.ts = await self._writer.post(self._name, text, growing, Urgency.FIRST)
        except BaseException:
            self._pacer.rests(self)
            raise
        self._content = Content(text, growing)

    async def _grow(self, stream: Stream, text: str) -> None:
        """Append what is new, if the stream can show it."""
        shown = streamable(text)
        old = self._clock.now() - stream.began > LONGEST_STREAM
        if old or stream.doubtful or not shown.startswith(stream.shown):
            await self._end(Urgency.ERROR)  # the pacer has kept room for it
            await self._edit(text)
        elif shown != stream.shown:
            try:
                took = await self._writer.streams.append(self.ts, shown[len(stream.shown) :])
            except Lost:
                stream.doubtful = True
                raise
            if took:
                stream.shown = shown
            else:
                self._stream = None
                await self._edit(text)

    async def _edit(self, text: str) -> None:
        if self._writer.streams.stopped:
            return
        self._pacer.edits(self)
        if self._pacer.may_edit():
            growing = [stop(self._writer.place.thread)]
            await self._put(Content(text, growing), Urgency.PROGRESS)

    # How it ends

    async def _complete(self, stream: Stream, content: Content, urgency: Urgency) -> bool:
        """End a stream with what is missing; False where an edit must do it."""
        whole = visible(safe(content.text))
        if stream.doubtful or not whole.startswith(stream.shown):
            await self._end(urgency)
            return False
        rest = whole[len(stream.shown) :]
        return await self._stop(stream, rest, content.below, urgency)

    async def _end(self, urgency: Urgency) -> None:
        """No stream is open any more."""
        if self._stream:
            await self._stop(self._stream, "", (), urgency)

    async def _stop(
        self, stream: Stream, text: str, below: Sequence[Block], urgency: Urgency
    ) -> bool:
        try:
            streams = self._writer.streams
            took = await streams.stop(self._name, self.ts, text, below, urgency)
        except Lost:
            stream.doubtful = True
            raise
        self._stream = None
        return took

    async def _put(self, content: Content, urgency: Urgency) -> None:
        """Have a text stand in the message, or in a new one if that is gone."""
        if content == self._content:
            return
        name, text, below = self._name, content.text, content.below
        seen = set()
        while self.ts and not await self._writer.update(name, self.ts, text, below, urgency):
            seen.add(self.ts)
            # An earlier sink may have put another in its place, whose handle nobody kept.
            found = await self._writer.find(name, anew=True)
            self.ts = "" if found in seen else found
        if not self.ts:
            self.ts = await self._writer.post(name, text, below, urgency)
        self._content = content

    def _rest(self) -> None:
        self._settled = True
        self._pacer.rests(self)
        self._writer.account.ours.discard((self._writer.channel, self.ts))
