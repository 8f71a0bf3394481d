"""Writes the messages of one reply, at the pace that Slack takes, and finds those whose sending
was not confirmed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import structlog

from adapters.slack.account import Account
from adapters.slack.blocks import Block, literal, markdown
from adapters.slack.failures import Lost, SlackRefused
from adapters.slack.lookup import SKEW, Name, Standing, look
from adapters.slack.pacer import APPEND, DELETE, POST, START, STOP, UPDATE, Urgency
from adapters.slack.place import Place
from adapters.slack.safe import notice, safe, visible
from bot.errors import DeliveryError, DeliveryRefused
from bot.messages import ReplyTo

MOST_NOTICE = 3000  # characters of a message's `text`; Slack documents 4,000
RECOVERY = 900.0  # seconds after the start in which an earlier run's messages are looked for
STREAMLESS = 600.0  # seconds until a stream is tried again where one was refused
MISREAD = frozenset({"invalid_blocks", "invalid_blocks_format"})
TOO_LONG = frozenset({"msg_too_long", "msg_blocks_too_long", "markdown_text_too_long"})
# What is wrong with one stream, and says nothing about the next one in that channel.
ONCE = frozenset({"thread_not_found", "user_not_found", "no_text", *MISREAD})
STOPPED, STREAMING = "stopped_by_user", "streaming_state_conflict"
SLACK_ENDS_IT = 60.0  # seconds until an edit is tried again of what could not be stopped
# What cannot be edited any more: another message takes its place.
LOST_MESSAGE = frozenset({"message_not_found", "thread_not_found"})
FIXED = frozenset({"cant_update_message", "edit_window_closed", "block_mismatch"})

T = TypeVar("T")

log = structlog.get_logger()


class TooLong(DeliveryRefused):
    """Slack takes no text of this length in one message."""


class Writer:
    """The hand that writes one reply. `recovers` says that an earlier run may have begun it,
    `stopped` that a person pressed Stop on a stream of it.
    """

    def __init__(self, account: Account, to: ReplyTo) -> None:
        self.account = account
        self.place = Place.of(to)
        self.stopped = False
        self._to = to
        self._pacer = account.pacer
        self._doubts: set[Name] = set()
        self.recovers = self._may_be_begun()
        self._standing = None if self.recovers else Standing()
        self._first_try = account.clock.now()

    @property
    def channel(self) -> str:
        """Where it goes."""
        return self.place.channel

    def _may_be_begun(self) -> bool:
        """Whether an earlier run may have shown something of this reply already."""
        now, began = self.account.clock.now(), self.account.began
        asked = self.place.asked or float(self.place.message or 0)
        return now < began + RECOVERY and asked < began + SKEW

    # New messages

    async def find(self, name: Name) -> str:
        """The message that an earlier try or run left for a name, "" if there is none. Raises
        DeliveryError.
        """
        if self._standing is None or name in self._doubts:
            since = float(self.place.message or self.place.asked or 0) or self._first_try
            async with self.account.lock(self.channel, self.place.thread):
                self._standing = await look(self.account, self.place, since)
            self._doubts.clear()
        standing = self._standing
        found = standing.named.pop(name, "")
        if not found and standing.nameless:
            found = standing.nameless.pop(0)
            self.account.ours.add((self.channel, found))
        if found:
            log.info("message found", channel=self.channel, ts=found)
        return found

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
        except SlackRefused as error:
            raise too_long(error) from None

    # Streams

    @property
    def may_stream(self) -> bool:
        """Whether a stream may start here and now. It needs a thread, and somebody to read it."""
        account, place = self.account, self.place
        wanted = account.streams and place.thread and (place.user or place.direct)
        refused = account.streamless.get(place.channel, 0.0) > account.clock.now()
        return bool(wanted) and not refused and self._pacer.may_stream()

    async def start(self, name: Name, text: str) -> str:
        """A stream with its first text; returns its ts. Raises SlackRefused and DeliveryError."""
        place, account = self.place, self.account

        async def start() -> str:
            team = place.team or account.team
            return await account.api.start_stream(
                place.channel, place.thread, text, team=team, user=place.user
            )

        try:
            async with account.lock(place.channel, place.thread):
                ts = await self._pacer.call(START, Urgency.FIRST, start)
                account.ours.add((place.channel, ts))
        except Lost:
            self._doubts.add(name)
            raise
        except SlackRefused as error:
            log.info("stream refused", channel=place.channel, reason=error.code)
            if error.code not in ONCE | TOO_LONG:
                account.streamless[place.channel] = account.clock.now() + STREAMLESS
            raise too_long(error) from None
        return ts

    async def append(self, ts: str, text: str) -> bool:
        """Add to a stream; False where it has ended."""
        api = self.account.api

        async def append() -> None:
            await api.append_stream(self.channel, ts, text)

        try:
            await self._pacer.call(APPEND, Urgency.PROGRESS, append)
        except SlackRefused as error:
            self._ended(error)
            return False
        return True

    async def stop(
        self, name: Name, ts: str, text: str, below: Sequence[Block], urgency: Urgency
    ) -> bool:
        """End a stream with its last text; False where it had ended before."""
        api = self.account.api

        async def stop() -> None:
            await api.stop_stream(self.channel, ts, text, blocks=below, metadata=name.metadata())

        try:
            await self._pacer.call(STOP, urgency, stop)
        except SlackRefused as error:
            self._ended(error)
            return False
        return True

    def _ended(self, error: SlackRefused) -> None:
        """A stream takes no more, whatever the reason: an edit goes on, or says what is wrong."""
        if error.code in TOO_LONG:
            raise too_long(error) from None
        log.info("stream ended", channel=self.channel, reason=error.code)
        if error.code == STOPPED:
            self.stopped = True
            self.account.stopped(self._to)

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
                raise too_long(error) from None
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
            if not await self.stop(name, ts, "", (), urgency):
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


def too_long(error: SlackRefused) -> DeliveryRefused:
    """The refusal, told apart where shorter texts would be taken."""
    return TooLong(str(error)) if error.code in TOO_LONG else error
