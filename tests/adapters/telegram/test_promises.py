"""Customers are answered, whole and once: the program itself, killed and started again."""

from __future__ import annotations

import asyncio
import re
import signal
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from adapters.telegram.private import TOLD
from tests.adapters.telegram.living import Tunebot
from tests.scripted_model import Answer, ScriptedModel
from tests.telegram_server import Chat, Drop, Fail, File, Hang, Person, TelegramServer, page

PEOPLE = 20
SUPERGROUP = -1_000_000_000_007
LONG = "".join(f"**Step {number}**: water 🌱 the garden.\n\n" for number in range(30))


@pytest.fixture
async def bot(
    tmp_path: Path, telegram: TelegramServer, model: ScriptedModel
) -> AsyncIterator[Tunebot]:
    model.reply(lambda body: f"Dear {body['messages'][-1]['content']}!\n\n{LONG}The end.")
    async with Tunebot(tmp_path, telegram, model) as bot:
        yield bot


def answered(chat: Chat) -> bool:
    """Whether the end of an answer is seen."""
    return any(text.rstrip().endswith("The end.") for text in chat.answers)


async def all_answered(telegram: TelegramServer, *chats: Chat) -> None:
    """Return when everyone has an answer."""
    await telegram.until(lambda: all(map(answered, chats)), 60)


def once(chat: Chat, name: str) -> None:
    """One answer stands here, whole, and nothing beside it."""
    (answer,) = chat.answers
    assert answer.startswith(f"Dear {name}!")
    assert answer.endswith("The end.")
    assert answer.count("🌱") == 30


def named(chat: Chat) -> str:
    """What is asked in a chat, so that no two are alike."""
    return f"number {abs(chat.id)}"


async def in_flight(
    telegram: TelegramServer, model: ScriptedModel, chats: Sequence[Chat], mention: str = ""
) -> None:
    """Everyone asks, and sees half of an answer."""
    going = asyncio.Event()
    model.script(*[Answer(hold=going, hold_at=40)] * len(chats))
    for chat in chats:
        await chat.writes(f"{mention}{named(chat)}")
    await telegram.until(lambda: all(map(half, chats)), 30)


def half(chat: Chat) -> bool:
    """Whether an answer is seen that is not whole."""
    texts = [*chat.answers, chat.draft.text if chat.draft else ""]
    return any("Dear" in text and "The end." not in text for text in texts)


async def test_after_kill_9_twenty_answers_in_flight_arrive_whole_and_once(
    bot: Tunebot, telegram: TelegramServer, model: ScriptedModel
) -> None:
    chats = [telegram.private(100 + number) for number in range(PEOPLE)]
    await in_flight(telegram, model, chats)
    await bot.end(signal.SIGKILL)
    await bot.start()
    await all_answered(telegram, *chats)
    for chat in chats:
        once(chat, named(chat))
        assert chat.draft is None


async def test_after_kill_9_half_answers_of_groups_are_completed_in_place(
    bot: Tunebot, telegram: TelegramServer, model: ScriptedModel
) -> None:
    chats = [telegram.group(-100 - number) for number in range(5)]
    await in_flight(telegram, model, chats, "@tune_test_bot ")
    shown = [chat.messages[-1].id for chat in chats]
    # Who dies before Telegram's answer is stored cannot know of the message: let a turn pass.
    ann = telegram.private(7)
    await ann.writes("/help")
    await ann.sees(lambda _: ann.answers)
    await bot.end(signal.SIGKILL)
    await bot.start()
    await all_answered(telegram, *chats)
    for chat in chats:
        once(chat, named(chat))
    assert [chat.messages[-1].id for chat in chats] == shown


