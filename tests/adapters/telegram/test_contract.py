"""The promises of every adapter, in a private chat, in a group, and without previews.

Telegram runs in a thread of its own: what the adapter leaves running is seen then.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from itertools import count
from typing import Any, TypeVar

import pytest

from bot.messages import ReplyTo
from tests.adapters.contract import AdapterContract
from tests.adapters.telegram.conftest import HastyClock, adapter_on, reply_in
from tests.telegram_server import Chat, TelegramServer

T = TypeVar("T")


class Elsewhere:
    """A loop in a thread."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, name="telegram")
        self._thread.start()

    async def do(self, work: Coroutine[Any, Any, T]) -> T:
        """What comes of something that is done there."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self.loop))

    def close(self) -> None:
        """Nothing is done there any more."""
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()


class TelegramStage:
    """One person in one chat."""

    def __init__(self, elsewhere: Elsewhere, telegram: TelegramServer, chat: Chat) -> None:
        self.adapter = adapter_on(telegram, HastyClock(), chat_rate=0, group_rate=0, rate=0)
        self._elsewhere = elsewhere
        self._telegram = telegram
        self._chat = chat
        self._keys = count(1)

    def reply(self) -> ReplyTo:
        return reply_in(self._chat, f"turn-{next(self._keys)}")

    async def seen(self) -> str:
        return "\n".join(self._chat.answers)

    async def files(self) -> dict[str, bytes]:
        found = [message.file for message in self._chat.messages if message.file]
        return {file.name: file.content for file in found}

    async def says(self, *texts: str) -> None:
        for text in texts:
            await self._elsewhere.do(self._chat.writes(text))

    async def listening(self) -> None:
        polls = self._telegram.until(lambda: self._telegram.updates._ousted)
        await self._elsewhere.do(polls)


@asynccontextmanager
async def a_telegram(*, drafts: bool) -> AsyncIterator[tuple[Elsewhere, TelegramServer]]:
    """A Telegram in a thread."""
    elsewhere, telegram = Elsewhere(), TelegramServer(limits=None, supports_drafts=drafts)
    try:
        await elsewhere.do(telegram.__aenter__())
        yield elsewhere, telegram
        await elsewhere.do(telegram.__aexit__(None))
    finally:
        elsewhere.close()


@pytest.fixture(params=["private", "group", "without drafts"])
async def stage(request: pytest.FixtureRequest) -> AsyncIterator[TelegramStage]:
    drafts = request.param != "without drafts"
    async with a_telegram(drafts=drafts) as (elsewhere, telegram):
        group = request.param == "group"
        chat = telegram.group(-1_000_000_000_007) if group else telegram.private(7)
        stage = TelegramStage(elsewhere, telegram, chat)
        yield stage
        await stage.adapter.close()


class TestTelegram(AdapterContract):
    """On the Bot API of the tests."""
