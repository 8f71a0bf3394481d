"""Every message is answered once, in order, by whom it may be."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from bot.conversation import MARKS
from bot.errors import StoreBusy
from bot.messages import ConversationId, Ending, IncomingMessage, Person, Receipt, ReplyTo
from bot.store import Store, answers, inbox, usage
from tests.clock import HeldClock
from tests.fakes import Bot, FakeAdapter, FakeSink, HeldStep, busy, configuration, running
from tests.scripted_model import Answer, ScriptedModel

HERE, ANN = ConversationId("fake", "general"), Person("fake:ann", "Ann")


async def test_a_message_delivered_twice_is_answered_once(bot: Bot, model: ScriptedModel) -> None:
    assert await bot.receive("hi", key="7") is Receipt.ACCEPTED
    assert await bot.receive("hi", key="7") is Receipt.DUPLICATE
    await bot.idle()
    assert await bot.receive("hi", key="7") is Receipt.DUPLICATE
    assert bot.says() == ["You said: hi"]
    assert len(model.requests) == 1


async def test_a_message_delivered_again_after_a_restart_is_answered_once(
    model: ScriptedModel, tmp_path: Path
) -> None:
    config = configuration(tmp_path, model.base_url)
    async with running(config) as bot:
        await bot.hears("hi", key="7")
    async with running(config) as bot:
        assert await bot.receive("hi", key="7") is Receipt.DUPLICATE
    assert len(model.requests) == 1


async def test_keys_are_remembered_for_a_day_and_then_forgotten(bot: Bot) -> None:
    await bot.hears("hi", key="7")
    bot.clock.advance(24 * 3600)
    assert await bot.receive("hi", key="7") is Receipt.DUPLICATE
    for hours in (24, 1, 1):
        bot.clock.advance(hours * 3600)
        await bot.clock.asleep(2)  # the pruning is done
    assert await bot.receive("hi", key="7") is Receipt.ACCEPTED
    await bot.idle()


async def test_messages_are_answered_in_the_order_in_which_they_came(
    bot: Bot, model: ScriptedModel
) -> None:
    going = asyncio.Event()
    model.script(Answer(text="one", hold=going))
    await bot.receive("1")
    await model.until(lambda: len(model.requests) == 1)
    await bot.receive("2")
    await bot.receive("/model")
    await bot.receive("3")
    going.set()
    await bot.idle()
    one, two, command, three = bot.says()
    assert (one, two, three) == ("one", "You said: 2", "You said: 3")
    assert "assistant" in command


async def test_a_stranger_is_told_once_and_then_met_with_silence(
    model: ScriptedModel, tmp_path: Path
) -> None:
    config = configuration(tmp_path, model.base_url, access={"users": ["fake:ann"]})
    async with running(config) as bot:
        assert await bot.receive("hi", person="eve") is Receipt.REFUSED
        await bot.idle()
        assert await bot.receive("hello?", person="eve") is Receipt.REFUSED
        await bot.idle()
        [refusal] = bot.says()
        assert "'fake:eve'" in refusal
    async with running(config) as bot:
        await bot.hears("hello??", person="eve")
        assert len(bot.says()) == 1
    assert not model.requests


async def test_nobody_gets_in_unless_somebody_is_named(
    model: ScriptedModel, tmp_path: Path
) -> None:
    config = configuration(tmp_path, model.base_url, access={"users": []})
    async with running(config) as bot:
        assert await bot.receive("hi") is Receipt.REFUSED


async def test_who_writes_too_fast_is_told_once_a_minute(
    model: ScriptedModel, tmp_path: Path
) -> None:
    config = configuration(
        tmp_path, model.base_url, access={"users": ["*"], "messages_per_minute": 2}
    )
    async with running(config) as bot:
        receipts = [await bot.receive(f"{n}") for n in range(6)]
        await bot.idle()
        assert receipts == [Receipt.ACCEPTED] * 2 + [Receipt.REFUSED] * 4
        assert len([text for text in bot.says() if "too fast" in text]) == 1
        assert await bot.receive("hi", person="bob") is Receipt.ACCEPTED
        bot.clock.advance(60)
        assert await bot.receive("again") is Receipt.ACCEPTED
        await bot.idle()


async def test_who_used_the_tokens_of_the_day_waits_for_the_next(
    model: ScriptedModel, tmp_path: Path
) -> None:
    config = configuration(tmp_path, model.base_url, access={"users": ["*"], "tokens_per_day": 5})
    async with running(config) as bot:
        await bot.hears("hi")
        assert "today's 5 tokens" in (await bot.hears("again"))[-1]
        bot.clock.advance(24 * 3600)
        assert (await bot.hears("the next day"))[-1] == "You said: the next day"


async def test_a_message_that_cannot_be_stored_is_not_acknowledged(
    bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(*_: object) -> None:
        raise StoreBusy("The database is locked.")

    with monkeypatch.context() as patch:
        patch.setattr("bot.store.inbox.is_new", locked)
        with pytest.raises(StoreBusy):
            await bot.receive("hi", key="7")
    assert await bot.hears("hi", key="7") == ["You said: hi"]


async def test_a_message_is_a_repetition_if_one_of_its_keys_was_seen(bot: Bot) -> None:
    core = await bot.adapter.core
    message = IncomingMessage(HERE, ANN, "hi", ("5", "5"))
    assert await core.receive(message) is Receipt.ACCEPTED, "a key twice in one message is one key"
    assert await core.receive(replace(message, keys=("6", "5"))) is Receipt.DUPLICATE
    assert await core.receive(replace(message, keys=("7",))) is Receipt.ACCEPTED


async def test_what_was_committed_is_answered_even_if_the_adapter_no_longer_waits(
    bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = HeldStep(answers.begin_at_once)
    with monkeypatch.context() as patch:
        patch.setattr("bot.store.answers.begin_at_once", held)
        handler = asyncio.create_task(bot.receive("hi", key="7"))
        await held.begun()
        handler.cancel()
        await asyncio.wait([handler])
        held.go_on()
        assert await bot.receive("hi", key="7") is Receipt.DUPLICATE, "the platform tries again"
    await bot.sees(lambda: bot.says() == ["You said: hi"])


async def test_messages_that_come_at_once_are_answered_in_order(
    bot: Bot, model: ScriptedModel
) -> None:
    texts = ["one", "two", "three"]
    await asyncio.gather(*[bot.receive(text) for text in texts])
    await bot.idle()
    assert bot.says() == ["You said: one", "You said: two\nthree"]
    asked = [each["content"] for each in model.bodies[-1]["messages"] if each["role"] != "system"]
    assert "\n".join(asked).split("\n") == ["one", "You said: one", "two", "three"]


async def test_question_comes_after_a_command_that_is_still_being_committed(bot: Bot) -> None:
    await asyncio.gather(bot.receive("/models"), bot.receive("hi"))
    await bot.idle()
    assert bot.says()[-1] == "You said: hi"
    assert len(bot.says()) == 2


async def test_a_stop_that_comes_as_the_answer_ends_is_answered(
    bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    bot.adapter.limits = replace(bot.adapter.limits, progress=False)
    bot.adapter.answering.clear()
    await bot.receive("hi")
    await bot.sees(lambda: bot.says() == ["You said: hi"])
    held = HeldStep(inbox.take_in)
    monkeypatch.setattr("bot.store.inbox.take_in", held)
    stop = asyncio.create_task(bot.receive("/stop"))
    await held.begun()
    bot.adapter.answering.set()  # the platform has the answer: the store is told so after /stop
    held.go_on()
    await stop
    await bot.idle()
    assert bot.says() == ["You said: hi", "There is no answer to stop."]


async def test_a_repetition_does_not_count_against_the_rate(
    model: ScriptedModel, tmp_path: Path
) -> None:
    access = {"users": ["*"], "messages_per_minute": 2}
    async with running(configuration(tmp_path, model.base_url, access=access)) as bot:
        await bot.receive("one", key="1")
        assert await bot.receive("one", key="1") is Receipt.DUPLICATE
        assert await bot.receive("two", key="2") is Receipt.ACCEPTED
        assert await bot.receive("two", key="2") is Receipt.DUPLICATE
        await bot.idle()
        assert not [text for text in bot.says() if "too fast" in text]
        await bot.hears("three", key="3")
        assert "too fast" in bot.says()[-1], "no repetition was told in the place of this one"


async def test_stop_is_taken_from_who_writes_too_fast(model: ScriptedModel, tmp_path: Path) -> None:
    access = {"users": ["*"], "messages_per_minute": 1}
    model.script(Answer(chunks=["Once", " upon"], hold=asyncio.Event(), hold_at=1))
    async with running(configuration(tmp_path, model.base_url, access=access)) as bot:
        await bot.receive("a story")
        await bot.sees(lambda: bot.says() == ["Once"])
        assert await bot.receive("another") is Receipt.REFUSED
        assert await bot.receive("/stop") is Receipt.ACCEPTED
        await bot.idle()
        assert bot.says()[0] == f"Once\n\n{MARKS[Ending.STOPPED]}"


async def test_a_command_that_meets_a_locked_database_is_answered_afterwards(
    bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.store.usage.of_person", busy(usage.of_person))
    await bot.receive("/usage")
    await bot.clock.asleep(3)
    bot.clock.advance(1)
    await bot.idle()
    assert "| you, in all |" in bot.says()[0]


async def test_a_question_whose_budget_cannot_be_read_is_answered_afterwards(
    model: ScriptedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.store.usage.of_person", busy(usage.of_person))
    access = {"users": ["*"], "tokens_per_day": 1_000_000}
    async with running(configuration(tmp_path, model.base_url, access=access)) as bot:
        await bot.receive("hi")
        await bot.clock.asleep(3)
        bot.clock.advance(1)
        await bot.idle()
        assert bot.says() == ["You said: hi"]


async def test_messages_that_waited_at_a_shutdown_are_answered_in_order(
    model: ScriptedModel, tmp_path: Path
) -> None:
    config = configuration(tmp_path, model.base_url, shutdown_seconds=0.0)
    model.script(Answer(hold=asyncio.Event()))
    async with running(config) as bot:
        await bot.receive("one")
        await model.until(lambda: len(model.requests) == 1)
        for text in ("two", "three", "/model", "four"):
            await bot.receive(text)
    async with running(config) as bot:
        await bot.idle()
        one, more, command, four = bot.says()
    assert (one, more, four) == ("You said: one", "You said: two\nthree", "You said: four")
    assert "assistant" in command


async def test_an_answer_that_a_bug_cannot_resume_silences_nobody(
    model: ScriptedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = configuration(tmp_path, model.base_url, shutdown_seconds=0.0)
    model.script(Answer(hold=asyncio.Event()))
    async with running(config) as bot:
        await bot.receive("poison")
        await model.until(lambda: len(model.requests) == 1)

    def sink(adapter: FakeAdapter, to: ReplyTo) -> FakeSink:
        if to.key == "turn-2":
            raise ValueError("An origin of another version")
        return FakeSink(adapter, to)

    monkeypatch.setattr(FakeAdapter, "sink", sink)
    async with running(config) as bot:
        assert await bot.hears("hello") == ["You said: poison\nhello"]


async def test_more_messages_than_a_statement_has_variables_are_answered(
    model: ScriptedModel, tmp_path: Path
) -> None:
    config = configuration(tmp_path, model.base_url)
    store = Store(config.database, HeldClock())
    await store.open()
    flood = [IncomingMessage(HERE, ANN, f"{n}") for n in range(33_000)]
    await store.do(lambda db: [inbox.take_in(db, message, 0.0) for message in flood] and None)
    await store.close()
    async with running(config) as bot:
        await bot.idle()
        [said] = bot.says()
    assert said.endswith("32998\n32999")
