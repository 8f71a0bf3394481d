"""Telegram may ask to wait for as long as it likes: the chat that it means waits, nobody else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.telegram import Settings, create
from bot.app import App
from tests.clock import StoppedClock
from tests.fakes import configuration
from tests.scripted_model import ScriptedModel
from tests.telegram_server import TelegramServer
from tests.telegram_server.ptb import client


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
async def telegram(
    tmp_path: Path, model: ScriptedModel, clock: StoppedClock
) -> AsyncIterator[TelegramServer]:
    """A Telegram with a bot, for both of whom time stands still."""
    async with TelegramServer(now=clock.now) as telegram:
        settings = Settings.model_validate({"api_url": telegram.api_url})
        token = {"TELEGRAM_BOT_TOKEN": telegram.token}
        adapter = create("telegram", settings, token, clock)
        app = App(configuration(tmp_path, model.base_url), [adapter], clock=clock, environment={})
        running = asyncio.create_task(app.run())
        await telegram.until(lambda: telegram.called("getUpdates"))
        yield telegram
        app.stop()
        await running


@pytest.mark.parametrize("seconds", [1, 30, 1000])
async def test_wait_in_one_chat_is_kept_and_holds_up_no_other(
    telegram: TelegramServer, clock: StoppedClock, seconds: int
) -> None:
    ann, *others = (telegram.private(number) for number in range(7, 20))
    telegram.flood(seconds, chat=ann.id)
    for chat in (ann, *others):
        await chat.writes("Hello")
    await telegram.until(lambda: all(chat.answers == ["You said: Hello"] for chat in others))
    async with client(telegram) as other:
        while seconds not in clock.waits:
            await other.get_me()  # a while, in which the bot gets on
    clock.advance(seconds - 0.5)
    await others[0].writes("Still there?")
    await others[0].sees(lambda _: len(others[0].answers) == 2)
    assert ann.answers == []
    refused = [call for call in telegram.calls if call.chat == ann.id and call.status == 429]
    assert 1 <= len(refused) <= 2, "the preview and the message, each once"
    clock.advance(1)
    await ann.sees(lambda _: ann.answers == ["You said: Hello"])
