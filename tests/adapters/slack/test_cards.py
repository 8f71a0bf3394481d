"""Cards of jobs: edited in place for long, and what is said beneath them."""

from __future__ import annotations

import pytest

from adapters.slack.pacer import UPDATE, Urgency
from adapters.slack.place import Place
from bot.errors import DeliveryRefused
from bot.messages import Button, Document, ReplyTo
from tests.adapters.slack.desk import Desk, buttons_of, desk
from tests.clock import HeldClock, StoppedClock
from tests.slack_server import Fail

TRY = Button("Try it", "/finetune try 1")


def in_channel(slack: Desk, *, beneath: str = "") -> ReplyTo:
    """Where a card of Ann's job stands: in the channel, in no thread."""
    place = Place(slack.general.id, user=slack.ann.id, asked=slack.clock.now())
    return slack.reply(place, key="board-1", beneath=beneath, answer=False)


async def put(slack: Desk, text: str, handle: str = "", *buttons: Button) -> str:
    """Show a card by a sink of its own, as the core does with each newer text."""
    sink = slack.sink(in_channel(slack))
    try:
        await sink.ready()
        return await sink.finish(0, text, handle, buttons=buttons)
    finally:
        await sink.close()


async def test_card_is_edited_in_place_and_buttons_come_and_go() -> None:
    async with desk() as slack:
        handle = await put(slack, "Queued", "", Button("Cancel", "/finetune cancel 1"))
        assert [each["text"]["text"] for each in buttons_of(slack.message(handle))] == ["Cancel"]
        assert await put(slack, "Step 5", handle) == handle
        assert buttons_of(slack.message(handle)) == []
        assert await put(slack, "Ready", handle, TRY) == handle
        assert [each["text"]["text"] for each in buttons_of(slack.message(handle))] == ["Try it"]
        assert slack.seen == ["Ready"]


async def test_nobody_is_asked_for_an_opinion_of_a_card() -> None:
    async with desk() as slack:
        handle = await put(slack, "Step 5", await put(slack, "Queued"))
        kinds = [block["type"] for block in slack.message(handle).blocks]
        assert "context_actions" not in kinds


async def test_answer_that_a_crash_held_up_asks_for_an_opinion() -> None:
    async with desk() as slack:
        to = slack.reply()
        handle = await slack.sink(to).show(0, "Hello", "")
        slack.restart()
        sink = slack.sink(to)
        await sink.finish(0, "Hello you", handle)
        await sink.close()
        assert "context_actions" in [block["type"] for block in slack.message(handle).blocks]


async def test_refused_edit_leaves_what_stood_there() -> None:
    async with desk() as slack:
        handle = await put(slack, "Step 5")
        slack.server.fails("chat.update", Fail("is_archived"))
        with pytest.raises(DeliveryRefused):
            await put(slack, "Step 6", handle)
        assert slack.seen == ["Step 5"]


async def test_card_that_somebody_deleted_comes_back_once() -> None:
    async with desk() as slack:
        handle = await put(slack, "Step 5")
        slack.server.workspace.delete(slack.message(handle))
        for step in range(6, 10):
            again = await put(slack, f"Step {step}", handle)
        assert again != handle
        assert slack.seen == ["Step 9"]


async def test_cards_wait_while_answers_need_what_is_left_of_the_edits() -> None:
    clock = HeldClock()
    async with desk(clock) as slack:
        handle = await put(slack, "Step 0")
        for step in range(1, 100):
            await put(slack, f"Step {step}", handle)
            assert slack.account.pacer.wait(UPDATE, Urgency.FINAL) == 0
        assert slack.seen == ["Step 99"]
        assert sum(clock.waits) >= 60


async def test_what_is_said_beneath_a_card_stands_in_its_thread() -> None:
    async with desk() as slack:
        handle = await put(slack, "Step 5")
        sink = slack.sink(in_channel(slack, beneath=handle))
        event = await sink.finish(0, "Loss fell to 0.2", "", buttons=[TRY])
        await sink.attach(Document("loss.png", "image/png", b"png"))
        await sink.close()
        root = slack.message(handle)
        _, said, shared = slack.server.workspace.messages(slack.general, root.ts)
        assert said.ts == event
        assert [file.name for file in shared.files] == ["loss.png"]


async def test_beneath_a_card_in_a_thread_is_that_thread() -> None:
    async with desk() as slack:
        handle = await slack.sink().finish(0, "Step 5", "")
        sink = slack.sink(slack.reply(beneath=handle, answer=False))
        event = await sink.finish(0, "Loss fell to 0.2", "")
        await sink.close()
        assert slack.message(event).thread_ts == slack.question.ts


async def test_bot_is_not_seen_thinking_about_a_card() -> None:
    clock = StoppedClock()
    async with desk(clock) as slack:
        sink = slack.sink(slack.reply(answer=False))
        await sink.finish(0, "Step 5", "")
        assert clock.waits == []
        await sink.close()
