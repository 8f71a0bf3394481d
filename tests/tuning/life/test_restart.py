"""A bot that dies and comes back: every job goes on, and everything is told once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.clock import StoppedClock
from tests.fakes import Wall
from tests.tuning.stage import (
    faq,
    looks,
    presses,
    says,
    sees,
    settled,
    shown,
    starts,
    tuned,
    watched,
)
from tests.tuning_server import Hang, TuningServer

Happens = Callable[[TuningServer], None]


def queued(tuning: TuningServer) -> None:
    tuning.job.queues(7)


def running(tuning: TuningServer) -> None:
    tuning.job.runs()
    tuning.job.step(1, 9, 2.0)
    tuning.job.tell("Learning slowly", "warn")


def succeeded(tuning: TuningServer) -> None:
    running(tuning)
    tuning.job.succeeds()


def failed(tuning: TuningServer) -> None:
    tuning.job.fails("No luck.", 3)


@pytest.mark.parametrize("before", [queued, running])
@pytest.mark.parametrize("meanwhile", [queued, running, succeeded, failed])
async def test_restart_in_any_state_tells_everything_once(
    tuning: TuningServer, tmp_path: Path, clock: StoppedClock, before: Happens, meanwhile: Happens
) -> None:
    wall = Wall(tmp_path / "wall.jsonl")
    async with tuned(tuning, tmp_path, clock, wall=wall) as bot:
        await starts(bot, tuning, tmp_path)
        before(tuning)
        await looks(bot, tuning, 5)
        await settled(bot)
    meanwhile(tuning)
    async with tuned(tuning, tmp_path, clock, wall=wall) as bot:
        await settled(bot)
        if tuning.job.ended:
            await sees(bot, lambda text: "**support** is trained" in text or "failed" in text)
        else:
            await watched(bot)
        await settled(bot)
        warned = sum(event["level"] == "warn" for event in tuning.job.events)
        assert bot.says().count("⚠️ Learning slowly") == warned
        began = any("started" in event["message"] for event in tuning.job.events)
        assert sum("training of **support** started" in text for text in bot.says()) <= began
        assert (
            sum(
                text.split("\n")[0].startswith(("🏃 **", "✅ **s", "❌ **", "⏳ **"))
                and tuning.job.id in text
                for text in bot.says()
            )
            == 1
        ), "one card, edited"
    async with tuned(tuning, tmp_path, clock, wall=wall) as bot:
        said = list(bot.says())
        await settled(bot)
        if tuning.job.ended:
            assert bot.says() == said
        assert len(tuning.jobs) == 1


async def test_restart_while_the_file_is_read_starts_one_job_from_one_file(
    tuning: TuningServer, tmp_path: Path, clock: StoppedClock
) -> None:
    tuning.reading = None
    async with tuned(tuning, tmp_path, clock) as bot:
        await says(bot, "/finetune start davinci-002 --yes", files=[faq(tmp_path)])
        await tuning.until(lambda: tuning.counts["GET files/{id}"])
    [file] = tuning.files.values()
    file.read()
    async with tuned(tuning, tmp_path, clock) as bot:
        await tuning.until(lambda: tuning.jobs)
        await watched(bot)
        assert len(tuning.jobs) == len(tuning.files) == 1


@pytest.mark.parametrize("keeps_metadata", [True, False])
async def test_restart_between_the_create_and_its_answer_makes_no_second_job(
    tuning: TuningServer, tmp_path: Path, clock: StoppedClock, keeps_metadata: bool
) -> None:
    tuning.keeps_metadata = keeps_metadata
    hang = Hang(after=True)
    tuning.fails("POST fine_tuning/jobs", hang)
    async with tuned(tuning, tmp_path, clock) as bot:
        await says(bot, "/finetune start davinci-002 --yes", files=[faq(tmp_path)])
        await tuning.until(lambda: tuning.jobs)
    async with tuned(tuning, tmp_path, clock) as bot:
        await shown(bot, lambda text: tuning.job.id in text)
        assert len(tuning.jobs) == 1
        assert tuning.counts["POST fine_tuning/jobs"] == 1


async def test_learned_model_is_there_after_a_restart(
    tuning: TuningServer, tmp_path: Path, clock: StoppedClock
) -> None:
    async with tuned(tuning, tmp_path, clock) as bot:
        await starts(bot, tuning, tmp_path)
        tuning.job.succeeds()
        await looks(bot, tuning, 5, ends=True)
        await sees(bot, lambda text: "is trained" in text)
        await bot.idle()
        await presses(bot, "Use here")
    async with tuned(tuning, tmp_path, clock) as bot:
        assert (await bot.hears("open door 2"))[-1].strip() == "14"
        assert "**support** answers here" in await says(bot, "/model")