@pytest.mark.parametrize("after", [False, True])
async def test_answer_whose_sending_was_cut_off_by_kill_9_is_sent_again(
    bot: Tunebot, telegram: TelegramServer, after: bool
) -> None:
    ann = telegram.private(7)
    telegram.fails("sendMessage", Hang(after=after))
    await ann.writes(named(ann))
    await telegram.until(lambda: telegram.called("sendMessage"))
    await bot.end(signal.SIGKILL)
    await bot.start()
    # Telegram has nothing by which to tell what was sent before: twice is less bad than not at all.
    await ann.sees(lambda _: len(ann.answers) == 1 + after)
    assert set(ann.answers) == {ann.answers[0]}
    assert answered(ann)


async def test_message_that_was_taken_in_is_answered_after_kill_9(
    bot: Tunebot, telegram: TelegramServer, model: ScriptedModel
) -> None:
    ann = telegram.private(7)
    model.script(Answer(hold=asyncio.Event(), hold_at=-1))
    await ann.writes(named(ann))
    await model.until(lambda: bool(model.running))
    await bot.end(signal.SIGKILL)
    telegram.redeliver()
    await bot.start()
    await all_answered(telegram, ann)
    once(ann, named(ann))


async def test_message_that_was_only_committed_raw_is_answered_after_kill_9(
    bot: Tunebot, telegram: TelegramServer, model: ScriptedModel
) -> None:
    ann, bob = telegram.private(7), telegram.private(8)
    telegram.fails("getFile", Hang())
    await ann.sends(File("document", "a.txt", "text/plain", b"x"), "Look")
    await bob.writes("x" * 4096)  # which may go on
    await telegram.until(lambda: telegram.called("getFile") and not telegram.updates.waiting)
    await bot.end(signal.SIGKILL)
    telegram.redeliver()
    await bot.start()
    await all_answered(telegram, ann, bob)
    assert [str(chat.answers).count("The end.") for chat in (ann, bob)] == [1, 1]
    assert model.answers == 2


@pytest.mark.parametrize("moment", range(6))
async def test_message_is_answered_once_whichever_commit_kill_9_hits(
    tmp_path: Path, telegram: TelegramServer, model: ScriptedModel, moment: int
) -> None:
    model.reply(lambda body: f"Dear {body['messages'][-1]['content']}!\n\n{LONG}The end.")
    bot, ann = Tunebot(tmp_path, telegram, model), telegram.private(7)
    await bot.start(dies_at=moment)
    await ann.writes(named(ann))
    assert await bot.ended() == -signal.SIGKILL
    telegram.redeliver()
    await bot.start()
    await all_answered(telegram, ann)
    await telegram.until(lambda: not telegram.updates.waiting)
    await bot.end()
    once(ann, named(ann))


@pytest.mark.parametrize("moment", range(5))
async def test_press_counts_once_whichever_commit_kill_9_hits(
    tmp_path: Path, telegram: TelegramServer, model: ScriptedModel, moment: int
) -> None:
    bot, ann = Tunebot(tmp_path, telegram, model), telegram.private(7)
    ann.post(telegram.bot, "A card", keyboard=[[{"text": "Go", "callback_data": "s7:/models"}]])
    await bot.start(dies_at=moment)
    await ann.presses("Go")
    assert await bot.ended() == -signal.SIGKILL
    telegram.redeliver()
    await bot.start()
    await ann.sees(lambda _: len(ann.answers) == 2, 30)
    await ann.writes("/help")
    await ann.sees(lambda _: len(ann.answers) > 2, 30)
    await bot.end()
    assert sum("assistant" in each for each in ann.answers) == 1
    assert on_the_shelf(bot) == 0


