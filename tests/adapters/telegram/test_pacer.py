"""The pace of writing, on a clock that the test holds."""

from __future__ import annotations

import asyncio

import pytest

from adapters.telegram.pacer import MOST_CHATS, Pacer, Rates, Urgency
from bot.errors import DeliveryError
from tests.clock import HeldClock, StoppedClock

ANN, BOB, GROUP = 7, 8, -100


def paced(clock: HeldClock | StoppedClock, **rates: float) -> Pacer:
    """A pacer with Telegram's rates, unless others are given."""
    return Pacer(clock, Rates(**rates))  # type: ignore[arg-type]


async def sent(pacer: Pacer, chat: int, times: int, urgency: Urgency = Urgency.FINAL) -> None:
    """So many calls, one after the other."""
    for _ in range(times):
        await pacer.turn(chat, urgency)


@pytest.mark.parametrize(
    ("chat", "calls", "seconds"),
    [(ANN, 3, 0), (ANN, 13, 10), (GROUP, 20, 17), (GROUP, 21, 60), (GROUP, 41, 120)],
)
async def test_chat_gets_so_much_and_no_more(chat: int, calls: int, seconds: float) -> None:
    clock = HeldClock(0.0)
    pacer = paced(clock)
    for _ in range(calls):
        while True:
            try:
                await pacer.turn(chat, Urgency.FINAL)
                break
            except DeliveryError as error:
                clock.advance(error.retry_after or 0)
    assert clock.now() == pytest.approx(seconds, abs=0.01)


async def test_all_chats_together_get_thirty_a_second() -> None:
    clock = HeldClock(0.0)
    pacer = paced(clock)
    for chat in range(1, 111):
        await pacer.turn(chat, Urgency.FINAL)
    assert clock.now() == pytest.approx(3.0, abs=0.01)


async def test_wait_that_telegram_asks_for_holds_its_chat_only() -> None:
    clock = StoppedClock(0.0)
    pacer = paced(clock)
    pacer.hold(ANN, 1000)
    with pytest.raises(DeliveryError) as held:
        await pacer.turn(ANN, Urgency.FINAL)
    assert held.value.retry_after == 1000
    await pacer.turn(BOB, Urgency.FINAL)
    clock.advance(1000)
    await pacer.turn(ANN, Urgency.FINAL)


async def test_what_matters_less_leaves_room_for_what_matters_more() -> None:
    clock = StoppedClock(0.0)
    pacer = paced(clock)
    for chat in range(1, 100):
        if pacer.wait(chat, Urgency.PROGRESS) > 0:
            break
        pacer.at_once(chat, Urgency.PROGRESS)
    else:
        pytest.fail("progress took everything")
    waits = [pacer.wait(500, urgency) for urgency in sorted(Urgency)]
    assert waits == sorted(waits)
    assert waits[0] == 0
    await pacer.turn(500, Urgency.FINAL)


async def test_progress_in_a_group_can_go_on_every_four_seconds() -> None:
    clock = HeldClock(0.0)
    pacer = paced(clock)
    for _ in range(60):
        pacer.at_once(GROUP, Urgency.PROGRESS)
        clock.advance(4)
    assert pacer.wait(GROUP, Urgency.FINAL) == 0


async def test_progress_is_never_kept_waiting() -> None:
    pacer = paced(StoppedClock(0.0), chat_burst=1)
    pacer.at_once(ANN, Urgency.FIRST)
    with pytest.raises(DeliveryError) as later:
        pacer.at_once(ANN, Urgency.PROGRESS)
    assert later.value.retry_after == pytest.approx(1)


async def test_final_text_goes_before_progress_that_waits_in_its_chat() -> None:
    clock = StoppedClock(0.0)
    pacer = paced(clock)
    await sent(pacer, ANN, 3)
    order: list[Urgency] = []

    async def waits(urgency: Urgency) -> None:
        await pacer.turn(ANN, urgency)
        order.append(urgency)

    tasks = [asyncio.create_task(waits(each)) for each in (Urgency.PROGRESS, Urgency.FINAL)]
    for _ in range(10):
        await asyncio.sleep(0)
        clock.advance(0.5)
    await asyncio.gather(*tasks)
    assert order == [Urgency.FINAL, Urgency.PROGRESS]


async def test_looks_are_further_apart_after_a_refusal_and_recover() -> None:
    pacer = paced(StoppedClock(0.0))
    assert pacer.pause(ANN, 4) == 4
    pacer.hold(ANN, 1)
    pauses = [pacer.pause(ANN, 4) for _ in range(10)]
    assert pauses[0] == 8
    assert pauses == sorted(pauses, reverse=True)
    assert pauses[-1] == 4
    assert pacer.pause(BOB, 4) == 4


async def test_no_rate_is_no_limit() -> None:
    clock = StoppedClock(0.0)
    pacer = paced(clock, chat=0, group=0, everywhere=0)
    await sent(pacer, GROUP, 1000, Urgency.ERROR)
    assert not clock.waits


async def test_chats_at_rest_are_forgotten_but_not_what_they_wait_for() -> None:
    clock = HeldClock(0.0)
    pacer = paced(clock)
    pacer.hold(ANN, 5000)
    for chat in range(100, 100 + 3 * MOST_CHATS):
        await pacer.turn(chat, Urgency.FINAL)
        clock.advance(1)
    assert len(pacer._paces) <= MOST_CHATS
    assert pacer.silence(ANN) > 1000
