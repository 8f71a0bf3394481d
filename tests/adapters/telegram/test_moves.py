"""A group that became a supergroup goes on as it was."""

from __future__ import annotations

import asyncio

from bot.ports import Sink
from tests.adapters.fake_core import FakeCore
from tests.adapters.telegram.conftest import Make, going, reply_in, running
from tests.telegram_server import Person, TelegramServer

ANN = Person(7, "Ann")
GROUP, SUPERGROUP = -7, -1_000_000_000_007
MOVED = ("telegram", str(GROUP), str(SUPERGROUP))


async def test_conversation_goes_with_the_group(telegram: TelegramServer, make: Make) -> None:
    group = telegram.group(GROUP, ANN)
    async with running(make()) as core:
        await group.writes("/help")
        await core.heard("/help")
        moved = await group.upgrades(SUPERGROUP)
        await moved.writes("/models")
        await core.heard("/models")
        assert core.moved == [MOVED], "though Telegram tells it in both chats"
        assert core.received[-1].conversation.channel == str(SUPERGROUP)
        assert not core.shelf


async def test_answer_on_its_way_arrives_in_the_supergroup(
    telegram: TelegramServer, make: Make
) -> None:
    group, asked, go = telegram.group(GROUP, ANN), asyncio.Event(), asyncio.Event()

    async def answer(sink: Sink, _: object) -> None:
        asked.set()
        await go.wait()
        await sink.finish(0, "Here I am", "")

    async with running(make(), answer) as core:
        await group.writes("/help")
        await asked.wait()
        moved = await group.upgrades(SUPERGROUP)
        await telegram.until(lambda: not telegram.updates.waiting)
        go.set()
        await moved.sees(lambda _: moved.answers == ["Here I am"])
        assert core.moved == [MOVED]


async def test_refused_send_tells_where_the_group_went(
    telegram: TelegramServer, make: Make
) -> None:
    group, adapter = telegram.group(GROUP, ANN), make()
    moved = await group.upgrades(SUPERGROUP)
    telegram.updates.waiting.clear()
    sink = adapter.sink(reply_in(group))
    await sink.finish(0, "Left from the last run", "")
    await sink.close()
    assert moved.answers == ["Left from the last run"]
    core = FakeCore(adapter)
    async with going(adapter, core):
        await moved.writes("/help")
        await core.heard("/help")
        assert core.moved == [MOVED], "also if it was learned before anything ran"


async def test_message_of_the_old_group_is_not_looked_for_in_the_new_one(
    telegram: TelegramServer, make: Make
) -> None:
    group = telegram.group(GROUP, ANN)
    sink = make().sink(reply_in(group))
    handle = await sink.finish(0, "Half", "")
    await sink.close()
    moved = await group.upgrades(SUPERGROUP)
    other = make().sink(reply_in(moved, "turn-2"))
    await other.finish(0, "Another answer, whose number is as low", "")
    sink = make().sink(reply_in(moved))
    await sink.finish(0, "Half and whole", handle)
    assert moved.answers == ["Another answer, whose number is as low", "Half and whole"]
    await sink.close()
    await other.close()
