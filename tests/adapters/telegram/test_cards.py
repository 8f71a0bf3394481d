"""The card of a job: one message that changes for hours, and what is told below it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.messages import Button
from bot.ports import Adapter
from tests.adapters.telegram.conftest import HastyClock, Make, reply_in
from tests.telegram_server import Chat, Person, TelegramServer

SUPERGROUP = -1_000_000_000_007
CANCEL = (Button("Cancel", "/finetune cancel 1"),)


@pytest.fixture(params=["private", "group", "supergroup", "topic"])
def chat(request: pytest.FixtureRequest, telegram: TelegramServer) -> Chat:
    telegram.flood_control.limits = None
    match request.param:
        case "private":
            return telegram.private(7)
        case "group":
            return telegram.group(-7, Person(7, "Ann"))
        case "supergroup":
            return telegram.group(SUPERGROUP, Person(7, "Ann"))
    return telegram.forum(SUPERGROUP, Person(7, "Ann"))


async def shown(
    adapter: Adapter, chat: Chat, text: str, handle: str = "", *, buttons: bool = False
) -> str:
    """Have the card show a text, by a fresh sink as for every change; its handle."""
    topic = chat.topic("Jobs") if chat.about.get("is_forum") and not handle else 0
    sink = adapter.sink(reply_in(chat, "board-1", topic=topic, person=7))
    await sink.ready()
    handle = await sink.finish(0, text, handle, buttons=CANCEL if buttons else ())
    await sink.close()
    return handle


async def test_card_changes_in_place_and_its_buttons_come_and_go(
    telegram: TelegramServer, chat: Chat, make: Make
) -> None:
    adapter = make(HastyClock(), chat_rate=0, group_rate=0, rate=0)
    handle = await shown(adapter, chat, "Queued")
    for step, buttons in enumerate((True, True, False, True, False)):
        text = f"**Step {step}**"
        assert await shown(adapter, chat, text, handle, buttons=buttons) == handle
        assert await shown(adapter, chat, text, handle, buttons=buttons) == handle, "repeated"
        assert chat.answers == [f"Step {step}"]
        assert bool(chat.messages[-1].keyboard) is buttons
    assert not telegram.called("sendChatAction"), "nobody waits for it"


async def test_what_is_told_of_a_job_replies_to_its_card(
    telegram: TelegramServer, chat: Chat, make: Make
) -> None:
    adapter = make(HastyClock(), chat_rate=0, group_rate=0, rate=0)
    handle = await shown(adapter, chat, "Running")
    card = chat.messages[-1]
    chat.post(chat.person, "Something else")
    sink = adapter.sink(replace(reply_in(chat, "notice-1"), beneath=handle))
    await sink.finish(0, "An epoch is done", "")
    await sink.finish(1, "and it went well", "")
    await sink.close()
    sent = telegram.called("sendMessage")[-2:]
    assert [(each.given.get("reply_parameters") or {}).get("message_id") for each in sent] == [
        card.id,
        None,
    ]


async def test_what_is_told_arrives_also_where_the_card_was_taken_away(
    chat: Chat, make: Make
) -> None:
    adapter = make(HastyClock(), chat_rate=0, group_rate=0, rate=0)
    handle = await shown(adapter, chat, "Running")
    await chat.deletes(chat.messages[-1])
    sink = adapter.sink(replace(reply_in(chat, "notice-1"), beneath=handle))
    await sink.finish(0, "Done", "")
    await sink.close()
    assert chat.answers == ["Done"]


async def test_card_of_a_group_that_moved_is_told_of_without_a_wrong_reply(
    telegram: TelegramServer, make: Make
) -> None:
    telegram.flood_control.limits = None
    group, adapter = telegram.group(-7, Person(7, "Ann")), make()
    handle = await shown(adapter, group, "Running")
    moved = await group.upgrades(SUPERGROUP)
    moved.post(moved.person, "Somebody's, whose number is as low")
    for where in (group, moved):
        to = reply_in(where, f"notice {where.id}")
        origin = f'{{"message": "{handle}"}}'
        for reply in (replace(to, beneath=handle), replace(to, origin=origin)):
            sink = adapter.sink(reply)
            await sink.finish(0, "Done", "")
            await sink.close()
            assert moved.answers[-1] == "Done"
            assert not telegram.called("sendMessage")[-1].given.get("reply_parameters")
