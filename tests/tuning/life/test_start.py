"""Before money is spent: the price, the limits, what speaks against a job; and that it is made
once.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.config import Tuning
from tests.clock import StoppedClock
from tests.fakes import Bot
from tests.tuning.stage import (
    ASLEEP,
    faq,
    presses,
    says,
    sees,
    settled,
    shown,
    starts,
    tuned,
    watched,
)
from tests.tuning_server import Drop, Fail, TuningServer

START = "/finetune start davinci-002 --suffix support"


@pytest.fixture
async def bot(tuning: TuningServer, tmp_path: Path, clock: StoppedClock) -> AsyncIterator[Bot]:
    async with tuned(tuning, tmp_path, clock) as bot:
        yield bot


async def prepared(bot: Bot, folder: Path) -> None:
    """A dataset named faq is there."""
    await says(bot, "/finetune prepare", files=[faq(folder)])
    await presses(bot, "Apply all recommended")


async def test_nothing_is_started_before_it_is_confirmed(
    bot: Bot, tuning: TuningServer, tmp_path: Path
) -> None:
    await says(bot, START, files=[faq(tmp_path)])
    assert "nothing costs anything" in await presses(bot, "Cancel")
    assert "started or declined before" in await presses(bot, "Cancel")
    assert "declined or started already" in await presses(bot, "Start")
    await settled(bot)
    assert not tuning.called("POST files")
    assert not tuning.jobs


async def test_confirming_twice_starts_one_job(
    bot: Bot, tuning: TuningServer, tmp_path: Path
) -> None:
    await says(bot, START, files=[faq(tmp_path)])
    await presses(bot, "Start")
    await presses(bot, "Start")
    await tuning.until(lambda: tuning.jobs)
    await watched(bot)
    assert len(tuning.jobs) == 1


async def test_options_reach_the_service(bot: Bot, tuning: TuningServer, tmp_path: Path) -> None:
    await prepared(bot, tmp_path)
    await says(
        bot,
        "/finetune start faq davinci-002 --epochs 2 --batch=4 --lr 0.5 --seed 7 --suffix door —yes",
    )
    await tuning.until(lambda: tuning.jobs)
    asked = tuning.job.asked
    assert asked["method"]["supervised"]["hyperparameters"] == {
        "n_epochs": 2,
        "batch_size": 4,
        "learning_rate_multiplier": 0.5,
    }
    assert (asked["seed"], asked["suffix"]) == (7, "door")
    assert tuning.files[asked["training_file"]].name == "faq_prepared.jsonl"


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("/finetune start faq", "Write `/finetune start DATASET MODEL`"),
        ("/finetune start fak davinci-002", "did you mean 'faq'?"),
        ("/finetune start faq davanci-002", "did you mean 'davinci-002'?"),
        ("/finetune start faq davinci-002 --epochs many", "a whole number from 1 to 50"),
        ("/finetune start faq davinci-002 --epoch 3", "did you mean --epochs?"),
        ("/finetune start faq davinci-002 --lr -1", "write a number above 0"),
        ("/finetune start faq davinci-002 --service azur", "no provider named 'azur'"),
        ("/finetune start faq davinci-002 --method dpo", "--method supervised trains from them"),
        ("/finetune strat faq davinci-002", "/finetune start"),
        ("/finetune start davinci-002 faq", "comes first: `/finetune start faq MODEL`"),
        ("/finetune start faq davinci-002 --yes=no", "--yes takes no value"),
        ("/finetune start faq davinci-002 --beta 1", "Only --method dpo"),
        ("/finetune start faq davinci-002 --lr 1,5", "--lr 1,5: write a number above 0, such as"),
        ("/finetune start faq davinci-002 --lr 1e-5", "with 1e-05 next to nothing is learned"),
        ("/finetune dataset", "Write `/finetune dataset NAME`, or `/finetune dataset from here`"),
        ("/finetune dataset from hree", "or `/finetune dataset from here`"),
        ("/finetune prepare faq.csv", "No file came with the command. Send the file together"),
        ("/finetune status", "There is no job yet"),
        ("/finetune confirm 77", "declined or started already"),
    ],
)
async def test_what_is_mistyped_gets_a_sentence(
    bot: Bot, tmp_path: Path, typed: str, sentence: str
) -> None:
    await prepared(bot, tmp_path)
    assert sentence in await says(bot, typed)


async def test_card_warns_of_what_speaks_against_the_job(bot: Bot, tmp_path: Path) -> None:
    await prepared(bot, tmp_path)
    said = await says(bot, "/finetune start faq gpt-4o-mini --validation faq")
    assert "20 examples are few" in said
    assert "ends" in said
    assert "2027-01-14" in said
    assert "will say nothing" in said
    assert "does not list" in await says(bot, "/finetune start faq my-own-model")


async def test_list_of_models_that_does_not_come_is_not_taken_for_one_without_the_model(
    bot: Bot, tuning: TuningServer, tmp_path: Path
) -> None:
    await prepared(bot, tmp_path)
    tuning.fails("GET models", Fail(403), times=30)
    said = await says(bot, "/finetune start faq davinci-002")
    assert "Whether tuner has davinci-002 is not known. The provider tuner" in said
    assert "The server had an error" in said
    assert "does not list" not in said


async def test_card_warns_of_examples_that_train_and_validate(bot: Bot, tmp_path: Path) -> None:
    await prepared(bot, tmp_path)
    few = faq(tmp_path, count=7)
    await says(bot, "/finetune prepare", files=[replace(few, name="few.csv")])
    await presses(bot, "Apply all recommended")
    said = await says(bot, "/finetune start faq davinci-002 --validation few")
    assert "⚠️ 7 " in said


async def test_job_over_a_limit_is_not_started(
    tuning: TuningServer, tmp_path: Path, clock: StoppedClock
) -> None:
    rules = Tuning(provider="tuner", most_per_job=0.0001)
    async with tuned(tuning, tmp_path, clock, tuning=rules) as bot:
        await prepared(bot, tmp_path)
        said = await says(bot, "/finetune start faq davinci-002 --yes")
        assert "[tuning] allows $0.00 a job (most_per_job)" in said
        await settled(bot)
    assert not tuning.jobs


async def test_month_is_never_passed(
    tuning: TuningServer, tmp_path: Path, clock: StoppedClock
) -> None:
    rules = Tuning(provider="tuner", most_per_month=0.0031)  # one costs 0.003
    async with tuned(tuning, tmp_path, clock, tuning=rules) as bot:
        await prepared(bot, tmp_path)
        await says(bot, "/finetune start faq davinci-002")
        await says(bot, "/finetune start faq davinci-002 --suffix second")
        await presses(bot, "Start")
        await tuning.until(lambda: tuning.jobs)
        await watched(bot)
        assert "a month (most_per_month)" in await says(bot, "/finetune confirm 1")
        assert "a month (most_per_month)" in await says(bot, "/finetune start faq davinci-002")
    assert len(tuning.jobs) == 1


async def test_unknown_price_is_asked_for_even_with_yes_where_a_limit_is_set(
    tuning: TuningServer, tmp_path: Path, clock: StoppedClock
) -> None:
    rules = Tuning(provider="tuner", most_per_job=5.0)
    async with tuned(tuning, tmp_path, clock, tuning=rules) as bot:
        await prepared(bot, tmp_path)
        assert "price unknown" in await says(bot, "/finetune start faq babbage-002 --yes")
        assert not tuning.jobs
        await presses(bot, "Start")
        await tuning.until(lambda: tuning.jobs)


async def test_create_whose_answer_was_lost_makes_one_job(
    bot: Bot, tuning: TuningServer, tmp_path: Path
) -> None:
    tuning.fails("POST fine_tuning/jobs", Drop(after=True))
    await says(bot, f"{START} --yes", files=[faq(tmp_path)])
    await tuning.until(lambda: tuning.jobs)
    await bot.clock.asleep(ASLEEP + 1)
    await shown(bot, lambda text: tuning.job.id in text)
    assert len(tuning.jobs) == 1


@pytest.mark.parametrize("keeps_metadata", [True, False])
async def test_create_that_never_arrived_is_made_again(
    bot: Bot, tuning: TuningServer, tmp_path: Path, keeps_metadata: bool
) -> None:
    tuning.keeps_metadata = keeps_metadata
    tuning.fails("POST fine_tuning/jobs", Drop())
    await says(bot, f"{START} --yes", files=[faq(tmp_path)])
    while not tuning.jobs:
        bot.clock.advance(5)
        await settled(bot)
    await watched(bot)
    assert len(tuning.jobs) == 1


async def test_refusal_is_told_and_leaves_nothing(
    bot: Bot, tuning: TuningServer, tmp_path: Path
) -> None:
    tuning.eligible = False
    await says(bot, f"{START} --yes", files=[faq(tmp_path)])
    said = await sees(bot, lambda text: "was not started" in text)
    assert "not eligible" in said
    assert "There is no job yet" in await says(bot, "/finetune list")


async def test_daily_limit_is_told_and_not_tried_again(
    bot: Bot, tuning: TuningServer, tmp_path: Path
) -> None:
    await starts(bot, tuning, tmp_path)
    tuning.jobs_a_day = 1
    await says(bot, f"{START} --yes", files=[faq(tmp_path)])
    await sees(bot, lambda text: "was not started" in text and "daily limit" in text)
    assert tuning.counts["POST fine_tuning/jobs"] == 2


async def test_file_that_is_not_ready_is_waited_for(
    bot: Bot, tuning: TuningServer, tmp_path: Path
) -> None:
    tuning.reading = 30.0
    await says(bot, f"{START} --yes", files=[faq(tmp_path)])
    for _ in range(20):
        await bot.clock.asleep(ASLEEP + 1)
        bot.clock.advance(2)
        await settled(bot)
    await tuning.until(lambda: tuning.jobs)


async def test_same_file_goes_up_once(bot: Bot, tuning: TuningServer, tmp_path: Path) -> None:
    await prepared(bot, tmp_path)
    for suffix in ("one", "two"):
        known = len(tuning.jobs)
        await says(bot, f"/finetune start faq davinci-002 --suffix {suffix} --yes")
        await tuning.until(lambda known=known: len(tuning.jobs) > known)  # type: ignore[misc]
        await watched(bot, known + 1)
    assert tuning.counts["POST files"] == 1


async def test_busy_service_is_waited_for(bot: Bot, tuning: TuningServer, tmp_path: Path) -> None:
    tuning.fails("POST fine_tuning/jobs", Fail(429, retry_after=40), times=2)
    await says(bot, f"{START} --yes", files=[faq(tmp_path)])
    while not tuning.jobs:
        bot.clock.advance(10)
        await settled(bot)
    assert tuning.counts["POST fine_tuning/jobs"] == 3


async def test_only_operators_start_and_change(
    bot: Bot, tuning: TuningServer, tmp_path: Path
) -> None:
    await starts(bot, tuning, tmp_path)
    for typed in ("start faq davinci-002", "cancel last yes", "pause last", "delete faq yes"):
        said = await says(bot, f"/finetune {typed}", person="ann")
        assert "Only operators may do that" in said
    assert tuning.job.status == "validating_files"
