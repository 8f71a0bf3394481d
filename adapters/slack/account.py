"""What all that one bot reads and writes has in common."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

from adapters.slack.api import Api
from adapters.slack.pacer import Pacer
from adapters.slack.recent import Recent
from bot.messages import ReplyTo
from bot.ports import Clock

MOST_FRESH = 10_000  # messages


def nobody(_: ReplyTo) -> None:
    """Nobody listens yet."""


@dataclass(slots=True)
class Account:
    """One bot in one workspace. `name` is the adapter's; `team`, `bot_user` and `bot_id` are
    Slack's ids, known after auth.test.

    `streams` is whether answers may be streamed natively, `feedback` whether 👍 and 👎 stand below
    them. `trouble` is why nothing comes in just now, a sentence. `stopped` is called when Slack
    says that a person pressed Stop on a stream; the adapter hands in a "/stop" for that
    conversation.

    `began` is when this process did, in Unix seconds. `fresh` are the messages that it was the
    first to take in, by channel and origin: of their answers nothing stands that it has not
    written. `ours` are the streams that it writes, by channel and ts; `streamless` says until when
    no stream is tried in a channel, `wordless` the same of a status; `responses` counts how often
    a response_url was used. `wholes` has the handles of parts that stand in several messages, by
    the channel and ts of each.
    """

    api: Api
    pacer: Pacer
    clock: Clock
    name: str = "slack"
    streams: bool = True
    feedback: bool = True
    team: str = ""
    bot_user: str = ""
    bot_id: str = ""
    trouble: str = ""
    stopped: Callable[[ReplyTo], None] = nobody
    began: float = field(init=False)
    ours: set[tuple[str, str]] = field(default_factory=set)
    fresh: Recent[tuple[str, str]] = field(default_factory=lambda: Recent(MOST_FRESH))
    streamless: dict[str, float] = field(default_factory=dict)
    wordless: dict[str, float] = field(default_factory=dict)
    responses: dict[str, int] = field(default_factory=dict)
    wholes: dict[tuple[str, str], str] = field(default_factory=dict)
    _locks: WeakValueDictionary[tuple[str, str], asyncio.Lock] = field(
        default_factory=WeakValueDictionary
    )

    def __post_init__(self) -> None:
        """The process begins."""
        self.began = self.clock.now()

    async def identified(self) -> str:
        """The bot's own user id, asked for if it is not known yet. Raises DeliveryError."""
        if not (self.bot_user and self.bot_id):
            me = await self.api.auth_test()
            self.team, self.bot_user = str(me.get("team_id")), str(me.get("user_id"))
            self.bot_id = str(me.get("bot_id"))
        return self.bot_user

    def lock(self, channel: str, thread: str) -> asyncio.Lock:
        """Held while a stream starts in a thread: nobody else takes it for one that was left."""
        lock = self._locks.get((channel, thread))
        if not lock:
            lock = self._locks[channel, thread] = asyncio.Lock()
        return lock
