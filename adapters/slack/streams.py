"""The streams of one reply: Slack's native ones, by their raw methods.

slack_sdk's own helper sends text twice when it is hurried (facts/slack.md).
"""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from adapters.slack.account import Account
from adapters.slack.blocks import Block
from adapters.slack.failures import MISREAD, SlackRefused, TooLong
from adapters.slack.lookup import Name
from adapters.slack.pacer import APPEND, START, STOP, Urgency
from adapters.slack.place import Place
from bot.messages import ReplyTo

STREAMLESS = 600.0  # seconds until a stream is tried again where one was refused
# What is wrong with one stream, and says nothing about the next one in that channel.
ONCE = frozenset({"thread_not_found", "user_not_found", "no_text", *MISREAD})
STOPPED = "stopped_by_user"

log = structlog.get_logger()


class Streams:
    """Starts, feeds and ends them. `stopped` says that a person pressed Stop on one."""

    def __init__(self, account: Account, place: Place, to: ReplyTo) -> None:
        self.stopped = False
        self._account = account
        self._place = place
        self._to = to
        self._pacer = account.pacer

    @property
    def may_start(self) -> bool:
        """Whether one may start here and now. It needs a thread, and somebody to read it."""
        account, place = self._account, self._place
        wanted = account.streams and place.thread and (place.user or place.direct)
        refused = account.streamless.get(place.channel, 0.0) > account.clock.now()
        return bool(wanted) and not refused and self._pacer.may_stream()

    async def start(self, text: str) -> str:
        """A stream with its first text; returns its ts. Raises SlackRefused and DeliveryError."""
        place, account = self._place, self._account

        async def start() -> str:
            team = place.team or account.team
            return await account.api.start_stream(
                place.channel, place.thread, text, team=team, user=place.user
            )

        try:
            async with account.lock(place.channel, place.thread):
                # Nothing more urgent starts streams, and `may_start` has kept room for the end.
                ts = await self._pacer.call(START, Urgency.FINAL, start)
                account.ours.add((place.channel, ts))
        except SlackRefused as error:
            log.info("stream refused", channel=place.channel, reason=error.code)
            if error.code not in ONCE and not isinstance(error, TooLong):
                account.streamless[place.channel] = account.clock.now() + STREAMLESS
            raise
        return ts

    async def append(self, ts: str, text: str) -> bool:
        """Add to a stream; False where it has ended."""

        async def append() -> None:
            await self._account.api.append_stream(self._place.channel, ts, text)

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

        async def stop() -> None:
            await self._account.api.stop_stream(
                self._place.channel, ts, text, blocks=below, metadata=name.metadata()
            )

        try:
            await self._pacer.call(STOP, urgency, stop)
        except SlackRefused as error:
            self._ended(error)
            return False
        return True

    def _ended(self, error: SlackRefused) -> None:
        """A stream takes no more, whatever the reason: an edit goes on, or says what is wrong."""
        if isinstance(error, TooLong):
            raise error
        log.info("stream ended", channel=self._place.channel, reason=error.code)
        if error.code == STOPPED:
            self.stopped = True
            self._account.stopped(self._to)
