"""Writes the messages of one reply, at the pace that Slack takes, and finds those whose sending
was not confirmed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import structlog

from adapters.slack.account import Account
from adapters.slack.blocks import Block, literal, markdown
from adapters.slack.failures import MISREAD, Lost, SlackRefused
from adapters.slack.lookup import SKEW, Name, Standing, look
from adapters.slack.pacer import DELETE, POST, UPDATE, Urgency
from adapters.slack.place import Place
from adapters.slack.safe import notice, safe, visible
from adapters.slack.streams import Streams
from bot.errors import DeliveryError
from bot.messages import ReplyTo

MOST_NOTICE = 3000  # characters of a message's `text`; Slack documents 4,000
RECOVERY = 900.0  # seconds after the start in which an earlier run's messages are looked for
STREAMING = "streaming_state_conflict"
SLACK_ENDS_IT = 60.0  # seconds until an edit is tried again of what could not be stopped
# What cannot be edited any more: another message takes its place.
LOST_MESSAGE = frozenset({"message_not_found", "thread_not_found"})
FIXED = frozenset({"cant_update_message", "edit_window_closed", "block_mismatch"})

T = TypeVar("T")

log = structlog.get_logger()


class Writer:
    """The hand that writes one reply."""

    def __init__(self, account: Account, to: ReplyTo) -> None:
        self.account = account
        self.place = Place.of(to)
        self.streams = Streams(account, self.place, to)
        self._to = to
        self._pacer = account.pacer
        self._doubts: set[Name] = set()
        self._standing: Standing | None = None
        self._first_try = account.clock.now()

    @property
    def channel(self) -> str:
        """Where it goes."""
        return self.place.channel

    @property
    def recovers(self) -> bool:
        """Whether an earlier run may have shown something of this reply already: not where this
        one was the first to take its question in.
        """
        place, began = self.place, self.account.began
        if self.account.clock.now() > began + RECOVERY:
            return False
        if (place.channel, self._to.origin) in self.account.fresh:
            return False
        if place.asked:
            return place.asked < began
        return float(place.message or 0) < began + SKEW  # Slack's time, and not ours

    # New messages

    async def find(self, name: Name, *, anew: bool = False) -> str:
        """The message that an earlier try or run left for a name, "" if there is none; `anew` looks
        whatever is known. Raises DeliveryError.
        """
        if anew or name in self._doubts or (self._standing is None and self.recovers):
            since = float(self.place.message or self.place.asked or 0) or self._first_try
            async with self.account.lock(self.channel, self.place.thread):
                self._standing = await look(self.account, self.place, since)
            self._doubts.clear()
        self._standing = standing = self._standing or Standing()
        found = standing.named.pop(name, "") or await self._left(name, standing)
        if found:
            log.info("message found", channel=self.channel, ts=found)
        return found

    async def _left(self, name: Name, standing: Standing) -> str:
        """A stream that nobody has named yet, "" if there is none. Only answers are streamed; and
        that it is one, and no other message of this app, is known when Slack ends it for us.
        """
        while self._to.answer and standing.nameless:
            ts = standing.nameless[0]
            try:
                ended = await self.streams.stop(name, ts, "", (), Urgency.FINAL)
            except Lost:
                self._doubts.add(name)
                raise
            standing.nameless.pop(0)
            if ended or self.streams.stopped:
                return ts
        return ""

    async def post(self, name: Name, text: str, below: Sequence[Block], urgency: Urgency) -> str:
        """A new message; returns its ts."""

        async def post(blocks: Sequence[Block]) -> str:
            return await self.account.api.post(
                self.channel,
                notice(text, MOST_NOTICE),
                blocks,
                thread=self.place.thread,
                metadata=name.metadata(),
            )

        try:
            return await self._shown(POST, urgency, post, text, below)
        except Lost:
            self._doubts.add(name)
            raise

    async def start(self, name: Name, text: str) -> str:
        """A stream with its first text; returns its ts. Raises SlackRefused and DeliveryError."""
        try:
            return await self.streams.start(text)
        except Lost:
            self._doubts.add(name)
            raise

    # Messages that stand

    async def update(
        self, name: Name, ts: str, text: str, below: Sequence[Block], urgency: Urgency
    ) -> bool:
        """Give a message another text; False where it does not stand any more. One that is still
        streamed is stopped for that.
        """
        try:
            await self._update(name, ts, text, below, urgency)
        except SlackRefused as error:
            if error.code in FIXED:
                await self.delete(ts)
            elif error.code not in LOST_MESSAGE:
                raise
            return False
        return True

    async def _update(
        self, name: Name, ts: str, text: str, below: Sequence[Block], urgency: Urgency
    ) -> None:
        async def update(blocks: Sequence[Block]) -> None:
            await self.account.api.update(
                self.channel, ts, notice(text, MOST_NOTICE), blocks, name.metadata()
            )

        try:
            await self._shown(UPDATE, urgency, update, text, below)
        except SlackRefused as error:
            if error.code != STREAMING:
                raise
            if not await self.streams.stop(name, ts, "", (), urgency):
                raise DeliveryError("Slack still streams the message.", SLACK_ENDS_IT) from None
            await self._shown(UPDATE, urgency, update, text, below)

    async def _shown(
        self,
        method: str,
        urgency: Urgency,
        made: Callable[[Sequence[Block]], Awaitable[T]],
        text: str,
        below: Sequence[Block],
    ) -> T:
        """Make a call with a text as Markdown, and again without if Slack cannot read that."""
        blocks = [markdown(visible(safe(text))), *below]
        try:
            return await self._pacer.call(method, urgency, lambda: made(blocks), self.channel)
        except SlackRefused as error:
            if error.code not in MISREAD:
                raise
            log.warning("markdown refused", channel=self.channel, reason=error.code)
        blocks = [*literal(text), *below]
        return await self._pacer.call(method, urgency, lambda: made(blocks), self.channel)

    async def delete(self, ts: str) -> None:
        """Take a message away, if it stands."""

        async def delete() -> None:
            await self.account.api.delete(self.channel, ts)

        try:
            await self._pacer.call(DELETE, Urgency.FINAL, delete)
        except SlackRefused as error:
            log.info("message not deleted", channel=self.channel, reason=error.code)
