"""What a person sent at once is read at once, though Telegram delivers it in pieces."""

from __future__ import annotations

import asyncio

import pytest

from adapters.telegram import joined
from bot.messages import IncomingMessage, Receipt
from tests.adapters.fake_core import FakeCore
from tests.adapters.telegram.conftest import (
    Make,
    acknowledged,
    running,
    texts,
)
from tests.telegram_server import Person, TelegramServer


async def test_long_text_that_telegram_split_is_read_as_one(
    telegram: TelegramServer, make: Make
) -> None:
    ann, text = telegram.private(7), "word " * 2000
    async with running(make()) as core:
        await ann.writes(text)
        await ann.writes("And a short one")
        await core.heard("And a short one")
        assert texts(core) == [text, "And a short one"]
        assert len(core.received[0].keys) == 3
        assert not core.shelf


async def test_pieces_of_a_text_are_waited_for(telegram: TelegramServer, make: Make) -> None:
    ann, bob, text = telegram.private(7), telegram.private(8), "x" * 4096
    async with running(make(split_seconds=30)) as core:
        await ann.writes(text)
        await acknowledged(telegram)
        await bob.writes("Quick")
        await core.heard("Quick")
        await ann.writes("the rest")
        await core.heard(text + "the rest")
        assert not core.shelf
        assert texts(core) == ["Quick", text + "the rest"]


async def test_pieces_that_overtook_each_other_are_put_in_order(
    telegram: TelegramServer, make: Make
) -> None:
    ann = telegram.private(7)
    pieces = [ann.post(ann.person, text * 4096) for text in "ab"]
    async with running(make()) as core:
        for piece in reversed(pieces):
            telegram.happens("message", piece.json(ann.about))
        await core.heard("a" * 4096 + "b" * 4096)


async def test_long_text_alone_is_not_waited_for_in_vain(
    telegram: TelegramServer, make: Make
) -> None:
    ann, text = telegram.private(7), "x" * 4096
    async with running(make(split_seconds=0.05)) as core:
        await ann.writes(text)
        await core.heard(text)
        await acknowledged(telegram)
        await ann.writes("Something else")
        await core.heard("Something else")
        assert texts(core) == [text, "Something else"]


async def test_text_without_end_is_taken_in_portions(
    telegram: TelegramServer, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(joined, "MOST_PIECES", 2)
    ann = telegram.private(7)
    async with running(make(split_seconds=30)) as core:
        await ann.writes("x" * 4096 * 3)
        await core.heard("x" * 4096 * 2)


async def test_short_message_does_not_wait(telegram: TelegramServer, make: Make) -> None:
    ann = telegram.private(7)
    async with running(make(split_seconds=1000)) as core:
        await ann.writes("Hello")
        await core.heard("Hello")


async def test_long_texts_of_two_people_are_kept_apart(
    telegram: TelegramServer, make: Make
) -> None:
    ann, bob = Person(7, "Ann"), Person(8, "Bob")
    group, text = telegram.group(-1_000_000_000_007, ann), "/help " + "x" * 4090
    async with running(make(split_seconds=0.05)) as core:
        await group.writes(text, by=ann)
        await group.writes("/help me", by=bob)
        await core.heard("/help me")
        await core.heard(text)
        assert {each.person.name for each in core.received} == {"Ann", "Bob"}


async def test_rest_of_a_long_text_in_a_group_needs_no_mention(
    telegram: TelegramServer, make: Make
) -> None:
    group = telegram.group(-1_000_000_000_007, Person(7, "Ann"))
    async with running(make(split_seconds=30)) as core:
        await group.writes("Nobody is meant")
        await group.writes("@tune_test_bot " + "x" * 5000)
        await group.writes("Nobody is meant any more")
        await group.writes("/help")
        await core.heard("/help")
        await acknowledged(telegram)
        assert texts(core) == ["x" * 5000, "/help"]


async def test_new_message_beside_one_delivered_again_is_heard(
    telegram: TelegramServer, make: Make
) -> None:
    ann, long = telegram.private(7), "x" * 4000
    known: set[str] = set()

    class Knowing(FakeCore):
        async def receive(self, message: IncomingMessage) -> Receipt:
            if not known.isdisjoint(message.keys):
                return Receipt.DUPLICATE
            known.update(message.keys)
            return await super().receive(message)

    first = await ann.writes(long)
    await ann.writes("And something new")
    known.add(f"{telegram.bot.id}:7/{first.id}")
    adapter = make()
    core = Knowing(adapter)
    run = asyncio.create_task(adapter.run(core))
    await core.heard("And something new")
    assert texts(core) == ["And something new"]
    run.cancel()
    await asyncio.wait([run])


async def test_long_text_of_the_morning_is_not_joined_with_one_of_the_evening(
    telegram: TelegramServer, make: Make
) -> None:
    ann, long = telegram.private(7), "x" * 4000
    for text, later in ((long, 0), ("Hours later", 7 * 3600)):
        message = ann.post(ann.person, text).json(ann.about)
        telegram.happens("message", {**message, "date": message["date"] + later})
    async with running(make()) as core:
        await core.heard("Hours later")
        assert texts(core) == [long, "Hours later"]
