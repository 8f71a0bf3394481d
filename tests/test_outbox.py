"""The final text arrives, whole and once, whatever the platform does meanwhile."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot.errors import DeliveryError, DeliveryRefused
from bot.outbox import FIRST_RETRY, LONGEST_RETRY, MOST_BUGS, backoff
from bot.ports import Limits
from tests.clock import StoppedClock
from tests.fakes import Bot, Wall, configuration, running
from tests.scripted_model import Answer, ScriptedModel

FINAL_ONLY = Limits(progress=False)
THREE_PARTS = "\n\n".join(f"Paragraph {n}" for n in range(12))
IN_PARTS = Limits(soft=50, hard=80, progress=False)


async def test_a_flooded_platform_gets_the_final_text_once_it_takes_it(
    model: ScriptedModel, tmp_path: Path
) -> None:
    config = configuration(tmp_path, model.base_url)
    async with running(config, limits=FINAL_ONLY) as bot:
        bot.adapter.faults = [DeliveryError("flood", retry_after=1000)]
        await bot.receive("hi")
        await bot.clock.asleep(3)
        assert bot.says() == []
        bot.clock.advance(999)
        assert bot.says() == []
        bot.clock.advance(1)
        await bot.idle()
        assert bot.says() == ["You said: hi"]


async def test_waits_grow_and_are_bounded() -> None:
    assert 0.75 * FIRST_RETRY <= backoff(1) <= 1.25 * FIRST_RETRY
    assert backoff(3) > backoff(1)
    assert backoff(1000) <= 1.25 * LONGEST_RETRY


async def test_it_is_tried_until_it_is_taken(model: ScriptedModel, tmp_path: Path) -> None:
    config = configuration(tmp_path, model.base_url)
    async with running(config, limits=FINAL_ONLY) as bot:
        bot.adapter.faults = [DeliveryError("out of reach") for _ in range(10)]
        await bot.receive("hi")
        for _ in range(10):
            await bot.clock.asleep(3)
            bot.clock.advance(LONGEST_RETRY * 2)
        await bot.idle()
        assert bot.says() == ["You said: hi"]


async def test_what_is_refused_for_good_is_not_tried_again(
    model: ScriptedModel, tmp_path: Path
) -> None:
    config = configuration(tmp_path, model.base_url)
    async with running(config, limits=FINAL_ONLY) as bot:
        bot.adapter.faults = [DeliveryRefused("blocked by the person")]
        assert await bot.hears("hi") == []
        assert await bot.hears("back again") == ["You said: back again"]


async def test_a_bug_of_an_adapter_does_not_hold_up_its_conversation_for_ever(
    model: ScriptedModel, tmp_path: Path
) -> None:
    config = configuration(tmp_path, model.base_url)
    async with running(config, limits=FINAL_ONLY) as bot:
        bot.adapter.faults = [ZeroDivisionError() for _ in range(MOST_BUGS)]
        await bot.receive("hi")
        for _ in range(MOST_BUGS - 1):
            await bot.clock.asleep(3)
            bot.clock.advance(LONGEST_RETRY * 2)
        await bot.idle()
        assert await bot.hears("back again") == ["You said: back again"]


async def test_one_flooded_conversation_holds_up_no_other(
    model: ScriptedModel, tmp_path: Path
) -> None:
    config = configuration(tmp_path, model.base_url)
    async with running(config, limits=FINAL_ONLY) as bot:
        bot.adapter.faults = [DeliveryError("flood", retry_after=30)]
        await bot.receive("hi", channel="flooded")
        await bot.clock.asleep(3)
        assert await bot.hears("hi", channel="free") == ["You said: hi"]
        assert bot.says("flooded") == []
        bot.clock.advance(30)
        await bot.idle("flooded")
        assert bot.says("flooded") == ["You said: hi"]


async def test_a_wait_that_the_platform_asked_for_holds_over_a_restart(
    model: ScriptedModel, tmp_path: Path
) -> None:
    config = configuration(tmp_path, model.base_url, shutdown_seconds=0.0)
    async with running(config, limits=FINAL_ONLY) as bot:
        bot.adapter.faults = [DeliveryError("flood", retry_after=1000)]
        await bot.receive("hi")
        await bot.clock.asleep(3)
        later = bot.clock.now() + 500
    async with running(config, limits=FINAL_ONLY) as bot:
        bot.clock.advance(later - bot.clock.now())
        await bot.clock.asleep(3)
        assert bot.says() == []
        bot.clock.advance(500)
        await bot.idle()
        assert bot.says() == ["You said: hi"]
    assert len(model.requests) == 1


async def test_refused_progress_delays_progress_only(bot: Bot, model: ScriptedModel) -> None:
    going = asyncio.Event()
    model.script(Answer(chunks=["Half", " and whole"], hold=going, hold_at=1))
    bot.adapter.faults = [DeliveryError("flood", retry_after=60)]
    await bot.receive("hi")
    await bot.clock.asleep(3)
    assert bot.says() == []
    going.set()
    await bot.idle()
    assert bot.says() == ["Half and whole"]


async def test_a_long_text_goes_on_at_the_part_that_was_not_taken(
    model: ScriptedModel, tmp_path: Path
) -> None:
    model.reply("\n\n".join(f"Paragraph {n}" for n in range(30)))
    limits = Limits(soft=70, hard=100, progress=False)
    async with running(configuration(tmp_path, model.base_url), limits=limits) as bot:
        bot.adapter.fault_at = {2: DeliveryError("flood", retry_after=5)}
        await bot.receive("hi")
        await bot.clock.asleep(3)
        shown = bot.says()
        assert len(shown) == 2
        bot.clock.advance(5)
        await bot.idle()
        assert bot.adapter.finished == [0, 1, 2, *range(2, len(bot.says()))]
        assert bot.says()[:2] == shown
        assert "\n\n".join(bot.says()) == "\n\n".join(f"Paragraph {n}" for n in range(30))
        assert [effect["do"] for effect in bot.wall.effects] == ["post"] * len(bot.says())


async def test_a_half_shown_longer_text_is_taken_away_where_the_answer_is_shorter(
    model: ScriptedModel, tmp_path: Path
) -> None:
    long = "\n\n".join(f"Paragraph {n}" for n in range(30))
    config = configuration(tmp_path, model.base_url, shutdown_seconds=0.0)
    limits = Limits(soft=70, hard=100)
    model.script(Answer(chunks=[long, " and more"], hold=asyncio.Event(), hold_at=1))
    async with running(config, limits=limits) as bot:
        await bot.receive("hi")
        await bot.sees(lambda: len(bot.says()) > 3)
        await bot.clock.asleep(2)
    model.reply("Short.")
    async with running(config, limits=limits) as bot:
        await bot.idle()
        assert bot.says() == ["Short."]


@pytest.mark.parametrize("progress", [True, False])
async def test_an_answer_that_a_shutdown_cut_is_completed_in_place(
    model: ScriptedModel, tmp_path: Path, progress: bool
) -> None:
    limits = Limits(progress=progress)
    config = configuration(tmp_path, model.base_url, shutdown_seconds=0.0)
    model.script(Answer(chunks=["You said", ": hi"], hold=asyncio.Event(), hold_at=1))
    async with running(config, limits=limits) as bot:
        await bot.receive("hi")
        if progress:
            await bot.sees(lambda: bot.says() == ["You said"])
        else:
            await model.until(lambda: len(model.requests) == 1)
    async with running(config, limits=limits) as bot:
        await bot.idle()
        assert bot.says() == ["You said: hi"]
    assert len(Wall(tmp_path / "wall.jsonl").posts("general")) == 1


async def test_a_long_text_goes_on_after_a_restart_at_the_part_that_was_not_taken(
    model: ScriptedModel, tmp_path: Path
) -> None:
    config = configuration(tmp_path, model.base_url, shutdown_seconds=0.0)
    model.reply(THREE_PARTS)
    async with running(config, limits=IN_PARTS, looks_up=False) as bot:
        bot.adapter.fault_at = {2: DeliveryError("flood", retry_after=1000)}
        await bot.receive("hi")
        await bot.clock.asleep(3)
        assert len(bot.says()) == 2
    async with running(config, limits=IN_PARTS, looks_up=False) as bot:
        await bot.clock.asleep(3)
        bot.clock.advance(1000)
        await bot.idle()
        assert len(bot.says()) == 3
        assert "\n\n".join(bot.says()) == THREE_PARTS
        assert [effect["do"] for effect in bot.wall.effects] == ["post"] * 3


async def test_a_delivery_that_a_bug_broke_is_tried_again(
    model: ScriptedModel, tmp_path: Path
) -> None:
    config = configuration(tmp_path, model.base_url)
    async with running(config, limits=FINAL_ONLY) as bot:
        bot.adapter.faults = [KeyError("a bug")]
        await bot.receive("hi")
        await bot.clock.asleep(3)
        bot.clock.advance(LONGEST_RETRY)
        await bot.idle()
        assert bot.says() == ["You said: hi"]


async def test_a_file_is_sent_once_and_its_text_too(bot: Bot) -> None:
    await bot.hears("hi")
    bot.adapter.faults = [DeliveryError("flood", retry_after=5)]
    bot.adapter.document_faults = [DeliveryError("flood", retry_after=5)]
    await bot.receive("/export")
    for _ in range(2):
        await bot.clock.asleep(3)
        bot.clock.advance(5)
    await bot.idle()
    assert bot.says() == ["You said: hi", "This conversation: 2 turns."]
    assert len(bot.adapter.documents) == 1


async def test_a_file_that_was_not_taken_follows_its_text_after_a_restart(
    model: ScriptedModel, tmp_path: Path
) -> None:
    config = configuration(tmp_path, model.base_url, shutdown_seconds=0.0)
    async with running(config, looks_up=False) as bot:
        await bot.hears("hi")
        bot.adapter.document_faults = [DeliveryError("flood", retry_after=600)]
        await bot.receive("/export")
        await bot.clock.asleep(3)
    async with running(config, looks_up=False) as bot:
        await bot.clock.asleep(3)
        bot.clock.advance(600)
        await bot.idle()
        assert bot.says() == ["You said: hi", "This conversation: 2 turns."]
        assert len(bot.adapter.documents) == 1


async def test_what_is_owed_keeps_its_order_over_a_restart(
    model: ScriptedModel, tmp_path: Path
) -> None:
    config = configuration(tmp_path, model.base_url, shutdown_seconds=0.0)
    async with running(config) as bot:
        bot.adapter.faults = [DeliveryError("flood", retry_after=1000)]
        await bot.receive("/export")
        await bot.clock.asleep(3)
        await bot.receive("/stop")
    async with running(config) as bot:
        await bot.clock.asleep(3)
        bot.clock.advance(1000)
        await bot.idle()
        assert bot.says() == [
            "Nothing is stored of this conversation.",
            "There is no answer to stop.",
        ]


async def test_a_clock_that_was_a_year_ahead_holds_up_no_delivery(
    model: ScriptedModel, tmp_path: Path
) -> None:
    config = configuration(tmp_path, model.base_url, shutdown_seconds=0.0)
    ahead = StoppedClock()
    ahead.advance(365 * 86_400)
    async with running(config, limits=FINAL_ONLY, clock=ahead) as bot:
        bot.adapter.faults = [DeliveryError("flood", retry_after=5)]
        await bot.receive("hi")
        await bot.clock.asleep(3)
    async with running(config, limits=FINAL_ONLY) as bot:
        await bot.clock.asleep(3)
        bot.clock.advance(LONGEST_RETRY)
        await bot.idle()
        assert bot.says() == ["You said: hi"]


async def test_an_answer_that_ends_while_its_progress_is_being_shown_stands_once(
    model: ScriptedModel, tmp_path: Path
) -> None:
    going = asyncio.Event()
    model.script(Answer(chunks=["Half", " and whole"], hold=going, hold_at=1))
    async with running(configuration(tmp_path, model.base_url), looks_up=False) as bot:
        bot.adapter.answering.clear()
        await bot.receive("hi")
        await bot.sees(lambda: bot.says() == ["Half"])
        going.set()
        await model.until(lambda: model.answers == 1)
        await bot.receive("hi", channel="other")
        await model.until(lambda: model.answers == 2)  # so the end of the first was read
        bot.adapter.answering.set()
        await bot.idle()
        await bot.idle("other")
        assert bot.says() == ["Half and whole"]
