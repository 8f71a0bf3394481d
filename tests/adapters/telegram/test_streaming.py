"""An answer is seen growing, and what is seen in the end is the whole of it, once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from bot.errors import DeliveryError
from bot.ports import Sink
from tests.adapters.telegram.conftest import Make, reply_in, running
from tests.clock import StoppedClock
from tests.telegram_server import Fail, Person, TelegramServer

SUPERGROUP = -1_000_000_000_007
NEARLY_FULL = "word " * 690


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
async def telegram(clock: StoppedClock) -> AsyncIterator[TelegramServer]:
    async with TelegramServer(now=clock.now) as telegram:
        yield telegram


@asynccontextmanager
async def closing(sink: Sink) -> AsyncIterator[Sink]:
    """A sink that is closed."""
    yield sink
    await sink.close()


async def test_private_answer_grows_in_a_preview_and_ends_as_a_message(
    telegram: TelegramServer, clock: StoppedClock, make: Make
) -> None:
    ann = telegram.private(7)
    async with closing(make(clock).sink(reply_in(ann))) as sink:
        await sink.ready()
        assert await sink.show(0, "Hel", "") == ""
        assert ann.draft
        assert ann.draft.text == "Hel"
        first = ann.draft.id
        clock.advance(1)
        await sink.ready()
        assert await sink.show(0, "Hello **you**", "") == ""
        assert ann.draft.text == "Hello you"
        assert ann.draft.id == first, "the same preview is animated"
        assert not ann.answers
        await sink.finish(0, "Hello **you** all", "")
    assert ann.answers == ["Hello you all"]
    assert not ann.draft


async def test_preview_can_be_stopped_and_that_is_slash_stop(
    telegram: TelegramServer, make: Make
) -> None:
    ann, shown = telegram.private(7), asyncio.Event()

    async def answer(sink: Sink, _: object) -> None:
        await sink.show(0, "Half", "")
        shown.set()
        await core.stopped.wait()
        await sink.finish(0, "Half, stopped", "")

    async with running(make(), answer) as core:
        await ann.writes("Hello")
        await shown.wait()
        await ann.stops()
        await ann.sees(lambda _: "Half, stopped" in ann.answers)
        stop = core.received[-1]
        assert stop.text == "/stop"
        assert stop.conversation == core.received[0].conversation
        assert stop.person.id == "telegram:7"


async def test_looks_at_a_preview_keep_a_distance(
    telegram: TelegramServer, clock: StoppedClock, make: Make
) -> None:
    async with closing(make(clock).sink(reply_in(telegram.private(7)))) as sink:
        await sink.show(0, "Hel", "")
        again = asyncio.create_task(sink.ready())
        await clock.asleep(2)  # the other one keeps the preview alive
        assert not again.done()
        clock.advance(0.5)
        await again


async def test_part_that_is_full_stands_above_the_preview_of_the_next(
    telegram: TelegramServer, clock: StoppedClock, make: Make
) -> None:
    ann = telegram.private(7)
    async with closing(make(clock).sink(reply_in(ann))) as sink:
        handle = await sink.show(0, NEARLY_FULL, "")
        assert handle == str(ann.messages[0].id)
        assert await sink.show(1, "Next", "") == ""
        assert ann.draft
        assert ann.draft.text == "Next"
        await sink.finish(0, NEARLY_FULL + "end", handle)
        await sink.finish(1, "Next and last", "")
    assert ann.answers == [NEARLY_FULL + "end", "Next and last"]


async def test_server_that_knows_no_stop_button_gets_previews_without(
    telegram: TelegramServer, clock: StoppedClock, make: Make
) -> None:
    telegram.supports_stop = False
    ann, adapter = telegram.private(7), make(clock)
    async with closing(adapter.sink(reply_in(ann))) as sink:
        for text in ("Hel", "Hello"):
            await sink.ready()
            assert await sink.show(0, text, "") == ""
            clock.advance(1)
        assert ann.draft
        assert (ann.draft.text, ann.draft.can_stop) == ("Hello", False)
        assert [call.status for call in telegram.called("sendMessageDraft")] == [400, 200, 200]


async def test_server_without_previews_gets_a_message_that_grows(
    telegram: TelegramServer, clock: StoppedClock, make: Make
) -> None:
    telegram.supports_drafts = False
    ann, adapter = telegram.private(7), make(clock)
    async with closing(adapter.sink(reply_in(ann))) as sink:
        handle = await sink.show(0, "Hel", "")
        assert ann.answers == ["Hel"]
        clock.advance(1)
        await sink.ready()
        assert await sink.show(0, "Hello", handle) == handle
        await sink.finish(0, "Hello all", handle)
    clock.advance(1)
    async with closing(adapter.sink(reply_in(ann, "turn-2"))) as sink:
        await sink.show(0, "Again", "")
    assert ann.answers == ["Hello all", "Again"]
    assert len(telegram.called("sendMessageDraft")) == 1, "it is not asked for again"


async def test_previews_can_be_switched_off(telegram: TelegramServer, make: Make) -> None:
    ann = telegram.private(7)
    async with closing(make(drafts=False).sink(reply_in(ann))) as sink:
        assert await sink.show(0, "Hel", "")
    assert not telegram.called("sendMessageDraft")


async def test_group_sees_a_message_after_a_second_and_edits_four_seconds_apart(
    telegram: TelegramServer, clock: StoppedClock, make: Make
) -> None:
    group, handle, start = telegram.group(SUPERGROUP), "", clock.now()
    async with closing(make(clock).sink(reply_in(group))) as sink:
        for seconds in (1, 5, 9):
            ready = asyncio.create_task(sink.ready())
            await asyncio.sleep(0)
            while not ready.done():
                clock.advance(0.25)
                await asyncio.sleep(0)
            assert clock.now() - start == seconds
            handle = await sink.show(0, f"After {seconds} s", handle)
            assert group.answers == [f"After {seconds} s"]
        await sink.finish(0, "Done", handle)
    assert group.answers == ["Done"]


async def test_answer_in_a_group_replies_to_its_question(
    telegram: TelegramServer, make: Make
) -> None:
    group = telegram.group(SUPERGROUP)
    async with running(make()):
        question = await group.writes("@tune_test_bot, what is it?")
        await group.sees(lambda _: group.answers == ["You said: what is it?"])
    assert group.messages[-1].reply_to == question


async def test_flood_slows_the_looks_down_for_a_while(
    telegram: TelegramServer, clock: StoppedClock, make: Make
) -> None:
    ann = telegram.private(7)
    async with closing(make(clock).sink(reply_in(ann))) as sink:
        telegram.flood(20, chat=7)
        with pytest.raises(DeliveryError) as held:
            await sink.show(0, "Hel", "")
        assert held.value.retry_after == 20
        ready = asyncio.create_task(sink.ready())
        await clock.asleep(2)
        clock.advance(19)
        await asyncio.sleep(0)
        assert not ready.done()
        clock.advance(1)
        await ready
        await sink.show(0, "Hello", "")
        later = asyncio.create_task(sink.ready())
        await clock.asleep(2)
        clock.advance(0.5)
        await asyncio.sleep(0)
        assert not later.done(), "twice as long as usual"
        clock.advance(0.5)
        await later


async def test_flood_of_previews_does_not_hold_the_final_text(
    telegram: TelegramServer, clock: StoppedClock, make: Make
) -> None:
    ann = telegram.private(7)
    telegram.fails("sendMessageDraft", Fail(429, "Too Many Requests", retry_after=30))
    async with closing(make(clock).sink(reply_in(ann))) as sink:
        with pytest.raises(DeliveryError):
            await sink.show(0, "Hel", "")
        await sink.finish(0, "Hello", "")
    assert ann.answers == ["Hello"]


async def test_bot_is_seen_typing_until_there_is_something(
    telegram: TelegramServer, clock: StoppedClock, make: Make
) -> None:
    group = telegram.group(SUPERGROUP)
    async with closing(make(clock).sink(replace(reply_in(group), answer=True))) as sink:
        await clock.asleep(1)
        assert not group.typing
        clock.advance(0.5)
        await telegram.until(lambda: group.typing)
        await clock.asleep(1)
        clock.advance(4.5)
        await telegram.until(lambda: len(telegram.called("sendChatAction")) == 2)
        await sink.finish(0, "Hello", "")
        assert not group.typing


async def test_preview_is_kept_alive_while_the_model_is_silent(
    telegram: TelegramServer, clock: StoppedClock, make: Make
) -> None:
    ann = telegram.private(7)
    async with closing(make(clock).sink(reply_in(ann))) as sink:
        await sink.show(0, "Thinking about it", "")
        for _ in range(8):
            await clock.asleep(1)
            clock.advance(5)
            await asyncio.sleep(0)
        await telegram.until(lambda: len(telegram.called("sendMessageDraft")) >= 2)
        assert ann.draft


async def test_half_shown_message_is_completed_in_place_after_a_restart(
    telegram: TelegramServer, make: Make
) -> None:
    group = telegram.group(SUPERGROUP)
    async with closing(make().sink(reply_in(group))) as sink:
        handle = await sink.show(0, "Half", "")
    async with closing(make().sink(reply_in(group))) as sink:
        assert await sink.finish(0, "Half and whole", handle) == handle
    assert group.answers == ["Half and whole"]


async def test_topics_of_a_group_are_answered_in_place(
    telegram: TelegramServer, make: Make
) -> None:
    forum = telegram.forum(SUPERGROUP, Person(7))
    topics = [forum.topic("One"), forum.topic("Two")]
    async with running(make()) as core:
        for topic in topics:
            await forum.writes(f"/help {topic}", topic=topic)
        for topic in topics:
            await core.heard(f"/help {topic}")
        await forum.sees(lambda _: len(forum.answers) == 2)
        assert {each.conversation.thread for each in core.received} == {str(t) for t in topics}
    told = {each.topic: each.text for each in forum.messages if each.by.is_bot}
    assert told == {topic: f"You said: /help {topic}" for topic in topics}


async def test_answers_of_two_cores_are_not_mixed(telegram: TelegramServer, make: Make) -> None:
    ann, bob, adapter = telegram.private(7), telegram.private(8), make()
    sinks = [adapter.sink(reply_in(chat, key)) for chat, key in ((ann, "a"), (bob, "b"))]
    await asyncio.gather(*(sink.show(0, f"For {n}", "") for n, sink in enumerate(sinks)))
    assert (ann.draft and ann.draft.text, bob.draft and bob.draft.text) == ("For 0", "For 1")
    for sink in sinks:
        await sink.close()
