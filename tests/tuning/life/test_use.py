"""What a job made is used: by its channel, beside its base, by its checkpoints; and deleted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.clock import StoppedClock
from tests.fakes import Bot
from tests.tuning.stage import looks, presses, says, sees, shown, starts, tuned
from tests.tuning_server import TuningServer


@pytest.fixture
async def bot(tuning: TuningServer, tmp_path: Path, clock: StoppedClock) -> AsyncIterator[Bot]:
    """A bot with a job that has succeeded, and one checkpoint of it."""
    async with tuned(tuning, tmp_path, clock) as bot:
        await starts(bot, tuning, tmp_path)
        tuning.job.runs()
        for step in range(1, 7):
            tuning.job.step(step, 6, 3.0 / step)
        tuning.job.checkpoint(4, 0.5)
        tuning.job.succeeds()
        await looks(bot, tuning, 5, ends=True)
        await sees(bot, lambda text: "is trained" in text)
        await bot.idle()
        yield bot


async def test_channel_talks_to_the_model_as_its_data_was_written(
    bot: Bot, tuning: TuningServer
) -> None:
    assert "**support** answers in this channel" in await says(bot, "/finetune use last")
    assert (await bot.hears("open door 3"))[-1].strip() == "21"
    assert (await bot.hears("open door 3", thread="7"))[-1].strip() == "21"
    body = tuning.called("POST completions")[-1].body
    assert body["prompt"].endswith(" ->")
    assert body["stop"] == ["\n"]
    assert body["temperature"] == 0
    assert "**assistant** answers here" in await says(bot, "/model default")


async def test_model_of_single_questions_is_asked_without_what_was_said_before(
    bot: Bot, tuning: TuningServer
) -> None:
    await says(bot, "/finetune use last")
    await bot.hears("open door 3")
    await bot.hears("open door 4")
    assert tuning.called("POST completions")[-1].body["prompt"] == "open door 4 ->"


async def test_checkpoint_gets_a_profile_of_its_own(bot: Bot, tuning: TuningServer) -> None:
    said = await says(bot, "/finetune checkpoints last")
    assert "step 4" in said
    assert "training loss 0.5" in said
    assert "**support-step-4**" in await presses(bot, "Use step 4")
    await bot.hears("open door 3")
    assert tuning.called("POST completions")[-1].body["model"].endswith("ckpt-step-4")
    assert "no checkpoint at step 5" in await says(bot, "/finetune use last 5")


async def test_model_that_is_not_served_yet_is_asked_again(bot: Bot, tuning: TuningServer) -> None:
    await presses(bot, "Use here")
    tuning.settling = 60.0
    for model in tuning.tuned.values():
        model.made_at = bot.clock.now()
    await bot.receive("open door 2")
    await shown(bot, lambda text: "14" in text and "step" not in text)


async def test_model_and_its_base_are_asked_the_same_question(
    bot: Bot, tuning: TuningServer
) -> None:
    said = await says(bot, "/finetune try last open door 5")
    assert "> open door 5" in said
    assert "35" in said
    assert said.index("**davinci-002**") < said.index("**ft:davinci-002")
    assert len(tuning.called("POST completions")) == 2
    assert "Nothing was asked here yet" in await says(bot, "/finetune try last", channel="empty")
    await bot.hears("open door 1", channel="asked")
    assert "> open door 1" in await says(bot, "/finetune try last", channel="asked")


@pytest.mark.parametrize("step", ["0", "5"])
async def test_step_without_a_checkpoint_is_said_to_have_none(bot: Bot, step: str) -> None:
    said = await says(bot, f"/finetune use last {step}")
    assert f"has no checkpoint at step {step}: `/finetune checkpoints 1` lists them" in said


async def test_results_come_as_a_table(bot: Bot) -> None:
    await says(bot, "/finetune results last")
    table = bot.adapter.documents[-1]
    assert table.name.endswith("-results.csv")
    assert table.content.decode().startswith("step,")


async def test_loss_is_charted_from_the_result_file_where_events_have_none(
    tuning: TuningServer, tmp_path: Path, clock: StoppedClock
) -> None:
    tuning.base64_results = True
    async with tuned(tuning, tmp_path, clock) as bot:
        await starts(bot, tuning, tmp_path)
        tuning.job.rows += [f"{step},{2.0 / step},0.5,," for step in range(1, 9)]
        tuning.job.succeeds()
        await looks(bot, tuning, 5, ends=True)
        await sees(bot, lambda text: "is trained" in text)
        await bot.idle()
        assert bot.adapter.documents[-1].content.startswith(b"\x89PNG")


async def test_model_in_use_is_not_deleted(bot: Bot, tuning: TuningServer) -> None:
    model = tuning.job.fine_tuned_model or ""
    await says(bot, "/finetune use last", channel="shop")
    said = await says(bot, f"/finetune delete {model}")
    assert "is in use: fake:shop" in said
    await says(bot, "/model default", channel="shop")
    assert "cannot be brought back" in await says(bot, f"/finetune delete {model}")
    assert model in tuning.tuned
    assert "is deleted" in await says(bot, f"/finetune delete {model} yes")
    assert model not in tuning.tuned
    assert "support" not in await says(bot, "/models")


async def test_model_is_not_deleted_while_one_of_its_checkpoints_is_used(
    bot: Bot, tuning: TuningServer
) -> None:
    model = tuning.job.fine_tuned_model or ""
    await says(bot, "/finetune use last 4", channel="shop")
    assert "is in use: fake:shop" in await says(bot, f"/finetune delete {model}")
    await says(bot, "/model default", channel="shop")
    assert "is deleted" in await says(bot, f"/finetune delete {model} yes")
    assert "support-step-4" not in await says(bot, "/models")


async def test_files_and_models_are_listed_and_deleted(bot: Bot, tuning: TuningServer) -> None:
    [file] = [each for each in tuning.files.values() if each.purpose == "fine-tune"]
    assert f"`{file.id}` faq_prepared.jsonl" in await says(bot, "/finetune files")
    said = await says(bot, "/finetune models", person="ann")
    assert f"`{tuning.job.fine_tuned_model}`" in said
    assert "ends on 2027-01-14" in said
    await says(bot, f"/finetune delete {file.id}")
    await presses(bot, "Delete")
    assert file.id not in tuning.files
    assert "no file, model or dataset" in await says(bot, "/finetune delete nothing")


async def test_dataset_is_deleted_with_its_files(bot: Bot, tmp_path: Path) -> None:
    await says(bot, "/finetune delete faq")
    await presses(bot, "Delete")
    assert not list((tmp_path / "data" / "datasets").rglob("*.jsonl"))
    assert "There is none yet" in await says(bot, "/finetune datasets")
