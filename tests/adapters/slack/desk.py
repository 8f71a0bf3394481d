"""A Slack, and one bot's account there from which sinks can be made: Ann has asked in a channel."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from adapters.slack.account import Account
from adapters.slack.api import Api
from adapters.slack.blocks import messages_of
from adapters.slack.pacer import Pacer
from adapters.slack.place import Place
from adapters.slack.sink import sink_for
from bot.messages import ConversationId, ReplyTo
from bot.ports import Clock, Sink
from tests.clock import StoppedClock
from tests.slack_server import Channel, Limits, Message, User
from tests.slack_server.slack import Slack

LONG_AGO = 10_000.0  # seconds before which this process began, unless a test restarts it


@dataclass
class Desk:
    """`stopped` are the replies that a person stopped."""

    server: Slack
    account: Account
    clock: Clock
    ann: User
    general: Channel
    question: Message
    stopped: list[ReplyTo] = field(default_factory=list)
    _keys: count[int] = field(default_factory=lambda: count(1))

    def reply(
        self,
        place: Place | None = None,
        *,
        key: str = "",
        private: bool = False,
        beneath: str = "",
        answer: bool = True,
    ) -> ReplyTo:
        """Where an answer to Ann goes: into the thread of her question, unless it is said."""
        place = place or Place(
            self.general.id,
            self.question.ts,
            self.server.workspace.team,
            self.ann.id,
            self.question.ts,
        )
        where = ConversationId("slack", place.channel, place.thread)
        key = key or f"turn-{next(self._keys)}"
        person = f"slack:{self.ann.id}"
        return ReplyTo(where, key, place.origin(), person, private, beneath, answer)

    def sink(self, to: ReplyTo | None = None) -> Sink:
        """A sink for an answer to Ann."""
        return sink_for(self.account, to or self.reply())

    def restart(self) -> None:
        """From now on another process of the bot writes."""
        self.account = account_on(self.server, self.clock, self.account.api, self.stopped)
        self.account.began = self.clock.now()

    @property
    def seen(self) -> list[str]:
        """What everybody reads of the bot in the channel and its threads."""
        return self.server.workspace.visible(self.general)

    def message(self, handle: str, channel: Channel | None = None) -> Message:
        """The message of a handle."""
        [ts] = messages_of(handle)
        found = self.server.workspace.find((channel or self.general).id, ts)
        assert found
        return found

    def calls(self, method: str) -> int:
        """How often a method was called."""
        return len(self.server.workspace.called(method))

    @property
    def streaming(self) -> list[Message]:
        """The messages that are still streamed."""
        messages = self.server.workspace.messages(self.general)
        return [message for message in messages if self.server.streaming(message)]


def buttons_of(message: Message) -> list[dict[str, Any]]:
    """The buttons below a message."""
    rows = [block for block in message.blocks if block["type"] == "actions"]
    return [element for row in rows for element in row["elements"]]


def account_on(
    server: Slack, clock: Clock, api: Api, stopped: list[ReplyTo], rate: float = 1.0
) -> Account:
    """The account of a process that has been there for long."""
    account = Account(api, Pacer(clock, rate), clock, team=server.workspace.team)
    account.bot_user, account.bot_id = server.workspace.bot.id, server.workspace.bot.bot_id
    account.stopped = stopped.append
    account.began = clock.now() - LONG_AGO
    return account


@asynccontextmanager
async def desk(
    clock: Clock | None = None,
    *,
    limits: Limits | None = None,
    rate: float = 0.0,
    patience: float = 30.0,
    **server: Any,
) -> AsyncIterator[Desk]:
    """A Slack whose clock is the bot's, which stands still if it is not said. `patience` is how
    long an answer may take."""
    clock = clock or StoppedClock()
    async with Slack(now=clock.now, limits=limits, subscriptions=(), **server) as slack:
        api = Api(slack.api_url, slack.tokens.bot, patience)
        ann = slack.workspace.user("ann")
        general = slack.workspace.channel("general", [ann])
        question = slack.workspace.post(general, ann, "What is it?")
        stopped: list[ReplyTo] = []
        account = account_on(slack, clock, api, stopped, rate)
        try:
            yield Desk(slack, account, clock, ann, general, question, stopped)
        finally:
            await api.close()
