"""Nothing is spent without a word: what happens twice, at once, or in the middle of a start."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from bot.config import Tuning
from bot.errors import StoreError
from bot.messages import ConversationId, IncomingMessage, Person, Profile, Provider
from bot.store import beside, inbox
from tests.clock import StoppedClock
from tests.fakes import Bot
from tests.tuning.stage import faq, presses, says, sees, settled, shown, tuned, watched
from tests.tuning_server import Drop, Fail, Hang, TuningServer

CREATE = "POST fine_tuning/jobs"
START = "/finetune start davinci-002 --suffix support"


async def prepared(bot: Bot, folder: Path) -> None:
    await says(bot, "/finetune prepare", files=[faq(folder)])
    await presses(bot, "Apply all recommended")


async def passes(bot: Bot, tuning: TuningServer, jobs: int) -> None:
    """Let time pass until there are so many jobs."""
    async with asyncio.timeout(60):
        while len(tuning.jobs) < jobs:
            bot.clock.advance(5)
            await settled(bot)


def operator_said(text: str) -> IncomingMessage:
    return IncomingMessage(ConversationId("fake", "general"), Person("fake:op"), text)


async def test_two_confirmed_at_once_do_not_both_take_what_is_left(
    tuning: TuningServer, tmp_path: Path, clock: StoppedClock
) -> None:
    rules = Tuning(provider="tuner", most_per_month=0.0031)  # one costs 0.003
    async with tuned(tuning, tmp_path, clock, tuning=rules) as bot:
        await prepared(bot, tmp_path)
        channels = [f"c{n}" for n in range(1, 6)]
        for n, channel in enumerate(channels):
            await says(bot, f"/finetune start faq davinci-002 --suffix s{n}", channel=channel)
        said = await asyncio.gather(
            *(says(bot, f"/finetune confirm {n}", channel=c) for n, c in enumerate(channels, 1))
        )
        assert sum("most_per_month" in text for text in said) == 4
        await tuning.until(lambda: tuning.jobs)
        await settled(bot)
    assert len(tuning.jobs) == 1


async def test_what_was_billed_counts_for_the_month_not_what_was_expected(
    tuning: TuningServer, tmp_path: Path, clock: StoppedClock
) -> None:
    rules = Tuning(provider="tuner", most_per_month=1.0)
    async with tuned(tuning, tmp_path, clock, tuning=rules) as bot:
        await says(bot, f"{START} --yes", files=[faq(tmp_path)])
        await tuning.until(lambda: tuning.jobs)
        await watched(bot)
        tuning.job.trained_tokens = 200_000  # $1.20, though it looked like $0.00
        tuning.job.fails("Out of luck.")
        clock.advance(5)
        await sees(bot, lambda text: "training of **support** failed" in text)
        await bot.idle()
        assert "after $1.20 this month" in await says(bot, "/finetune start faq davinci-002")


async def test_unknown_price_is_said_to_pass_the_limits(
    tuning: TuningServer, tmp_path: Path, clock: StoppedClock
) -> None:
    rules = Tuning(provider="tuner", most_per_job=5.0)
    async with tuned(tuning, tmp_path, clock, tuning=rules) as bot:
        await prepared(bot, tmp_path)
        said = await says(bot, "/finetune start faq babbage-002 --yes")
        assert "The limits in [tuning] do not hold" in said
        assert 'write `[prices."babbage-002"]` with `training`' in said
        assert "do not hold" not in await says(bot, "/finetune start faq davinci-002")
        said = await says(bot, "/finetune start file-1 davinci-002")
        assert "do not hold" in said
        assert "prepare the file here" in said


async def test_start_that_is_run_again_after_a_crash_starts_no_second_job(
    tuning: TuningServer, tmp_path: Path, clock: StoppedClock
) -> None:
    async with tuned(tuning, tmp_path, clock) as bot:
        await prepared(bot, tmp_path)
        await says(bot, "/finetune start faq davinci-002 --yes")
        await tuning.until(lambda: tuning.jobs)
        await watched(bot)
    beside(
        tmp_path / "bot.db",
        lambda db: db.execute(
            "INSERT INTO messages (id, conversation, person, name, text, origin, at) "
            "SELECT max(message), 1, 'fake:op', '', ?, '', 0 FROM jobs",
            ["/finetune start faq davinci-002 --yes"],
        ),
    )
    async with tuned(tuning, tmp_path, clock) as bot:
        await settled(bot)
        await watched(bot)
        await settled(bot)
    assert len(tuning.jobs) == 1


async def test_confirmation_that_waits_at_the_start_begins_one_job(
    tuning: TuningServer, tmp_path: Path, clock: StoppedClock
) -> None:
    async with tuned(tuning, tmp_path, clock) as bot:
        await prepared(bot, tmp_path)
        await says(bot, "/finetune start faq davinci-002")
    message = operator_said("/finetune confirm 1")
    beside(tmp_path / "bot.db", inbox.take_in, message, clock.now())
    async with tuned(tuning, tmp_path, clock) as bot:
        await passes(bot, tuning, 1)
        for _ in range(10):
            clock.advance(5)
            await settled(bot)
    assert tuning.counts[CREATE] == 1


async def test_database_that_fails_after_the_create_is_no_refusal(
    tuning: TuningServer, tmp_path: Path, clock: StoppedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise StoreError("The database failed.")

    async with tuned(tuning, tmp_path, clock) as bot:
        with monkeypatch.context() as patch:
            patch.setattr("bot.store.stages.made", fails)
            await says(bot, f"{START} --yes", files=[faq(tmp_path)])
            await tuning.until(lambda: tuning.jobs)
            await shown(bot, lambda text: "next start" in text)
        assert not [text for text in bot.says() if "was not started" in text]
    async with tuned(tuning, tmp_path, clock) as bot:
        await shown(bot, lambda text: tuning.job.id in text)
    assert tuning.counts[CREATE] == 1


@pytest.mark.parametrize("keeps_metadata", [True, False])
async def test_job_that_is_cancelled_while_it_is_made_is_cancelled_there(
    tuning: TuningServer, tmp_path: Path, clock: StoppedClock, keeps_metadata: bool
) -> None:
    tuning.keeps_metadata = keeps_metadata
    tuning.fails(CREATE, Hang(after=True))
    async with tuned(tuning, tmp_path, clock) as bot:
        await says(bot, f"{START} --yes", files=[faq(tmp_path)])
        await tuning.until(lambda: tuning.jobs)
        assert "taken back" in await says(bot, "/finetune cancel last yes")
        await shown(bot, lambda text: "training of **support** was cancelled" in text)
    assert tuning.job.status == "cancelled"
    assert tuning.counts[CREATE] == 1


async def test_withdrawal_outlives_a_crash(
    tuning: TuningServer, tmp_path: Path, clock: StoppedClock
) -> None:
    tuning.fails(CREATE, Hang(after=True))
    async with tuned(tuning, tmp_path, clock) as bot:
        await says(bot, f"{START} --yes", files=[faq(tmp_path)])
        await tuning.until(lambda: tuning.jobs)
        await says(bot, "/finetune cancel last yes")
    assert tuning.job.status != "cancelled", "killed before it could be"
    async with tuned(tuning, tmp_path, clock) as bot:
        await shown(bot, lambda text: "training of **support** was cancelled" in text)
    assert tuning.job.status == "cancelled"


async def test_job_that_is_cancelled_before_it_is_made_never_is(
    tuning: TuningServer, tmp_path: Path, clock: StoppedClock
) -> None:
    tuning.reading = None
    async with tuned(tuning, tmp_path, clock) as bot:
        await says(bot, f"{START} --yes", files=[faq(tmp_path)])
        await tuning.until(lambda: tuning.counts["GET files/{id}"])
        assert "still starting" in await says(bot, "/finetune pause last")
        assert "has no checkpoints" in await says(bot, "/finetune checkpoints last")
        await says(bot, "/finetune cancel last yes")
        await sees(bot, lambda text: "was not started: it was cancelled" in text)
        await bot.idle()
        assert "There is no job yet" in await says(bot, "/finetune list")
        whats = beside(
            tmp_path / "bot.db",
            lambda db: [row["what"] for row in db.query("SELECT what FROM audit ORDER BY id")],
        )
        assert whats[-2:] == ["start", "cancel"]
    assert not tuning.jobs


@pytest.mark.parametrize("lost", [Drop(), Drop(after=True)])
async def test_two_jobs_from_one_file_are_not_taken_for_each_other(
    tuning: TuningServer, tmp_path: Path, clock: StoppedClock, lost: Drop
) -> None:
    tuning.keeps_metadata = False
    async with tuned(tuning, tmp_path, clock) as bot:
        await prepared(bot, tmp_path)
        tuning.fails(CREATE, lost, times=1)
        for channel in ("one", "two"):
            await says(bot, "/finetune start faq davinci-002 --suffix same --yes", channel=channel)
        await passes(bot, tuning, 2)
        await watched(bot, 2)
        said = [text for channel in ("one", "two") for text in bot.says(channel)]
        assert not [text for text in said if "not started" in text]
        for _ in range(20):
            clock.advance(5)
            await settled(bot)
    assert len(tuning.jobs) == 2


async def test_job_whose_answer_was_lost_is_found_though_the_clock_there_is_far_off(
    tuning: TuningServer, tmp_path: Path, clock: StoppedClock
) -> None:
    tuning.keeps_metadata = False
    tuning.fails(CREATE, Drop(after=True))
    async with tuned(tuning, tmp_path, clock) as bot:
        await says(bot, f"{START} --yes", files=[faq(tmp_path)])
        await tuning.until(lambda: tuning.jobs)
        tuning.job.created_at -= 86_400
        await shown(bot, lambda text: tuning.job.id in text)
    assert tuning.counts[CREATE] == 1


async def test_older_job_of_somebody_else_from_the_same_file_is_not_taken(
    tuning: TuningServer, tmp_path: Path, clock: StoppedClock
) -> None:
    tuning.keeps_metadata = False
    async with tuned(tuning, tmp_path, clock) as bot:
        await prepared(bot, tmp_path)
        file = tuning.keep("faq.jsonl", b'{"prompt": "a", "completion": "b"}\n' * 10)
        tuning.add({"model": "davinci-002", "training_file": file.id})
        tuning.fails(CREATE, Drop())
        await says(bot, f"/finetune start {file.id} davinci-002 --yes")
        await passes(bot, tuning, 2)


async def test_start_says_what_it_waits_for(
    tuning: TuningServer, tmp_path: Path, clock: StoppedClock
) -> None:
    tuning.fails(CREATE, Fail(429, retry_after=40), times=50)
    async with tuned(tuning, tmp_path, clock) as bot:
        await says(bot, f"{START} --yes", files=[faq(tmp_path)])
        await shown(bot, lambda text: "Waiting. The provider tuner limits" in text)


async def test_start_pressed_after_a_refusal_is_a_sentence(
    tuning: TuningServer, tmp_path: Path, clock: StoppedClock
) -> None:
    tuning.eligible = False
    async with tuned(tuning, tmp_path, clock) as bot:
        await says(bot, START, files=[faq(tmp_path)])
        await presses(bot, "Start")
        await sees(bot, lambda text: "was not started" in text)
        assert "declined or started already" in await presses(bot, "Start")


async def test_start_pressed_twice_leaves_the_card_as_it_is(
    tuning: TuningServer, tmp_path: Path, clock: StoppedClock
) -> None:
    async with tuned(tuning, tmp_path, clock) as bot:
        await says(bot, START, files=[faq(tmp_path)])
        await presses(bot, "Start")
        await tuning.until(lambda: tuning.jobs)
        await shown(bot, lambda text: tuning.job.id in text)
        await presses(bot, "Start")
        assert not [text for text in bot.says() if "Beginning" in text]


async def test_dataset_deleted_meanwhile_is_a_sentence_without_a_path(
    tuning: TuningServer, tmp_path: Path, clock: StoppedClock
) -> None:
    async with tuned(tuning, tmp_path, clock) as bot:
        await prepared(bot, tmp_path)
        await says(bot, "/finetune start faq davinci-002")
        await says(bot, "/finetune delete faq yes")
        await says(bot, "/finetune confirm 1")
        said = await sees(bot, lambda text: "was not started" in text)
        assert "may have been deleted" in said
        assert str(tmp_path) not in said


async def test_job_that_starts_at_a_provider_that_is_gone_waits_for_it(
    tuning: TuningServer, tmp_path: Path, clock: StoppedClock
) -> None:
    tuning.reading = None
    async with tuned(tuning, tmp_path, clock) as bot:
        await says(bot, f"{START} --yes", files=[faq(tmp_path)])
        await tuning.until(lambda: tuning.counts["GET files/{id}"])
    other = Provider("other", base_url=tuning.base_url)
    changes: dict[str, Any] = {
        "providers": {"other": other},
        "profiles": {"assistant": Profile("assistant", "other", "gpt-4o-mini")},
        "tuning": Tuning(provider="other"),
    }
    async with tuned(tuning, tmp_path, clock, **changes) as bot:
        assert "starting" in await says(bot, "/finetune list")
    [file] = [each for each in tuning.files.values() if each.purpose == "fine-tune"]
    file.read()
    async with tuned(tuning, tmp_path, clock) as bot:
        await passes(bot, tuning, 1)
