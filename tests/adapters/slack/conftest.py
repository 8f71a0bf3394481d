"""A Slack, and the adapter on it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest

from adapters.slack import Settings, create
from adapters.slack.place import Place
from bot.messages import ConversationId, RawEvent, ReplyTo
from bot.ports import Adapter, Clock
from tests.adapters.fake_core import Answer, FakeCore, echo
from tests.clock import StoppedClock
from tests.slack_server.slack import Slack
from tests.slack_server.values import Channel, Message

Make = Callable[..., Adapter]


class HastyClock:
    """A second of it takes a hundredth."""

    def now(self) -> float:
        """Seconds of its own."""
        return time.monotonic() * 100

    async def sleep(self, seconds: float) -> None:
        """Wait a hundredth."""
        await asyncio.sleep(seconds / 100)


class Core(FakeCore):
    """Knows when an adapter has begun: `begun` is set once it looks at the shelf."""

    def __init__(self, adapter: Adapter, answer: Answer = echo) -> None:
        super().__init__(adapter, answer)
        self.begun = asyncio.Event()

    async def shelved(self, adapter: str) -> Sequence[RawEvent]:
        """What is left."""
        self.begun.set()
        return await super().shelved(adapter)


@pytest.fixture
def patience() -> StoppedClock:
    """The clock by which Slack delivers again. It stands, or a slow machine would be told things
    twice: a test that wants that moves it on.
    """
    return StoppedClock()


@pytest.fixture
async def slack(patience: StoppedClock) -> AsyncIterator[Slack]:
    async with Slack(limits=None, sleep=patience.sleep) as slack:
        yield slack


@pytest.fixture
async def make(slack: Slack) -> AsyncIterator[Make]:
    """Makes adapters with some settings, and closes them in the end."""
    async with AsyncExitStack() as stack:

        def made(clock: Clock | None = None, **settings: Any) -> Adapter:
            adapter = adapter_on(slack, clock or HastyClock(), **settings)
            stack.push_async_callback(adapter.close)
            return adapter

        yield made


@pytest.fixture
def adapter(make: Make) -> Adapter:
    return make()


def adapter_on(slack: Slack, clock: Clock | None = None, **settings: Any) -> Adapter:
    """The adapter of a Slack, writing at any speed."""
    tokens = slack.tokens
    environment = {
        "SLACK_BOT_TOKEN": tokens.bot,
        "SLACK_APP_TOKEN": tokens.app,
        "SLACK_SIGNING_SECRET": tokens.signing_secret,
    }
    values = {"api_url": slack.api_url, "timeout": 30.0, "channel_rate": 0, **settings}
    return create("slack", Settings.model_validate(values), environment, clock)


@asynccontextmanager
async def running(
    adapter: Adapter, answer: Answer = echo, core: Core | None = None
) -> AsyncIterator[Core]:
    """A core that answers what the adapter takes in."""
    core = core or Core(adapter, answer)
    run = asyncio.create_task(adapter.run(core))
    try:
        yield core
    finally:
        run.cancel()
        await asyncio.gather(run, return_exceptions=True)
        while core._answers:
            await asyncio.wait(core._answers)


def texts(core: FakeCore) -> list[str]:
    """What the core has heard."""
    return [message.text for message in core.received]


async def read(slack: Slack, core: FakeCore) -> None:
    """Return when all that was told is acknowledged, and read from the shelf."""
    await slack.delivery.settled()
    async with asyncio.timeout(30):
        while reading := [task for task in asyncio.all_tasks() if task.get_name()[:5] == "read "]:
            await asyncio.wait(reading)
    assert not core.shelf


def reply_in(slack: Slack, channel: Channel, message: Message, key: str = "turn-1") -> ReplyTo:
    """Where a reply to a message goes: into its thread."""
    direct = channel.kind == "im"
    place = Place(
        channel.id, message.thread, slack.workspace.team, message.user, message.ts, direct
    )
    where = ConversationId("slack", channel.id, message.thread)
    return ReplyTo(where, key, place.origin(), f"slack:{message.user}")