@pytest.mark.parametrize("moment", range(5))
async def test_opinion_counts_once_whichever_commit_kill_9_hits(
    tmp_path: Path, telegram: TelegramServer, model: ScriptedModel, moment: int
) -> None:
    bot, ann = Tunebot(tmp_path, telegram, model), telegram.private(7)
    model.reply("The end.")
    await bot.start()
    await ann.writes("Hello")
    await all_answered(telegram, ann)
    await bot.end()
    await bot.start(dies_at=moment)
    await ann.reacts(ann.messages[-1], "👍")
    assert await bot.ended() == -signal.SIGKILL
    telegram.redeliver()
    await bot.start()
    await ann.writes("Hello again")
    await ann.sees(lambda _: len(ann.answers) == 2, 30)
    await bot.end()
    with closing(sqlite3.connect(bot.database)) as db:
        assert db.execute("SELECT person, value FROM feedback").fetchall() == [("telegram:7", 1)]
    assert on_the_shelf(bot) == 0


def on_the_shelf(bot: Tunebot) -> int:
    """How much an ended program left to be read."""
    with closing(sqlite3.connect(bot.database)) as db:
        return int(db.execute("SELECT count(*) FROM shelf").fetchone()[0])


async def test_message_delivered_again_is_answered_once(
    bot: Tunebot, telegram: TelegramServer, model: ScriptedModel
) -> None:
    ann, bob = telegram.private(7), telegram.private(8)
    await ann.writes(named(ann))
    await all_answered(telegram, ann)
    telegram.redeliver()
    await bob.writes(named(bob))
    await all_answered(telegram, bob)
    await bot.end()
    telegram.redeliver()
    await bot.start()
    await telegram.until(lambda: telegram.called("getUpdates")[-1].given.get("offset", 0) > 1002)
    once(ann, named(ann))
    once(bob, named(bob))
    assert model.answers == 2


@pytest.mark.usefixtures("bot")
async def test_answer_of_ten_thousand_characters_arrives_whole(
    telegram: TelegramServer, model: ScriptedModel
) -> None:
    code = "".join(f"print('🌱 {number}')\n" for number in range(300))
    answer = f"{LONG}\n```python\n{code}```\n\n" + LONG * 6 + "The end."
    assert len(answer) > 10_000
    model.reply(answer)
    ann = telegram.private(7)
    await ann.writes("Tell me all.")
    await all_answered(telegram, ann)
    told = "\n".join(ann.answers)
    assert told.split() == re.sub(r"```(python)?|\*\*", "", answer).split()
    shown = [entity["type"] for message in ann.messages for entity in message.entities]
    assert shown.count("pre") >= 2, "a block that was cut goes on as one"


@pytest.mark.usefixtures("bot")
async def test_costs_asked_for_in_a_group_are_told_in_private(telegram: TelegramServer) -> None:
    ann, group = telegram.private(7), telegram.group(SUPERGROUP, Person(7))
    await group.writes("/usage")
    await group.sees(lambda _: group.answers == [TOLD])
    assert "you, today" in ann.answers[0]


@pytest.mark.usefixtures("bot")
async def test_group_is_remembered_when_it_becomes_a_supergroup(
    telegram: TelegramServer, model: ScriptedModel
) -> None:
    group = telegram.group(-7)
    await group.writes("@tune_test_bot My name is Ann")
    await all_answered(telegram, group)
    moved = await group.upgrades(SUPERGROUP)
    await moved.writes("@tune_test_bot Who am I?")
    await all_answered(telegram, moved)
    assert "My name is Ann" in str(model.bodies[-1])


async def test_token_is_in_no_log_and_not_on_disk(bot: Tunebot, telegram: TelegramServer) -> None:
    ann = telegram.private(7)
    telegram.fails("getUpdates", page("Bad Gateway"))
    telegram.fails("getUpdates", Drop())
    telegram.fails("sendMessageDraft", Drop())
    telegram.fails("sendMessage", Fail(400, "can't parse entities"))
    telegram.inject({"message": {"chat": 1}})
    await ann.writes(named(ann))
    await all_answered(telegram, ann)
    await bot.end()
    secret = telegram.token.partition(":")[2]
    assert "running" in bot.log
    assert secret not in bot.log
    for file in bot.database.parent.iterdir():
        assert file.is_dir() or secret.encode() not in file.read_bytes()
