"""At Azure a model answers only once it is deployed: from the end of a job to its first answer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.messages import Attachment
from tests.clock import StoppedClock
from tests.fakes import Bot
from tests.tuning.conftest import CHAT
from tests.tuning.stage import looks, says, sees, starts, tuned, watched
from tests.tuning_server import TuningServer


@pytest.fixture
async def azure(clock: StoppedClock) -> AsyncIterator[TuningServer]:
    async with TuningServer(key="", azure=True, now=clock.now) as tuning:
        yield tuning


@pytest.fixture
async def bot(azure: TuningServer, tmp_path: Path, clock: StoppedClock) -> AsyncIterator[Bot]:
    """A bot with a job that has succeeded, and one checkpoint of it."""
    async with tuned(azure, tmp_path, clock, kind="azure") as bot:
        await starts(bot, azure, tmp_path)
        azure.job.runs()
        azure.job.checkpoint(4, 0.5)
        azure.job.succeeds()
        await looks(bot, azure, 5, ends=True)
        await sees(bot, lambda text: "is trained" in text)
        await bot.idle()
        yield bot


async def test_end_says_that_the_model_is_to_be_deployed(bot: Bot, azure: TuningServer) -> None:
    said = next(text for text in bot.says() if "is trained" in text)
    assert f"once `{azure.job.model_name()}` is deployed" in said
    assert "`/finetune use 1 DEPLOYMENT`" in said
    assert [each.label for each in bot.adapter.buttons[-1:]] == ["Checkpoints"]
    assert "Use here" not in {each.label for each in bot.adapter.buttons}
    assert "support" not in await says(bot, "/models"), "nobody can choose what does not answer"


@pytest.mark.parametrize("typed", ["use last", "try last how?"])
async def test_model_that_is_not_deployed_is_not_used(bot: Bot, typed: str) -> None:
    assert "/finetune use 1 DEPLOYMENT" in await says(bot, f"/finetune {typed}")


async def test_checkpoint_is_to_be_deployed_as_well(bot: Bot) -> None:
    await says(bot, "/finetune checkpoints last")
    assert "Use step 4" not in {each.label for each in bot.adapter.buttons}
    assert "ckpt-step-4` is deployed" in await says(bot, "/finetune use last 4")


async def test_channel_talks_to_the_deployment_as_the_data_was_written(
    bot: Bot, azure: TuningServer
) -> None:
    deployed(azure, "faq-bot")
    said = await says(bot, "/finetune use last faq-bot")
    assert "**support** answers in this channel: `faq-bot`" in said
    assert (await bot.hears("open door 3"))[-1].strip() == "21"
    body = azure.called("POST completions")[-1].body
    assert (body["model"], body["stop"]) == ("faq-bot", ["\n"])
    assert body["prompt"].endswith(" ->")


async def test_deployment_that_was_named_once_is_tried_and_used(
    bot: Bot, azure: TuningServer
) -> None:
    deployed(azure, "faq-bot")
    await says(bot, "/finetune use last faq-bot", channel="shop")
    assert "**faq-bot**:\n\n21" in await says(bot, "/finetune try last open door 3")
    assert "`faq-bot`" in await says(bot, "/finetune use last")


async def test_deployment_may_be_named_by_a_number_that_is_no_step(
    bot: Bot, azure: TuningServer
) -> None:
    deployed(azure, "2026")
    assert "**support** answers in this channel: `2026`" in await says(bot, "/finetune use 1 2026")
    assert (await bot.hears("open door 3"))[-1].strip() == "21"


async def test_deployment_that_another_job_gets_is_asked_as_that_ones_data_was_written(
    bot: Bot, azure: TuningServer, tmp_path: Path
) -> None:
    deployed(azure, "faq-bot")
    await says(bot, "/finetune use last faq-bot", channel="shop")
    await second(bot, azure, tmp_path)
    said = await says(bot, "/finetune use last faq-bot")
    assert said == (
        "From now on **chats** answers in this channel: `faq-bot`. So it does wherever **support** "
        "did, whose deployment that was."
    )
    for channel in ("general", "shop"):
        await bot.hears("Hello", channel=channel)
        assert azure.called("POST chat/completions")[-1].body["messages"][-1]["content"] == "Hello"
    assert not azure.called("POST completions"), "which is how the first model is asked"
    assert "support" not in await says(bot, "/models")
    assert "deployed there" in await says(bot, "/finetune try 1 Hello"), "it has none any more"


async def second(bot: Bot, azure: TuningServer, folder: Path) -> None:
    """Another job has succeeded, which learned from chats; its model is the deployed one now."""
    path = folder / "chats.jsonl"
    path.write_bytes(CHAT)
    file = Attachment(path.name, "application/jsonl", str(path), len(CHAT))
    await says(bot, "/finetune start gpt-4o-mini --suffix chats --yes", files=[file])
    await azure.until(lambda: len(azure.jobs) == 2)
    await watched(bot)
    azure.job.succeeds()
    await looks(bot, azure, 5, ends=True)
    await sees(bot, lambda text: "**chats** is trained" in text)
    await bot.idle()
    deployed(azure, "faq-bot")


def deployed(azure: TuningServer, name: str) -> None:
    """The model of the newest job is deployed under a name."""
    azure.tuned[name] = azure.tuned[azure.job.model_name()]
    azure.deploy(name)


@pytest.mark.parametrize("name", ["faq/bot", "faq`bot`", "x" * 65])
async def test_name_that_no_deployment_has_is_refused(bot: Bot, name: str) -> None:
    assert "A deployment is named by letters" in await says(bot, f"/finetune use last {name}")
