"""Questions that somebody waits for: who asks again, leaves, comes late, or outlives a restart."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from adapters.http import Settings, create
from adapters.http.exchange import DELETED, STOPPING, Exchange, Unanswered
from adapters.http.exchanges import PACE, Exchanges
from bot.errors import StoreBusy, TooFast
from bot.messages import IncomingMessage, Receipt, ReplyTo, Said
from bot.ports import Sink
from tests.adapters.fake_core import FakeCore
from tests.adapters.http.answers import WHERE, Growing, Withdrawals, message

KEY = (WHERE, "q")


@pytest.fixture
def answer() -> Growing:
    return Growing()


@pytest.fixture
def core(answer: Growing) -> FakeCore:
    return FakeCore(create("http", Settings(), {}), answer)


@pytest.fixture
def exchanges(core: FakeCore) -> Iterator[Exchanges]:
    """Those of the adapter; in the end, nothing is left of them."""
    found: Exchanges = core.adapter._exchanges  # type: ignore[attr-defined]
    yield found
    assert len(found) == 0


async def followed(exchange: Exchange) -> list[str]:
    """Every snapshot that was seen, and what was said."""
    return [growth.text async for growth in exchange] + [exchange.said.text]


async def asked(exchanges: Exchanges, core: FakeCore, *, withdraws: bool = True) -> list[str]:
    async with exchanges.ask(core, message(), withdraws=withdraws) as exchange:
        return await followed(exchange)


async def leave(request: asyncio.Task[list[str]]) -> None:
    """The client of a request hangs up."""
    request.cancel()
    await asyncio.wait([request])
    assert request.cancelled()


async def test_snapshots_are_seen_and_then_what_was_said(
    exchanges: Exchanges, core: FakeCore, answer: Growing
) -> None:
    async with exchanges.ask(core, message(), withdraws=True) as exchange:
        growths = aiter(exchange)
        for text in ("Because", "Because it is."):
            await answer.show(text)
            assert (await anext(growths)).text == text
        answer.end()
        assert [growth async for growth in growths] == []
        assert exchange.said.text == "Because it is."


async def test_slow_reader_sees_the_newest_snapshot_and_none_that_it_missed(
    exchanges: Exchanges, core: FakeCore, answer: Growing
) -> None:
    async with exchanges.ask(core, message(), withdraws=True) as exchange:
        for text in ("a", "ab", "abc"):
            await answer.show(text)
        answer.end()
        assert await followed(exchange) == ["abc", "abc"]


async def test_sentence_about_a_delay_is_no_answer(exchanges: Exchanges, core: FakeCore) -> None:
    async def waits(sink: Sink, message: IncomingMessage) -> None:  # noqa: ARG001
        await sink.show(0, "_The model is busy._", "", waiting=True)
        await core.stopped.wait()
        await sink.finish(0, "Now", "")

    core.answer = waits
    async with exchanges.ask(core, message(), withdraws=True) as exchange:
        growths = aiter(exchange)
        growth = await anext(growths)
        assert (growth.text, growth.waiting) == ("", "The model is busy.")
        core.stopped.set()
        assert [growth async for growth in growths] == []


async def test_question_asked_again_while_it_runs_is_received_once(
    exchanges: Exchanges, core: FakeCore, answer: Growing
) -> None:
    requests = [asyncio.create_task(asked(exchanges, core)) for _ in range(3)]
    await answer.begun()
    await answer.show("Because")
    answer.end()
    assert [(await request)[-1] for request in requests] == ["Because"] * 3
    assert len(core.received) == 1


async def test_who_joins_late_sees_what_there_is_at_once(
    exchanges: Exchanges, core: FakeCore, answer: Growing
) -> None:
    first = asyncio.create_task(asked(exchanges, core))
    await answer.begun()
    await answer.show("Because")
    async with exchanges.ask(core, message(), withdraws=True) as exchange:
        assert (await anext(aiter(exchange))).text == "Because"
        answer.end()
        await first


async def test_question_that_was_answered_is_not_received_again(
    exchanges: Exchanges, core: FakeCore, answer: Growing
) -> None:
    answer.end()
    await asked(exchanges, core)
    await core.idle(WHERE)
    assert await asked(exchanges, core) == [""]
    assert len(core.received) == 1


async def test_question_is_withdrawn_when_the_last_who_waits_leaves(
    exchanges: Exchanges, core: FakeCore, answer: Growing
) -> None:
    withdrawals = Withdrawals(core)
    first, second = (asyncio.create_task(asked(exchanges, core)) for _ in range(2))
    await answer.begun()
    await leave(first)
    assert core.withdrawn == []
    await leave(second)
    assert await withdrawals.next() == "q"
    assert core.withdrawn == ["q"]


async def test_answer_goes_on_where_one_of_those_who_left_wants_it(
    exchanges: Exchanges, core: FakeCore, answer: Growing
) -> None:
    page = asyncio.create_task(asked(exchanges, core, withdraws=False))
    application = asyncio.create_task(asked(exchanges, core))
    await answer.begun()
    await answer.show("Because")
    await leave(page)
    await leave(application)
    async with exchanges.ask(core, message(), withdraws=False) as exchange:
        assert (await anext(aiter(exchange))).text == "Because"
        answer.end()
        await core.idle(WHERE)
    assert core.withdrawn == []


async def test_question_that_was_not_taken_is_not_withdrawn(
    exchanges: Exchanges, core: FakeCore
) -> None:
    core.failures = [TooFast("Too fast."), StoreBusy("Busy.")]
    for error in (TooFast, StoreBusy):
        with pytest.raises(error):
            await asked(exchanges, core)
    await exchanges.aclose()
    assert core.withdrawn == []


async def test_client_that_leaves_while_its_question_is_received_withdraws_it(
    exchanges: Exchanges, core: FakeCore, monkeypatch: pytest.MonkeyPatch
) -> None:
    withdrawals, receive = Withdrawals(core), core.receive
    begun, commits = asyncio.Event(), asyncio.Event()

    async def held(message: IncomingMessage) -> Receipt:
        begun.set()
        await commits.wait()
        return await receive(message)

    monkeypatch.setattr(core, "receive", held)
    request = asyncio.create_task(asked(exchanges, core))
    await begun.wait()
    await leave(request)
    assert core.withdrawn == []
    commits.set()
    assert await withdrawals.next() == "q"


async def test_question_asked_anew_waits_for_its_withdrawal_and_gets_its_own_answer(
    exchanges: Exchanges, core: FakeCore, answer: Growing
) -> None:
    request = asyncio.create_task(asked(exchanges, core))
    await answer.begun()
    await answer.show("Old")
    await leave(request)
    async with exchanges.ask(core, message(), withdraws=True) as exchange:
        assert core.withdrawn == ["q"]
        old = answer.sinks[0]
        await old.show(0, "Old, and late", "")
        await old.finish(0, "Old, and late", "")
        await old.close()
        await answer.show("New")
        answer.end()
        assert await followed(exchange) == ["New", "New"]


async def test_answer_that_a_restarted_core_owes_reaches_who_asks_for_it(
    exchanges: Exchanges, core: FakeCore
) -> None:
    core._said[KEY] = None  # received before the restart
    sink = exchanges.sink(ReplyTo(WHERE, "turn-7", "before q"))
    async with exchanges.ask(core, message(), withdraws=True) as exchange:
        growths = aiter(exchange)
        await sink.show(0, "Because", "")
        assert (await anext(growths)).text == "Because"
        core._said[KEY] = Said("turn-7", "Because it is.")
        await sink.finish(0, "Because it is.", "")
        await sink.close()
        assert [growth async for growth in growths] == []
        assert exchange.said.text == "Because it is."
    assert core.received == []


async def test_answer_that_grew_before_anybody_asked_again_is_seen(
    exchanges: Exchanges, core: FakeCore
) -> None:
    core._said[KEY] = None
    sink = exchanges.sink(ReplyTo(WHERE, "turn-7", "before q"))
    await sink.show(0, "Because", "")
    async with exchanges.ask(core, message(), withdraws=True) as exchange:
        assert (await anext(aiter(exchange))).text == "Because"
        core._said[KEY] = Said("turn-7", "Because it is.")
        await sink.close()


async def test_answer_that_ends_while_it_is_asked_for_again_is_not_waited_for(
    exchanges: Exchanges, core: FakeCore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def duplicate(message: IncomingMessage) -> Receipt:  # noqa: ARG001
        core._said[KEY] = Said("turn-7", "Because.")
        return Receipt.DUPLICATE

    monkeypatch.setattr(core, "receive", duplicate)
    assert await asked(exchanges, core) == ["Because."]


async def test_who_waits_while_the_core_stops_is_told_to_ask_again(
    exchanges: Exchanges, core: FakeCore, answer: Growing
) -> None:
    request = asyncio.create_task(asked(exchanges, core))
    await answer.begun()
    await answer.sinks[0].close()
    with pytest.raises(Unanswered, match=STOPPING):
        await request


async def test_who_waits_for_a_question_that_is_deleted_is_told_so(
    exchanges: Exchanges, core: FakeCore, answer: Growing
) -> None:
    request = asyncio.create_task(asked(exchanges, core))
    await answer.begun()
    sink = core.adapter.sink(ReplyTo(WHERE, "notice-1", core.received[0].origin))
    await sink.finish(0, DELETED, "", failed=True)
    await sink.close()
    with pytest.raises(Unanswered, match=DELETED):
        await request


async def test_nothing_is_withdrawn_when_the_server_ends(
    exchanges: Exchanges, core: FakeCore, answer: Growing
) -> None:
    request = asyncio.create_task(asked(exchanges, core))
    await answer.begun()
    await exchanges.aclose()
    with pytest.raises(Unanswered, match=STOPPING):
        await request
    with pytest.raises(Unanswered, match=STOPPING):
        await asked(exchanges, core)
    assert core.withdrawn == []


async def test_stop_of_one_request_ends_the_answer_of_another(
    exchanges: Exchanges, core: FakeCore
) -> None:
    async def until_stopped(sink: Sink, message: IncomingMessage) -> None:  # noqa: ARG001
        await sink.show(0, "Because", "")
        await core.stopped.wait()
        await sink.finish(0, "Because", "")

    core.answer = until_stopped
    request = asyncio.create_task(asked(exchanges, core))
    await core.heard("Why?")
    async with exchanges.ask(core, message("/stop", "s"), withdraws=True) as exchange:
        assert await followed(exchange) == ["Stopped."]
    assert (await request)[-1] == "Because"


async def test_reply_has_the_same_handle_each_time(exchanges: Exchanges) -> None:
    for _ in range(2):
        sink = exchanges.sink(ReplyTo(WHERE, "turn-7", "before q"))
        assert await sink.finish(0, "Because", "") == "turn-7"
        await sink.close()


async def test_snapshots_keep_a_pace(exchanges: Exchanges) -> None:
    sink = exchanges.sink(ReplyTo(WHERE, "turn-7", "before q"))
    now = asyncio.get_running_loop().time
    start = now()
    for text in ("a", "ab", "abc"):
        await sink.ready()
        await sink.show(0, text, "")
    assert now() - start >= 2 * PACE * 0.9
    await sink.close()
