"""Many answers at once, within what Slack takes: none is lost, none is refused."""

from __future__ import annotations

import asyncio
import math

from adapters.slack.pacer import START, STOP, Urgency
from bot.errors import DeliveryError
from bot.ports import Sink
from tests.adapters.slack.conftest import HastyClock
from tests.adapters.slack.desk import Desk, desk
from tests.slack_server import Limits

ANSWERS = 25
LINES = 12


async def answer(slack: Desk, number: int) -> str:
    """Grow an answer and finish it, as the core does; returns its handle."""
    place = slack.reply(key=f"turn-{number}")
    sink = slack.sink(place)
    text, handle = f"Answer {number}:", ""
    for line in range(LINES):
        await sink.ready()
        text += f" word{line}"
        try:
            handle = await sink.show(0, text, handle) or handle
        except DeliveryError as error:
            await slack.clock.sleep(error.retry_after or 1.0)
    try:
        return await finished(slack, sink, text + ".", handle)
    finally:
        await sink.close()


async def finished(slack: Desk, sink: Sink, text: str, handle: str) -> str:
    """Finish until it is taken."""
    while True:
        try:
            return await sink.finish(0, text, handle)
        except DeliveryError as error:
            await slack.clock.sleep(error.retry_after or 1.0)


async def test_twenty_five_answers_at_once_all_end_within_the_tiers() -> None:
    async with desk(HastyClock(), limits=Limits(), rate=1.0) as slack:
        slack.account.wordless[slack.general.id] = math.inf
        async with asyncio.timeout(60):
            handles = await asyncio.gather(*(answer(slack, n) for n in range(ANSWERS)))
        assert len(set(handles)) == ANSWERS
        words = " ".join(f"word{line}" for line in range(LINES))
        assert sorted(slack.seen) == sorted(f"Answer {n}: {words}." for n in range(ANSWERS))
        assert not slack.streaming
        streamed = slack.calls("chat.stopStream")
        assert 10 <= streamed <= 18
        # The clock runs a hundred times too fast: what takes the machine long looks like a burst.
        assert sum(slack.server.rates.refused.values()) < ANSWERS / 5


async def test_last_streams_of_a_minute_are_seen_to_grow() -> None:
    async def done() -> None:
        """A call that Slack takes."""

    async with desk() as slack:
        for method in (START, STOP) * 17:
            await slack.account.pacer.call(method, Urgency.FINAL, done)
        sink = slack.sink()
        handle = await sink.show(0, "Hello", "")
        assert slack.seen == ["Hello"]
        await sink.finish(0, "Hello you", handle)
        await sink.close()


async def test_answers_for_whose_end_no_edit_is_left_come_whole() -> None:
    async with desk() as slack:
        slack.account.streams = False
        sinks = [slack.sink() for _ in range(60)]
        handles = await asyncio.gather(*(sink.show(0, "Hello", "") for sink in sinks))
        assert 40 <= sum(map(bool, handles)) < 50
        for sink, handle in zip(sinks, handles, strict=True):
            await sink.finish(0, "Hello you", handle)
            await sink.close()
        assert slack.seen == ["Hello you"] * 60
