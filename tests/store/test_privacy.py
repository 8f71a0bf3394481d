"""What people said is deleted when its time has come, or when they say so."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bot.errors import DeliveryError
from bot.ports import Limits
from tests.fakes import Bot, configuration, running
from tests.scripted_model import Answer, ScriptedModel, roles
from tests.test_recall import SMALL, much_is_asked, wants_summary

DAY = 86_400


def stored(folder: Path) -> bytes:
    """Every byte of the database's files."""
    return b"".join(file.read_bytes() for file in sorted(folder.glob("bot.db*")))


async def test_forget_deletes_what_a_person_said_and_the_answers(
    tmp_path: Path, model: ScriptedModel
) -> None:
    async with running(configuration(tmp_path, model.base_url)) as bot:
        await bot.hears("my name is Zaphod", person="ann")
        await bot.hears("my name is Trillian", person="bob")
        assert "2 turns" in (await bot.hears("/forget", person="ann"))[-1]
        assert b"Zaphod" not in stored(tmp_path)
        await bot.hears("hi", person="bob")
        assert "Zaphod" not in str(model.bodies[-1])
        assert "Trillian" in str(model.bodies[-1])
    left = stored(tmp_path)
    assert b"fake:ann" not in left
    assert b"Zaphod" not in left
    assert b"Trillian" in left


async def test_new_turns_are_remembered_after_forget_and_reset(
    bot: Bot, model: ScriptedModel
) -> None:
    await bot.hears("old")
    await bot.hears("/reset")
    await bot.hears("/forget")
    await bot.hears("new")
    await bot.hears("newer")
    said = [message["content"] for message in model.bodies[-1]["messages"]]
    assert said == ["Be kind.", "new", "You said: new", "newer"]


async def test_token_counts_stay_without_the_name(bot: Bot) -> None:
    await bot.hears("hi")
    await bot.hears("/forget")
    usage = (await bot.hears("/usage"))[-1]
    assert "| you, in all | 0 |" in usage
    assert "| here, in all | 1 |" in usage


async def test_retention_deletes_what_is_older(model: ScriptedModel, tmp_path: Path) -> None:
    config = configuration(tmp_path, model.base_url, retention_days=30)
    async with running(config) as bot:
        await bot.hears("an old thing")
        bot.clock.advance(31 * DAY)
        await bot.hears("a new thing")
        bot.clock.advance(3601)
        await bot.clock.asleep(2)  # the pruning is done
        await bot.hears("another")
        await bot.hears("/export")
        [file] = bot.adapter.documents
    assert b"old thing" not in file.content
    assert b"a new thing" in file.content


async def test_without_retention_nothing_is_deleted(bot: Bot) -> None:
    await bot.hears("an old thing")
    bot.clock.advance(3650 * DAY)
    await bot.hears("/export")
    assert b"old thing" in bot.adapter.documents[0].content


async def exported(bot: Bot, **how: str) -> bytes:
    """Everything that is stored of a conversation, as a person gets it."""
    await bot.hears("/export", **how)
    return bot.adapter.documents[-1].content


async def test_forget_takes_the_answer_to_a_question_that_another_asked_again(bot: Bot) -> None:
    await bot.hears("my name is Zaphod", person="ann")
    await bot.hears("and mine is Trillian", person="bob")
    await bot.hears("/forget", person="bob")
    assert b"Trillian" not in await exported(bot)
    await bot.hears("/retry", person="bob")
    await bot.hears("hi", person="bob")
    await bot.hears("/forget", person="ann")
    left = await exported(bot)
    assert b"Zaphod" not in left
    assert b"You said: hi" in left


async def test_forget_takes_the_answer_to_messages_that_were_answered_together(
    bot: Bot, model: ScriptedModel
) -> None:
    going = asyncio.Event()
    model.script(Answer(text="First.", hold=going))
    await bot.receive("hello", person="bob")
    await model.until(lambda: len(model.requests) == 1)
    await bot.receive("my name is Zaphod", person="ann")
    await bot.receive("and mine is Trillian", person="bob")
    going.set()
    await bot.idle()
    assert b"Zaphod" in await exported(bot)
    await bot.hears("/forget", person="ann")
    left = await exported(bot)
    assert b"Zaphod" not in left
    assert b"First." in left


async def test_forget_reaches_an_answer_that_runs_elsewhere(
    model: ScriptedModel, tmp_path: Path
) -> None:
    going = asyncio.Event()
    model.script(Answer(text="Hello, Zaphod.", hold=going))
    async with running(configuration(tmp_path, model.base_url)) as bot:
        await bot.receive("my name is Zaphod", channel="a")
        await model.until(lambda: len(model.requests) == 1)
        await bot.hears("/forget", channel="b")
        going.set()
        await bot.idle("a")
    assert b"fake:ann" not in stored(tmp_path)
    assert b"Zaphod" not in stored(tmp_path)


