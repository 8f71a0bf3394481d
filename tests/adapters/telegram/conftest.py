"""A Telegram, and the adapter on it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest

from adapters.telegram import Settings, create
from bot.messages import ConversationId, ReplyTo
from bot.ports import Adapter, Clock
from tests.adapters.fake_core import Answer, FakeCore, echo
from tests.telegram_server import Chat, TelegramServer

SECRET = "a-secret_of-the-tests"
Make = Callable[..., Adapter]


class HastyClock:
    """A second of it takes a hundredth."""

    def now(self) -> float:
        """Seconds of its own."""
        return time.monotonic() * 100

    async def sleep(self, seconds: float) -> None:
        """Wait a hundredth."""
        await asyncio.sleep(seconds / 100)


@pytest.fixture
async def telegram() -> AsyncIterator[TelegramServer]:
    async with TelegramServer() as telegram:
        yield telegram


@pytest.fixture
async def make(telegram: TelegramServer) -> AsyncIterator[Make]:
    """Makes adapters with some settings, and closes them in the end."""
    async with AsyncExitStack() as stack:

        def made(clock: Clock | None = None, **settings: Any) -> Adapter:
            adapter = adapter_on(telegram, clock, **settings)
            stack.push_async_callback(adapter.close)
            return adapter

        yield made


def adapter_on(telegram: TelegramServer, clock: Clock | None = None, **settings: Any) -> Adapter:
    """The adapter of a Telegram."""
    environment = {"TELEGRAM_BOT_TOKEN": telegram.token, "TELEGRAM_WEBHOOK_SECRET": SECRET}
    values = {"api_url": telegram.api_url, "timeout": 5.0, **settings}
    return create("telegram", Settings.model_validate(values), environment, clock)


@asynccontextmanager
async def running(adapter: Adapter, answer: Answer = echo) -> AsyncIterator[FakeCore]:
    """A core that answers what the adapter takes in."""
    core = FakeCore(adapter, answer)
    async with going(adapter, core):
        yield core


@asynccontextmanager
async def going(adapter: Adapter, core: FakeCore) -> AsyncIterator[None]:
    """The adapter takes messages in for a core."""
    run = asyncio.create_task(adapter.run(core))
    try:
        yield
    finally:
        run.cancel()
        await asyncio.gather(run, return_exceptions=True)
        while core._answers:
            await asyncio.wait(core._answers)


def reply_in(chat: Chat, key: str = "turn-1", *, topic: int = 0, person: int = 0) -> ReplyTo:
    """Where a reply in a chat goes."""
    where = ConversationId("telegram", str(chat.id), str(topic or ""))
    return ReplyTo(where, key, person=f"telegram:{person}" if person else "")


def texts(core: FakeCore) -> list[str]:
    """What the core has."""
    return [message.text for message in core.received]


async def acknowledged(telegram: TelegramServer) -> None:
    """Return when Telegram has forgotten everything."""
    await telegram.until(lambda: not telegram.updates.waiting)


def said(chat: Chat, text: str) -> dict[str, Any]:
    """A message that a person wrote, as Telegram tells of it."""
    return chat.post(chat.person, text).json(chat.about)


async def acknowledged_but(telegram: TelegramServer, most: int) -> None:
    """Return when Telegram has forgotten all but so many."""
    await telegram.until(lambda: len(telegram.updates.waiting) <= most)
