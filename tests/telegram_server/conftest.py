"""A Telegram whose time stands still, a client of it, and Ann, who has started the bot."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from telegram import Bot

from tests.clock import StoppedClock
from tests.telegram_server import Chat, TelegramServer
from tests.telegram_server.ptb import client


@pytest.fixture(autouse=True)
def _timedeltas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PTB_TIMEDELTA", "1")  # without it RetryAfter warns


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
async def server(clock: StoppedClock) -> AsyncIterator[TelegramServer]:
    async with TelegramServer(now=clock.now) as server:
        yield server


@pytest.fixture
async def bot(server: TelegramServer) -> AsyncIterator[Bot]:
    async with client(server) as bot:
        yield bot


@pytest.fixture
def ann(server: TelegramServer) -> Chat:
    return server.private(7, "Ann")
