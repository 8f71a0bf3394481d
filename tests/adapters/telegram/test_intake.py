"""Nothing that people write gets lost, and what they write is in order."""

from __future__ import annotations

import asyncio
import json

import pytest

from bot.errors import StoreBusy
from tests.adapters.fake_core import FakeCore
from tests.adapters.telegram.conftest import (
    HastyClock,
    Make,
    acknowledged,
    going,
    running,
    texts,
)
from tests.telegram_server import File, Hang, Person, TelegramServer


async def test_left_overs_of_the_last_run_are_heard_before_anything_new(
    telegram: TelegramServer, make: Make
) -> None:
    ann, adapter = telegram.private(7), make()
    core = FakeCore(adapter)
    for number, text in enumerate(("One", "Two")):
        message = ann.post(ann.person, text).json(ann.about)
        left = {"update_id": 900 + number, "message": message}
        await core.shelve("telegram", [(f"{telegram.bot.id}:{900 + number}", json.dumps(left))])
    await ann.writes("Three")
    async with going(adapter, core):
        await core.heard("Three")
        assert texts(core) == ["One", "Two", "Three"]
        assert not core.shelf


async def test_slow_file_holds_up_no_acknowledgement(telegram: TelegramServer, make: Make) -> None:
    ann = telegram.private(7)
    telegram.fails("getFile", Hang())
    async with running(make()) as core:
        await ann.sends(File("document", "a.txt", "text/plain", b"x"), "Look")
        await acknowledged(telegram)
        assert len(core.shelf) == 1, "it is kept until it is a message"
        assert not core.received


async def test_nothing_stays_of_what_is_nothing_to_the_bot(
    telegram: TelegramServer, make: Make
) -> None:
    group = telegram.group(-1_000_000_000_007, Person(7, "Ann"))
    async with running(make()) as core:
        await group.writes("Nobody is meant")
        await group.writes("/help")
        await core.heard("/help")
        await acknowledged(telegram)
        assert not core.shelf


async def test_messages_of_a_chat_come_in_order(telegram: TelegramServer, make: Make) -> None:
    chats = [telegram.private(7 + number) for number in range(3)]
    for number in range(20):
        for chat in chats:
            await chat.writes(f"{number}")
    async with running(make(chat_rate=0, rate=0)) as core:
        await acknowledged(telegram)
        for chat in chats:
            told = [each.text for each in core.received if each.person.id == f"telegram:{chat.id}"]
            assert told == [f"{number}" for number in range(20)]


async def test_full_store_is_waited_for_in_order(telegram: TelegramServer, make: Make) -> None:
    ann, adapter = telegram.private(7), make(HastyClock())
    core = FakeCore(adapter)
    core.failures = [StoreBusy("The database is busy.")] * 3
    run = asyncio.create_task(adapter.run(core))
    await ann.writes("One")
    await ann.writes("Two")
    await core.heard("Two")
    assert texts(core) == ["One", "Two"]
    await acknowledged(telegram)
    run.cancel()
    await asyncio.wait([run])


@pytest.mark.parametrize(
    "update",
    [
        {"message": {"chat": 1}},
        {"message": "text"},
        {"message": {"message_id": 1, "date": "?", "chat": {"id": 7, "type": "private"}}},
        {"callback_query": {}},
        {"message_reaction": {"chat": {}}},
        {"stopped_message_generation": {"draft_id": 1}},
        {"stopped_message_generation": 5},
    ],
)
async def test_malformed_update_is_kept_aside_and_skipped(
    telegram: TelegramServer, make: Make, update: object
) -> None:
    ann = telegram.private(7)
    async with running(make()) as core:
        await ann.writes("Before")
        telegram.inject(update)
        await ann.writes("After")
        await acknowledged(telegram)
        await core.heard("After")
        assert texts(core) == ["Before", "After"]
        assert len(core.aside) == 1


async def test_update_that_is_no_object_is_kept_aside_and_skipped(
    telegram: TelegramServer, make: Make
) -> None:
    ann = telegram.private(7)
    async with running(make()) as core:
        await ann.writes("Before")
        await core.heard("Before")
        telegram.inject("garbage")
        await acknowledged(telegram)
        assert core.aside == ['"garbage"']


async def test_bug_of_the_core_does_not_end_polling(telegram: TelegramServer, make: Make) -> None:
    ann, adapter = telegram.private(7), make()
    core = FakeCore(adapter)
    core.failures = [RuntimeError("a bug")]  # type: ignore[list-item]
    run = asyncio.create_task(adapter.run(core))
    await ann.writes("One")
    await ann.writes("Two")
    await core.heard("Two")
    await acknowledged(telegram)
    assert '"text": "One"' in core.aside[0], "somebody can look into it"
    run.cancel()
    await asyncio.wait([run])


async def test_stop_and_other_topics_wait_for_no_file(telegram: TelegramServer, make: Make) -> None:
    forum = telegram.forum(-1_000_000_000_007, Person(7, "Ann"))
    one, two = forum.topic("One"), forum.topic("Two")
    telegram.fails("getFile", Hang())
    async with running(make()) as core:
        document = File("document", "a.txt", "text/plain", b"x")
        await forum.sends(document, "@tune_test_bot look", topic=one)
        await telegram.until(lambda: telegram.called("getFile"))
        await forum.writes("/help", topic=two)
        await core.heard("/help")
        await forum.writes("/stop", topic=one)
        await core.heard("/stop")