async def test_forget_reaches_an_answer_that_is_owed_elsewhere(
    model: ScriptedModel, tmp_path: Path
) -> None:
    config = configuration(tmp_path, model.base_url, shutdown_seconds=0.0)
    async with running(config, limits=Limits(progress=False)) as bot:
        bot.adapter.faults = [DeliveryError("flood", retry_after=1000)]
        await bot.receive("my name is Zaphod", channel="a")
        await bot.clock.asleep(3)
        assert b"Zaphod" in stored(tmp_path)
        await bot.hears("/forget", channel="b")
        assert b"Zaphod" not in stored(tmp_path)
    assert b"fake:ann" not in stored(tmp_path)


async def test_forget_reaches_a_message_that_waits_elsewhere(
    model: ScriptedModel, tmp_path: Path
) -> None:
    going = asyncio.Event()
    model.script(Answer(text="First.", hold=going))
    async with running(configuration(tmp_path, model.base_url)) as bot:
        await bot.receive("hello", channel="a", person="bob")
        await model.until(lambda: len(model.requests) == 1)
        await bot.receive("my name is Zaphod", channel="a", person="ann")
        await bot.hears("/forget", channel="b", person="ann")
        assert b"Zaphod" not in stored(tmp_path)
        going.set()
        await bot.idle("a")
        assert bot.says("a") == ["First."]
    assert len(model.requests) == 1
    assert b"fake:ann" not in stored(tmp_path)


async def test_forget_reaches_what_is_kept_of_a_stranger(
    model: ScriptedModel, tmp_path: Path
) -> None:
    closed = configuration(tmp_path, model.base_url, access={"users": []})
    async with running(closed) as bot:
        await bot.hears("hi")
    assert b"fake:ann" in stored(tmp_path), "to be told once"
    async with running(configuration(tmp_path, model.base_url)) as bot:
        await bot.hears("/forget")
    assert b"fake:ann" not in stored(tmp_path)


async def test_forget_takes_the_summary_and_what_others_said_is_read_again(
    model: ScriptedModel, tmp_path: Path
) -> None:
    model.reply(lambda body: "They call her SUMMARY." if wants_summary(body) else "ok")
    config = configuration(tmp_path, model.base_url, profiles={"assistant": SMALL})
    async with running(config) as bot:
        await bot.hears("hi", person="ann")
        await bot.hears("the code word is Trillian", person="bob")
        await much_is_asked(bot, person="ann")
        assert "SUMMARY" in str(model.bodies[-1])
        assert "Trillian" not in str(model.bodies[-1])
        await bot.hears("/forget", person="ann")
        assert b"SUMMARY" not in stored(tmp_path)
        await bot.hears("what is the code word?", person="bob")
    assert [text for role, text in roles(model.bodies[-1]) if role == "user"] == [
        "the code word is Trillian",
        "what is the code word?",
    ]


async def test_forget_reaches_a_summary_that_is_being_made(
    model: ScriptedModel, tmp_path: Path
) -> None:
    config = configuration(tmp_path, model.base_url, profiles={"assistant": SMALL})
    async with running(config) as bot:
        summarising = False
        while not summarising:
            going = asyncio.Event()
            model.script(Answer(text="They call her Zaphod.", hold=going))
            await bot.receive("one of many questions of a person who asks much")
            await model.until(lambda: model.running == 1)
            summarising = wants_summary(model.bodies[-1])
            if summarising:
                await bot.hears("/forget", channel="b")
            going.set()
            await bot.idle()
        await bot.hears("/forget", channel="b")
    assert b"Zaphod" not in stored(tmp_path)


async def test_a_summary_goes_with_the_last_of_its_turns(
    model: ScriptedModel, tmp_path: Path
) -> None:
    model.reply(lambda body: "SUMMARY" if wants_summary(body) else "ok")
    config = configuration(
        tmp_path, model.base_url, profiles={"assistant": SMALL}, retention_days=30
    )
    async with running(config) as bot:
        await much_is_asked(bot)
        assert "SUMMARY" in str(model.bodies[-1])
        bot.clock.advance(29 * DAY)
        await bot.clock.asleep(2)  # the pruning is done
        await bot.hears("still there?")
        assert "SUMMARY" in str(model.bodies[-1])
        bot.clock.advance(2 * DAY)
        await bot.clock.asleep(2)
        assert b"SUMMARY" not in stored(tmp_path)
        await bot.hears("hi")
    assert [text for _, text in roles(model.bodies[-1])] == ["still there?", "ok", "hi"]


async def test_retention_leaves_an_answer_that_is_owed(
    model: ScriptedModel, tmp_path: Path
) -> None:
    going = asyncio.Event()
    model.script(Answer(text="At last.", hold=going))
    config = configuration(tmp_path, model.base_url, retention_days=30)
    async with running(config) as bot:
        await bot.receive("an endless question")
        await model.until(lambda: len(model.requests) == 1)
        bot.clock.advance(31 * DAY)
        await bot.clock.asleep(2)  # the pruning is done
        going.set()
        await bot.idle()
        left = await exported(bot)
        assert b"At last." in left
        assert b"an endless question" in left, "else a restart would ask without it"
        assert (await bot.usage("you, in all"))[0] == "1"
