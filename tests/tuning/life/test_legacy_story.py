"""A job on the legacy surface: events without ids, epochs instead of steps."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.clock import StoppedClock
from tests.tuning.stage import faq, presses, says, sees, shown, tuned
from tests.tuning_server import Story, TuningServer

TOLD = Story(steps=4, epochs=4, queue=(31, 30, 30, 27), reading=1.0, waiting=60.0, pace=30.0)


@pytest.fixture
async def tuning(clock: StoppedClock) -> AsyncIterator[TuningServer]:
    async with TuningServer(key="", now=clock.now, story=TOLD) as tuning:
        yield tuning


async def test_whole_story_of_a_legacy_job(
    tuning: TuningServer, tmp_path: Path, clock: StoppedClock
) -> None:
    async with tuned(tuning, tmp_path, clock, kind="legacy") as bot:
        await says(bot, "/finetune start davinci-002 --suffix support --yes", files=[faq(tmp_path)])
        await shown(bot, lambda text: "Queue number 30" in text)
        assert "until it starts" in await shown(bot, lambda text: "Queue number 27" in text)
        await shown(bot, lambda text: "epoch 2/4" in text)
        await shown(bot, lambda text: "**support** is trained" in text)
        await bot.idle()
        told = await says(bot, "/finetune events last")
        messages = [event["message"] for event in tuning.job.events]
        assert [line.split(" ", 3)[3] for line in told.splitlines()] == messages
        assert sum("training of **support** started" in text for text in bot.says()) == 1
        await presses(bot, "Use here")
        assert (await bot.hears("open door 3"))[-1].strip() == "21"
        await sees(bot, lambda text: text.strip() == "21")
