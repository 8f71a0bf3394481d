"""Jobs that are followed: every event told once and in order, to everyone who follows."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot.errors import StoreBusy
from tests.clock import StoppedClock
from tests.tuning.stage import (
    LOOK,
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
from tests.tuning_server import Fail, Job, Story, TuningServer

LONG = Story(steps=303, epochs=3, queue=(), reading=0.0, waiting=0.0, pace=0.01)


async def test_303_steps_over_pages_of_20_are_read_once_and_in_order(
    tuning: TuningServer, tmp_path: Path, clock: StoppedClock
) -> None:
    tuning.story = LONG
    async with tuned(tuning, tmp_path, clock) as bot:
        await starts(bot, tuning, tmp_path)
        await looks(bot, tuning, 10, ends=True)
        await sees(bot, lambda text: "is trained" in text)
        await bot.idle()
        said = await says(bot, "/finetune events last")
        assert "The newest 20 of" in said
        file = bot.adapter.documents[-1].content.decode()
        told = [line.split(" ", 2)[2] for line in file.splitlines()]
        steps = [int(line.split()[1].split("/")[0]) for line in told if line.startswith("Step ")]
        assert steps == list(range(1, 304))
        assert told == [each["message"] for each in tuning.job.events]
        assert not [text for text in bot.says() if text.startswith("Step ")], "steps are no news"


async def test_checkpoints_and_warnings_are_told_beneath_the_card(
    tuning: TuningServer, tmp_path: Path, clock: StoppedClock
) -> None:
    async with tuned(tuning, tmp_path, clock) as bot:
        await starts(bot, tuning, tmp_path)
        tuning.job.runs()
        tuning.job.step(1, 9, 1.5)
        tuning.job.tell("Loss is not going down", "warn")
        tuning.job.tell("Checkpoint created at step 3")
        await looks(bot, tuning, 5)
        await sees(bot, lambda text: text == "Checkpoint created at step 3")
        await shown(bot, lambda text: "step 1/9" in text)
        assert "⚠️ Loss is not going down" in bot.says()
        card = next(name for name, text in bot.wall.posts("general").items() if "step 1/9" in text)
        assert set(bot.adapter.beneath) == {card}
        await looks(bot, tuning, 5)
        assert bot.says().count("Checkpoint created at step 3") == 1


async def test_queue_that_skips_and_repeats_is_shown_with_its_time(
    tuning: TuningServer, tmp_path: Path, clock: StoppedClock
) -> None:
    async with tuned(tuning, tmp_path, clock) as bot:
        await starts(bot, tuning, tmp_path)
        for number in (31, 27, 27, 12):
            tuning.job.queues(number)
            await looks(bot, tuning, 60)
        card = await shown(bot, lambda text: "Queue number 12" in text)
        assert "until it starts" in card


async def test_job_that_fails_says_why_and_where(
    tuning: TuningServer, tmp_path: Path, clock: StoppedClock
) -> None:
    async with tuned(tuning, tmp_path, clock) as bot:
        await starts(bot, tuning, tmp_path)
        tuning.job.fails("Invalid file format.", 20)
        await looks(bot, tuning, 5, ends=True)
        said = await sees(bot, lambda text: "training of **support** failed" in text)
        assert "20" in said
        assert "Invalid file format" in said
        assert not bot.adapter.documents


async def test_cancel_asks_and_says_that_what_was_trained_is_billed(
    tuning: TuningServer, tmp_path: Path, clock: StoppedClock
) -> None:
    async with tuned(tuning, tmp_path, clock) as bot:
        await starts(bot, tuning, tmp_path)
        tuning.job.runs()
        await looks(bot, tuning, 5)
        assert "are billed" in await says(bot, "/finetune cancel last")
        assert tuning.job.status == "running"
        await presses(bot, "Cancel the job")
        assert tuning.job.status == "cancelled"
        await sees(bot, lambda text: "training of **support** was cancelled" in text)


async def test_pause_and_resume(tuning: TuningServer, tmp_path: Path, clock: StoppedClock) -> None:
    async with tuned(tuning, tmp_path, clock) as bot:
        await starts(bot, tuning, tmp_path)
        tuning.job.runs()
        await looks(bot, tuning, 5)
        await says(bot, "/finetune pause support")
        await sees(bot, lambda text: text.startswith("**support** is paus"))
        await sees(bot, lambda text: text.startswith("It is paus"))
        await says(bot, "/finetune resume support")
        await sees(bot, lambda text: text.startswith("**support** is runn"))
        assert sum("started" in text for text in bot.says()) == 1, "it goes on, it does not begin"


async def test_two_channels_follow_one_job_with_one_look_at_it(
    tuning: TuningServer, tmp_path: Path, clock: StoppedClock
) -> None:
    async with tuned(tuning, tmp_path, clock) as bot:
        await starts(bot, tuning, tmp_path)
        await says(bot, "/finetune follow support", channel="other", person="ann")
        tuning.job.runs()
        before = tuning.counts[LOOK]
        await looks(bot, tuning, 5)
        assert tuning.counts[LOOK] == before + 1
        for channel in ("general", "other"):
            await sees(bot, lambda text: "started" in text, channel)
        assert "Nothing more" in await says(bot, "/finetune unfollow support", channel="other")
        tuning.job.fails("Out of luck.")
        await looks(bot, tuning, 5, ends=True)
        await sees(bot, lambda text: "failed" in text)
        await settled(bot)
        assert not [text for text in bot.says("other") if "Out of luck" in text]


def made_elsewhere(tuning: TuningServer) -> Job:
    """A job that runs, and of which no bot knows."""
    file = tuning.keep("elsewhere.jsonl", b'{"prompt": "a", "completion": "b"}\n')
    job = tuning.add({"model": "davinci-002", "training_file": file.id, "suffix": "theirs"})
    job.runs()
    return job


async def test_job_that_was_made_elsewhere_is_adopted(
    tuning: TuningServer, tmp_path: Path, clock: StoppedClock
) -> None:
    job = made_elsewhere(tuning)
    job.step(3, 10, 1.0)
    async with tuned(tuning, tmp_path, clock) as bot:
        said = await says(bot, f"/finetune follow {job.id}")
        assert "davinci-002" in said
        await watched(bot)
        await shown(bot, lambda text: "step 3/10" in text)
        assert not [text for text in bot.says() if "started" in text], "that is long ago"
        job.succeeds()
        await looks(bot, tuning, 30, ends=True)
        await sees(bot, lambda text: "**theirs** is trained" in text)


@pytest.mark.parametrize("ended", [True, False])
async def test_what_happened_before_a_job_was_adopted_is_no_news(
    tuning: TuningServer, tmp_path: Path, clock: StoppedClock, ended: bool
) -> None:
    job = made_elsewhere(tuning)
    for step in range(1, 31):
        job.tell(f"Careful {step}", "warn")
    job.step(3, 10, 1.0)
    if ended:
        job.succeeds()
    async with tuned(tuning, tmp_path, clock) as bot:
        await says(bot, f"/finetune follow {job.id}")
        if not ended:
            await watched(bot)
            job.tell("Careful again", "warn")
            job.succeeds()
            await looks(bot, tuning, 30, ends=True)
        await sees(bot, lambda text: "**theirs** is trained" in text)
        await bot.idle()
        told = [text for text in bot.says() if "Careful" in text]
        assert told == ([] if ended else ["⚠️ Careful again"])
        assert "Careful 30" in await says(bot, "/finetune events last")


@pytest.mark.parametrize("seen", [True, False])
async def test_what_happens_after_a_job_was_adopted_is_told_after_a_restart(
    tuning: TuningServer, tmp_path: Path, clock: StoppedClock, seen: bool
) -> None:
    job = made_elsewhere(tuning)
    if seen:
        job.tell("Careful before", "warn")
    else:
        job.events.clear()
    async with tuned(tuning, tmp_path, clock) as bot:
        await says(bot, f"/finetune follow {job.id}")
    job.tell("Careful meanwhile", "warn")
    async with tuned(tuning, tmp_path, clock) as bot:
        await sees(bot, lambda text: text == "⚠️ Careful meanwhile")
        await watched(bot)
        assert not [text for text in bot.says() if "Careful before" in text]


async def test_events_of_a_job_that_was_made_elsewhere_are_there_at_once(
    tuning: TuningServer, tmp_path: Path, clock: StoppedClock
) -> None:
    file = tuning.keep("elsewhere.jsonl", b'{"prompt": "a", "completion": "b"}\n')
    job = tuning.add({"model": "davinci-002", "training_file": file.id})
    job.step(3, 10, 1.0)
    async with tuned(tuning, tmp_path, clock) as bot:
        assert "Step 3/10" in await says(bot, f"/finetune events {job.id}")


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_trouble_of_the_service_ends_no_following(
    tuning: TuningServer, tmp_path: Path, clock: StoppedClock, status: int
) -> None:
    async with tuned(tuning, tmp_path, clock) as bot:
        await starts(bot, tuning, tmp_path)
        tuning.fails("", Fail(status), times=30)
        for _ in range(4):
            clock.advance(400)
            await settled(bot)
        tuning.faults.clear()
        tuning.job.fails("At last.")
        async with asyncio.timeout(60):
            while not any("training of **support** failed" in text for text in bot.says()):
                clock.advance(100)
                await settled(bot)


async def test_full_disk_loses_no_event(
    tuning: TuningServer,
    tmp_path: Path,
    clock: StoppedClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with tuned(tuning, tmp_path, clock) as bot:
        await starts(bot, tuning, tmp_path)
        tuning.job.tell("Careful", "warn")

        def full(*_: object, **__: object) -> None:
            raise StoreBusy("The database is locked.")

        with monkeypatch.context() as patch:
            patch.setattr("bot.store.telling.tell", full)
            await looks(bot, tuning, 5)
        assert "⚠️ Careful" not in bot.says()
        await looks(bot, tuning, 60)
        await sees(bot, lambda text: text == "⚠️ Careful")


async def test_job_is_found_by_its_end_its_name_or_as_the_last(
    tuning: TuningServer, tmp_path: Path, clock: StoppedClock
) -> None:
    async with tuned(tuning, tmp_path, clock) as bot:
        await starts(bot, tuning, tmp_path)
        for name in (tuning.job.id, tuning.job.id[-5:], "Support", "last", "1", ""):
            assert tuning.job.id in await says(bot, f"/finetune status {name}", person="ann")
        assert "There is no job 'other'" in await says(bot, "/finetune status other")
        assert "**support**" in await says(bot, "/finetune list", person="ann")
