"""The promises of every adapter: in direct messages and in a channel, streamed and edited.

Slack runs in a thread of its own: what the adapter leaves running is seen then.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from itertools import count
from typing import Any, TypeVar

import pytest

from bot.messages import ReplyTo
from tests.adapters.contract import AdapterContract
from tests.adapters.slack.conftest import HastyClock, adapter_on, reply_in
from tests.slack_server.people import Person
from tests.slack_server.slack import Slack
from tests.slack_server.values import Channel, Message

T = TypeVar("T")


class Elsewhere:
    """A loop in a thread."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, name="slack")
        self._thread.start()

    async def do(self, work: Coroutine[Any, Any, T]) -> T:
        """What comes of something that is done there."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self.loop))

    async def call(self, function: Callable[..., T], *given: Any) -> T:
        """The same for what waits for nothing."""

        async def called() -> T:
            return function(*given)

        return await self.do(called())

    def close(self) -> None:
        """Nothing is done there any more."""
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()


class SlackStage:
    """One person in one thread, which is the bot's."""

    def __init__(
        self, elsewhere: Elsewhere, slack: Slack, person: Person, channel: Channel, root: Message
    ) -> None:
        self.adapter = adapter_on(slack, HastyClock())
        self._elsewhere = elsewhere
        self._slack = slack
        self._person = person
        self._channel = channel
        self._root = root
        self._keys = count(1)

    def reply(self) -> ReplyTo:
        return reply_in(self._slack, self._channel, self._root, f"turn-{next(self._keys)}")

    async def seen(self) -> str:
        return "\n".join(self._slack.workspace.visible(self._channel))

    async def files(self) -> dict[str, bytes]:
        found = [file for message in self._messages for file in message.files]
        return {file.name: file.content for file in found}

    @property
    def _messages(self) -> list[Message]:
        return self._slack.workspace.messages(self._channel)

    async def says(self, *texts: str) -> None:
        await self.listening()
        mention = "" if self._channel.kind == "im" else "@tunebot "
        for text in texts:
            await self._elsewhere.call(self._say, f"{mention}{text}")

    def _say(self, text: str) -> None:
        self._person.says(self._channel, text, thread_ts=self._root.ts)

    async def listening(self) -> None:
        live = self._slack.delivery.sockets.live
        await self._elsewhere.do(self._slack.workspace.until(lambda: len(live) == 2))


@asynccontextmanager
async def a_slack(streams: str) -> AsyncIterator[tuple[Elsewhere, Slack]]:
    """A Slack in a thread."""
    elsewhere, slack = Elsewhere(), Slack(limits=None, streams=streams)
    try:
        await elsewhere.do(slack.__aenter__())
        yield elsewhere, slack
        await elsewhere.do(slack.__aexit__(None))
    finally:
        elsewhere.close()


@pytest.fixture(params=["direct", "channel", "without streams"])
async def stage(request: pytest.FixtureRequest) -> AsyncIterator[SlackStage]:
    streams = "nowhere" if request.param == "without streams" else "everywhere"
    async with a_slack(streams) as (elsewhere, slack):
        ann = slack.person("ann")
        channel = ann.im
        if request.param != "direct":
            channel = slack.workspace.channel("general", [ann.user])
        slack.delivery.subscriptions = ()  # it is not what the bot is asked
        root = await elsewhere.call(ann.says, channel, "A question")
        slack.delivery.subscriptions = None
        stage = SlackStage(elsewhere, slack, ann, channel, root)
        yield stage
        await stage.adapter.close()


class TestSlack(AdapterContract):
    """On the Slack of the tests."""
