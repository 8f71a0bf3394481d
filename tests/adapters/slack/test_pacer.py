"""Slack is written to as fast as it takes it, and what matters most goes first."""

from __future__ import annotations

import asyncio

import pytest

from adapters.slack.failures import RateLimited
from adapters.slack.pacer import APPEND, POST, START, STOP, UPDATE, Pacer, Urgency
from bot.errors import DeliveryError
from tests.clock import HeldClock, StoppedClock


async def done() -> str:
    """A call that Slack takes."""
    return "done"


async def refused() -> str:
    """A call for which Slack asks to wait."""
    raise RateLimited(30)


async def spend(pacer: Pacer, method: str, calls: int, channel: str = "") -> None:
    """Make so many calls."""
    for _ in range(calls):
        await pacer.call(method, Urgency.FINAL, done, channel)


@pytest.mark.parametrize(("method", "calls"), [(STOP, 20), (UPDATE, 50), (APPEND, 100)])
async def test_no_minute_has_more_calls_than_the_tier(method: str, calls: int) -> None:
    clock = HeldClock()
    pacer = Pacer(clock)
    made: list[float] = []
    while len(made) < 2 * calls:
        try:
            await pacer.call(method, Urgency.FINAL, done)
        except DeliveryError as error:
            clock.advance(error.retry_after or 0.0)
        else:
            made.append(clock.now())
    assert all(later - earlier >= 60 for earlier, later in zip(made, made[calls:], strict=False))


async def test_posts_in_a_channel_hold_up_no_other_channel() -> None:
    pacer = Pacer(StoppedClock())
    await spend(pacer, POST, 3, "C1")
    assert pacer.wait(POST, Urgency.FINAL, "C1") == 3
    assert pacer.wait(POST, Urgency.FINAL, "C2") == 0


async def test_progress_leaves_room_for_what_is_final() -> None:
    pacer = Pacer(StoppedClock())
    await spend(pacer, UPDATE, 40)
    assert pacer.wait(UPDATE, Urgency.PROGRESS)
    assert not pacer.wait(UPDATE, Urgency.FIRST)
    await spend(pacer, UPDATE, 3)
    assert pacer.wait(UPDATE, Urgency.FIRST)
    await spend(pacer, UPDATE, 7)
    assert pacer.wait(UPDATE, Urgency.FINAL) == 60


async def test_wait_that_slack_asks_for_holds_that_method_only() -> None:
    clock = StoppedClock()
    pacer = Pacer(clock)
    with pytest.raises(RateLimited):
        await pacer.call(APPEND, Urgency.PROGRESS, refused)
    assert pacer.wait(APPEND, Urgency.FINAL) == 30
    assert not pacer.wait(UPDATE, Urgency.PROGRESS)
    clock.advance(30)
    assert not pacer.wait(APPEND, Urgency.PROGRESS)


async def test_after_a_refusal_half_as_much_goes_out_and_bit_by_bit_more() -> None:
    clock = StoppedClock()
    pacer = Pacer(clock)
    with pytest.raises(RateLimited):
        await pacer.call(UPDATE, Urgency.FINAL, refused)
    clock.advance(90)
    fits = 0
    while not pacer.wait(UPDATE, Urgency.FINAL):
        await spend(pacer, UPDATE, 1)
        fits += 1
    assert 25 <= fits <= 30
    clock.advance(600)
    await spend(pacer, UPDATE, 50)


async def test_what_is_final_waits_a_little_and_is_told_of_a_long_wait() -> None:
    clock = StoppedClock()
    pacer = Pacer(clock)
    await spend(pacer, POST, 3, "C1")
    waiting = asyncio.create_task(pacer.call(POST, Urgency.FINAL, done, "C1"))
    await clock.asleep()
    clock.advance(3)
    assert await waiting == "done"
    await spend(pacer, STOP, 20)
    with pytest.raises(DeliveryError) as told:
        await pacer.call(STOP, Urgency.FINAL, done)
    assert told.value.retry_after == 60


async def test_no_stream_starts_whose_end_would_not_be_taken() -> None:
    pacer = Pacer(StoppedClock())
    started = 0
    while pacer.may_stream():
        await spend(pacer, START, 1)
        pacer.streams(started)
        started += 1
    assert started == 18
    await spend(pacer, STOP, started)


async def test_looks_are_as_far_apart_as_texts_grow_at_once() -> None:
    pacer = Pacer(StoppedClock())
    pacer.streams("a")
    assert pacer.pause("a") == 0.75
    for each in range(9):
        pacer.streams(each)
    assert pacer.pause("a") == 5
    for each in range(9):
        pacer.rests(each)
    pacer.edits("a")
    pacer.edits("b")
    assert pacer.pause("a") == 3


async def test_channels_at_rest_are_forgotten() -> None:
    clock = StoppedClock()
    pacer = Pacer(clock)
    for number in range(3_000):
        await spend(pacer, POST, 1, f"C{number}")
        clock.advance(1)
    assert len(pacer._budgets) <= 1_001


async def test_no_text_grows_by_edits_whose_end_would_not_be_taken() -> None:
    pacer = Pacer(StoppedClock())
    growing = 0
    while pacer.may_edit():
        pacer.edits(growing)
        growing += 1
    await spend(pacer, UPDATE, growing)
    assert growing == 45
