"""A platform that fetches its answers gets each of them, once, whenever it asks."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlite_utils import Database

from bot.errors import AccessDenied, StoreBusy, StoreError, TooFast
from bot.messages import (
    Attachment,
    ConversationId,
    Ending,
    IncomingMessage,
    Person,
    Receipt,
    Said,
    Usage,
)
from bot.store import answers, questions
from bot.store.answers import Asked
from tests.fakes import Bot, busy, configuration, running
from tests.scripted_model import Answer, ScriptedModel

HERE = ConversationId("fake", "general")


async def test_an_answer_is_kept_with_how_it_ended_and_what_it_used(
    bot: Bot, model: ScriptedModel
) -> None:
    model.script(Answer(text="Cut", finish="length"))
    await bot.hears("hi", question_id="1")
    assert await bot.said("1") == Said("turn-2", "Cut", Ending.LENGTH, Usage(3, 1))
    assert bot.says() != ["Cut"], "what is shown has a mark"


async def test_a_question_asked_again_asks_no_model(bot: Bot, model: ScriptedModel) -> None:
    going = asyncio.Event()
    model.script(Answer(text="Once.", hold=going))
    assert await bot.receive("hi", question_id="1") is Receipt.ACCEPTED
    assert await bot.receive("hi", question_id="1") is Receipt.DUPLICATE
    assert await bot.said("1") is None
    going.set()
    await bot.idle()
    assert await bot.receive("hi", question_id="1") is Receipt.DUPLICATE
    assert (await bot.said("1") or Said("", "")).text == "Once."
    assert len(model.requests) == 1


async def test_buttons_of_what_a_command_replied_are_kept(bot: Bot, tmp_path: Path) -> None:
    path = tmp_path / "faq.csv"
    path.write_text("prompt,completion\n" + "".join(f"door {n},key {n}\n" for n in range(12)))
    file = Attachment(path.name, "text/csv", str(path), path.stat().st_size)
    await bot.hears("/finetune prepare", person="op", question_id="1", files=[file])
    said = await bot.said("1")
    assert said
    assert said.buttons == tuple(bot.adapter.buttons)
    assert said.buttons[0].says == "/finetune prepare 1 write"


async def test_the_same_id_in_another_conversation_is_another_question(bot: Bot) -> None:
    await bot.hears("hi", question_id="1", channel="a")
    assert await bot.receive("ho", question_id="1", channel="b") is Receipt.ACCEPTED
    await bot.idle("b")
    assert (await bot.said("1", "a") or Said("", "")).text == "You said: hi"
    assert (await bot.said("1", "b") or Said("", "")).text == "You said: ho"


async def test_an_answer_is_kept_over_restarts_and_longer_than_keys_are(
    model: ScriptedModel, tmp_path: Path
) -> None:
    config = configuration(tmp_path, model.base_url)
    async with running(config) as bot:
        await bot.hears("hi", question_id="1")
    async with running(config) as bot:
        bot.clock.advance(100 * 86_400)
        await bot.clock.asleep(2)  # the pruning is done
        assert await bot.receive("hi", question_id="1") is Receipt.DUPLICATE
        assert (await bot.said("1") or Said("", "")).text == "You said: hi"
    assert len(model.requests) == 1


async def test_an_answer_that_a_restart_gives_is_kept(model: ScriptedModel, tmp_path: Path) -> None:
    model.script(Answer(text="Lost", hold=asyncio.Event()))
    config = configuration(tmp_path, model.base_url, shutdown_seconds=0.0)
    async with running(config) as bot:
        await bot.receive("hi", question_id="1")
        await model.until(lambda: len(model.requests) == 1)
    async with running(config) as bot:
        await bot.idle()
        assert (await bot.said("1") or Said("", "")).text == "You said: hi"


async def test_questions_that_wait_are_answered_one_by_one(bot: Bot, model: ScriptedModel) -> None:
    going = asyncio.Event()
    model.script(Answer(text="First.", hold=going))
    await bot.receive("1", question_id="1")
    await model.until(lambda: len(model.requests) == 1)
    for number in ("2", "3"):
        await bot.receive(number, question_id=number)
    going.set()
    await bot.idle()
    assert (await bot.said("2") or Said("", "")).text == "You said: 2"
    assert (await bot.said("3") or Said("", "")).text == "You said: 3"


async def test_what_a_command_says_is_kept_with_its_file(bot: Bot) -> None:
    await bot.hears("hi")
    await bot.hears("/export", question_id="1")
    said = await bot.said("1")
    assert said
    assert said.document
    assert b"You said: hi" in said.document.content
    await bot.hears("/nonsense", question_id="2")
    failed = await bot.said("2")
    assert failed
    assert failed.ending is Ending.FAILED


async def test_retry_is_a_question_with_an_answer(bot: Bot, model: ScriptedModel) -> None:
    await bot.hears("hi", question_id="1")
    model.script(Answer(text="Another."))
    await bot.hears("/retry", question_id="2")
    assert (await bot.said("2") or Said("", "")).text == "Another."
    replaced = await bot.said("1")
    assert replaced
    assert replaced.ending is Ending.REPLACED
    assert replaced.text == "You said: hi"


async def test_stopping_says_that_it_is_done(bot: Bot, model: ScriptedModel) -> None:
    model.script(Answer(text="Half of it", hold=asyncio.Event(), hold_at=1))
    await bot.receive("hi", question_id="1")
    await bot.sees(lambda: bot.says() == ["Half"])
    await bot.hears("/stop", question_id="2")
    stopped = await bot.said("1")
    assert stopped
    assert (stopped.text, stopped.ending) == ("Half", Ending.STOPPED)
    assert (await bot.said("2") or Said("", "")).text == "Done."


async def test_a_question_that_is_withdrawn_stops_its_model_and_can_be_asked_anew(
    bot: Bot, model: ScriptedModel
) -> None:
    model.script(Answer(text="Half of it", hold=asyncio.Event(), hold_at=1))
    await bot.receive("hi", question_id="1")
    await bot.sees(lambda: bot.says() == ["Half"])
    core = await bot.adapter.core
    await core.withdraw(HERE, "1")
    await bot.idle()
    assert await bot.said("1") is None
    assert await bot.receive("hi", question_id="1") is Receipt.ACCEPTED
    await bot.idle()
    assert (await bot.said("1") or Said("", "")).text == "You said: hi"


async def test_a_question_that_is_withdrawn_while_it_waits_asks_no_model(
    bot: Bot, model: ScriptedModel
) -> None:
    going = asyncio.Event()
    model.script(Answer(text="First.", hold=going))
    await bot.receive("1", question_id="1")
    await model.until(lambda: len(model.requests) == 1)
    await bot.receive("2", question_id="2")
    core = await bot.adapter.core
    await core.withdraw(HERE, "2")
    going.set()
    await bot.idle()
    assert bot.says() == ["First."]
    assert len(model.requests) == 1


async def test_withdrawing_what_was_answered_changes_nothing(bot: Bot) -> None:
    await bot.hears("hi", question_id="1")
    core = await bot.adapter.core
    await core.withdraw(HERE, "1")
    await core.withdraw(HERE, "unknown")
    assert await bot.said("1")


async def test_a_question_that_was_forgotten_while_it_waits_is_told_so(
    bot: Bot, model: ScriptedModel
) -> None:
    going = asyncio.Event()
    model.script(Answer(text="First.", hold=going))
    await bot.receive("1", person="bob")
    await model.until(lambda: len(model.requests) == 1)
    await bot.receive("2", question_id="2")
    await bot.hears("/forget", channel="elsewhere")
    going.set()
    await bot.idle()
    assert "deleted" in bot.says()[-1]
    assert await bot.said("2") is None


async def test_who_may_not_ask_is_told_why_and_nothing_is_kept(
    model: ScriptedModel, tmp_path: Path
) -> None:
    closed = configuration(tmp_path, model.base_url, access={"users": []})
    async with running(closed) as bot:
        for _ in range(2):
            with pytest.raises(AccessDenied, match="fake:ann"):
                await bot.receive("hi", question_id="1")
    rules = {"users": ["*"], "messages_per_minute": 1}
    async with running(configuration(tmp_path, model.base_url, access=rules)) as bot:
        await bot.hears("hi", question_id="1")
        with pytest.raises(TooFast, match="too fast"):
            await bot.receive("ho", question_id="2")
        bot.clock.advance(60)
        assert await bot.receive("ho", question_id="2") is Receipt.ACCEPTED
        await bot.idle()
        assert bot.says() == ["You said: hi", "You said: ho"]


async def test_forget_takes_what_was_said_to_questions(bot: Bot) -> None:
    await bot.hears("hi", question_id="1")
    await bot.hears("/models", question_id="2")
    await bot.hears("/forget", channel="elsewhere")
    assert await bot.said("1") is None
    assert await bot.said("2") is None


async def test_a_lock_is_told_to_who_asks_what_was_said(
    bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bot.hears("hi", question_id="1")
    monkeypatch.setattr(questions, "said", busy(questions.said))
    with pytest.raises(StoreBusy):
        await bot.said("1")
    assert (await bot.said("1") or Said("", "")).text == "You said: hi"


async def test_a_question_left_for_the_next_start_is_told_so_and_answered_then(
    model: ScriptedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = configuration(tmp_path, model.base_url)
    async with running(config) as bot:
        with monkeypatch.context() as broken:
            broken.setattr(answers, "finish", corrupt)
            await bot.hears("hi", question_id="1")
        with pytest.raises(StoreError, match="next start"):
            await bot.receive("hi", question_id="1")
    async with running(config) as bot:
        await bot.idle()
        assert (await bot.said("1") or Said("", "")).text == "You said: hi"


def corrupt(*_: object) -> None:
    """A step that fails for good."""
    raise StoreError("The database failed (SQLITE_CORRUPT); see the log.")


async def test_a_person_who_asks_to_be_forgotten_is_told_that_it_is_done(bot: Bot) -> None:
    await bot.hears("my name is Zaphod", question_id="1")
    await bot.hears("/forget", question_id="2")
    assert "1 turns" not in str(await bot.said("1"))
    assert (await bot.said("2") or Said("", "")).text.startswith("Done: 2 turns")


async def test_what_waits_in_a_deleted_conversation_is_told_so(
    bot: Bot, model: ScriptedModel
) -> None:
    model.script(Answer(text="Never whole", hold=asyncio.Event()))
    await bot.receive("1", question_id="1")
    await model.until(lambda: len(model.requests) == 1)
    await bot.receive("2", question_id="2")
    await bot.receive("/models", question_id="3")
    core = await bot.adapter.core
    await core.delete(HERE)
    await bot.idle()
    assert [text for text in bot.says() if "deleted" in text] == bot.says()[-2:]
    assert len(model.requests) == 1


async def test_a_retry_that_is_withdrawn_asks_no_model(
    bot: Bot, model: ScriptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bot.hears("hi")
    ask_again = answers.ask_again

    def withdrawn_first(db: Database, *rest: Any) -> Asked | None:
        questions.withdraw(db, HERE, "2")
        return ask_again(db, *rest)

    monkeypatch.setattr(answers, "ask_again", withdrawn_first)
    await bot.hears("/retry", question_id="2")
    assert await bot.said("2") is None
    assert bot.says() == ["You said: hi"]
    assert len(model.requests) == 1


async def test_a_question_may_choose_who_answers_from_then_on(
    model: ScriptedModel, tmp_path: Path
) -> None:
    config = configuration(tmp_path, model.base_url)
    other = replace(config.profile, name="other", model="gpt-4o")
    profiles = {**config.profiles, "other": other}
    async with running(config.model_copy(update={"profiles": profiles})) as bot:
        core = await bot.adapter.core
        await core.receive(IncomingMessage(HERE, Person("fake:ann"), "hi", profile="other"))
        await bot.idle()
        await bot.hears("and now?")
    assert [body["model"] for body in model.bodies] == ["gpt-4o", "gpt-4o"]
