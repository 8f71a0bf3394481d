"""Buttons: who may press them, how often, and what old ones answer."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from operator import eq
from typing import Any

import pytest

from adapters.telegram.buttons import MOST_DATA, keyboard, pressed
from adapters.telegram.presses import NOT_YOURS, OLD, PRESSED
from bot.errors import DeliveryError
from bot.messages import Button, IncomingMessage, Receipt
from bot.ports import Sink
from tests.adapters.fake_core import FakeCore
from tests.adapters.telegram.conftest import Make, reply_in, running, texts
from tests.telegram_server import Fail, Person, TelegramServer

ANN, BOB = Person(7, "Ann"), Person(8, "Bob")
SUPERGROUP = -1_000_000_000_007
START = (Button("Start", "/finetune confirm 12"), Button("Leave it", "/finetune forget 12"))


async def card(sink: Sink, message: IncomingMessage) -> None:
    """Ask back what a command asks back."""
    buttons = START if message.text == "/finetune" else ()
    await sink.finish(0, f"You said: {message.text}", "", buttons=buttons)


async def asked(telegram: TelegramServer, answer: asyncio.Future[Any]) -> str:
    """What the one who pressed a button is told."""
    await telegram.until(answer.done)
    return str(answer.result().get("text", ""))


async def test_button_says_its_words_for_the_one_who_was_asked(
    telegram: TelegramServer, make: Make
) -> None:
    group = telegram.group(SUPERGROUP, ANN)
    async with running(make(), card) as core:
        await group.writes("/finetune")
        await group.sees(lambda messages: messages[-1].keyboard)
        assert await asked(telegram, await group.presses("Start")) == ""
        await core.heard("/finetune confirm 12")
        said = core.received[-1]
        assert said.person == core.received[0].person
        assert said.conversation == core.received[0].conversation
        await group.sees(lambda messages: not any(each.keyboard for each in messages))
        await group.sees(lambda _: "You said: /finetune confirm 12" in group.answers)


async def test_button_is_not_for_others(telegram: TelegramServer, make: Make) -> None:
    group = telegram.group(SUPERGROUP, ANN)
    async with running(make(), card) as core:
        await group.writes("/finetune")
        await group.sees(lambda messages: messages[-1].keyboard)
        assert await asked(telegram, await group.presses("Start", by=BOB)) == NOT_YOURS
        assert len(core.received) == 1
        assert group.messages[-1].keyboard


async def test_button_counts_once_however_often_it_is_pressed(
    telegram: TelegramServer, make: Make
) -> None:
    ann = telegram.private(7)
    async with running(make(), card) as core:
        await ann.writes("/finetune")
        await ann.sees(lambda messages: messages[-1].keyboard)
        presses = [await ann.presses("Start") for _ in range(2)]
        assert [await asked(telegram, press) for press in presses] == ["", PRESSED]
        assert texts(core) == ["/finetune", "/finetune confirm 12"]
        assert not core.shelf


async def test_press_delivered_again_is_not_called_old(
    telegram: TelegramServer, make: Make
) -> None:
    ann = telegram.private(7)
    async with running(make(), card) as core:
        await ann.writes("/finetune")
        await ann.sees(lambda messages: messages[-1].keyboard)
        pressed = await ann.presses("Start")
        assert await asked(telegram, pressed) == ""
        await telegram.until(lambda: not telegram.updates.waiting)
        telegram.redeliver()
        await ann.writes("Hello")
        await core.heard("Hello")
        assert len(telegram.called("answerCallbackQuery")) == 1


async def test_reaction_in_a_topic_is_known_by_its_message_alone(
    telegram: TelegramServer, make: Make
) -> None:
    forum = telegram.forum(SUPERGROUP, ANN)
    async with running(make()) as core:
        await telegram.until(lambda: telegram.called("getUpdates"))
        await forum.writes("/help", topic=forum.topic("One"))
        await forum.sees(lambda _: forum.answers)
    async with running(make()) as core:  # which sent nothing
        answer = forum.messages[-1]
        await forum.reacts(answer, "👍")
        await telegram.until(partial(eq, {str(answer.id): 1}, core.opinions))


async def test_answer_that_a_restart_delivers_can_be_judged(
    telegram: TelegramServer, make: Make
) -> None:
    ann, adapter = telegram.private(7), make(feedback=True)
    sink = adapter.sink(replace(reply_in(ann), answer=True))
    await sink.finish(0, "An answer that was whole before", "")
    await sink.close()
    assert ann.messages[-1].keyboard


@pytest.mark.parametrize("data", ["", "x", "s:", "szz:hi", "s7", "o5", "old:format"])
async def test_old_button_answers_that_it_is_old(
    telegram: TelegramServer, make: Make, data: str
) -> None:
    ann = telegram.private(7)
    ann.post(telegram.bot, "A card", keyboard=[[{"text": "Go", "callback_data": data}]])
    async with running(make()) as core:
        assert await asked(telegram, await ann.presses("Go")) == OLD
        assert not core.received


async def test_button_below_a_message_that_is_out_of_reach_is_old(
    telegram: TelegramServer, make: Make
) -> None:
    ann = telegram.private(7)
    query, answer = telegram.query()
    where = {"chat": ann.about, "message_id": 3, "date": 0}
    press = {"id": query, "from": ANN.json(), "message": where, "chat_instance": "7"}
    async with running(make()):
        telegram.inject({"callback_query": {**press, "data": "s7:/help"}})
        assert await asked(telegram, answer) == OLD


async def test_anyone_may_press_what_nobody_was_asked_for(
    telegram: TelegramServer, make: Make
) -> None:
    group, adapter = telegram.group(SUPERGROUP), make()
    sink = adapter.sink(reply_in(group))
    await sink.finish(0, "The model is ready", "", buttons=[Button("Use it here", "/model new")])
    await sink.close()
    async with running(adapter) as core:
        await group.presses("Use it here", by=BOB)
        await core.heard("/model new")
        assert core.received[0].person.id == "telegram:8"


def test_longest_words_and_ids_fit() -> None:
    longest = Button("Go", "ä" * 24)
    found = keyboard([longest], f"telegram:{2**52 - 1}")
    assert found
    data = found.inline_keyboard[0][0].callback_data
    assert isinstance(data, str)
    assert len(data.encode()) <= MOST_DATA
    says = pressed(data)
    assert says is not None
    assert getattr(says, "text", "") == longest.says


async def test_opinion_of_an_answer_reaches_the_core(telegram: TelegramServer, make: Make) -> None:
    async def streamed(sink: Sink, _: object) -> None:
        await sink.ready()
        await sink.show(0, "An", "")
        handles.append(await sink.finish(0, "An answer", ""))

    handles: list[str] = []
    ann = telegram.private(7)
    async with running(make(feedback=True), streamed) as core:
        await ann.writes("Hello")
        await ann.sees(lambda messages: messages[-1].keyboard)
        assert await asked(telegram, await ann.presses("👎")) == "Thank you."
        assert core.opinions == {handles[0]: -1}
        await ann.presses("👍")
        await telegram.until(lambda: core.opinions == {handles[0]: 1})


async def test_opinions_stand_below_the_last_part_of_an_answer_only(
    telegram: TelegramServer, make: Make
) -> None:
    ann, adapter = telegram.private(7), make(feedback=True)
    sink = adapter.sink(replace(reply_in(ann), answer=True))
    await sink.finish(0, "One", "")
    await sink.finish(1, "Two", "")
    await sink.close()
    assert [bool(message.keyboard) for message in ann.messages] == [False, True]


async def test_commands_and_failures_are_not_judged(telegram: TelegramServer, make: Make) -> None:
    ann, adapter = telegram.private(7), make(feedback=True)
    sink = adapter.sink(reply_in(ann))
    await sink.finish(0, "These are the commands", "")
    await sink.close()
    sink = adapter.sink(replace(reply_in(ann), answer=True))
    await sink.finish(0, "The model is busy.", "", failed=True)
    await sink.close()
    assert not any(message.keyboard for message in ann.messages)


async def test_reaction_reaches_the_core_and_can_be_taken_back(
    telegram: TelegramServer, make: Make
) -> None:
    ann = telegram.private(7)
    async with running(make()) as core:
        await telegram.until(lambda: telegram.called("getUpdates"))
        await ann.writes("Hello")
        await ann.sees(lambda _: ann.answers)
        answer = ann.messages[-1]
        for emoji, value in ((["👍"], 1), (["❤", "👎"], -1), ([], 0)):
            await ann.reacts(answer, *emoji)
            await telegram.until(partial(eq, {str(answer.id): value}, core.opinions))


async def test_refused_press_leaves_the_button_to_others(
    telegram: TelegramServer, make: Make
) -> None:
    class Choosy(FakeCore):
        async def receive(self, message: IncomingMessage) -> Receipt:
            accepted = await super().receive(message)
            return Receipt.REFUSED if message.person.id == "telegram:8" else accepted

    group, adapter = telegram.group(SUPERGROUP, ANN), make()
    sink = adapter.sink(reply_in(group))
    await sink.finish(0, "The model is ready", "", buttons=[Button("Use it", "/model new")])
    await sink.close()
    core = Choosy(adapter)
    run = asyncio.create_task(adapter.run(core))
    await asked(telegram, await group.presses("Use it", by=BOB))
    assert group.messages[0].keyboard
    await asked(telegram, await group.presses("Use it"))
    await group.sees(lambda messages: not messages[0].keyboard)
    bobs, anns = core.received
    assert set(bobs.keys).isdisjoint(anns.keys), "a refusal uses up nothing for others"
    run.cancel()
    await asyncio.wait([run])


async def test_part_is_not_doubled_by_the_buttons_above_it(
    telegram: TelegramServer, make: Make
) -> None:
    ann, adapter = telegram.private(7), make(feedback=True)
    sink = adapter.sink(replace(reply_in(ann), answer=True))
    await sink.finish(0, "One", "")
    telegram.fails("editMessageText", Fail(500, "Internal Server Error"))
    with pytest.raises(DeliveryError):
        await sink.finish(1, "Two", "")
    await sink.finish(1, "Two", "")
    await sink.close()
    assert ann.answers == ["One", "Two"]
    assert [bool(message.keyboard) for message in ann.messages] == [False, True]
