"""Who writes too fast is refused as by the real Telegram; previews have rules of their own."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from telegram import Bot, MessageEntity
from telegram.error import (
    BadRequest,
    InvalidToken,
    RetryAfter,
)

from tests.clock import StoppedClock
from tests.telegram_server import Chat, TelegramServer


async def test_chat_takes_a_message_or_edit_a_second(
    server: TelegramServer, bot: Bot, clock: StoppedClock
) -> None:
    server.private(7)
    server.private(8)
    sent = await bot.send_message(7, "one")
    await sent.edit_text("two")
    await bot.send_message(7, "three")
    with pytest.raises(RetryAfter) as refused:
        await bot.send_message(7, "four")
    assert refused.value.retry_after == timedelta(seconds=1)
    with pytest.raises(RetryAfter):
        await sent.edit_text("four")
    await bot.send_message(8, "another chat")
    for _ in range(5):
        clock.advance(1)
        await bot.send_message(7, "more")


async def test_group_takes_twenty_a_minute(
    server: TelegramServer, bot: Bot, clock: StoppedClock
) -> None:
    group = server.group(-100)
    for _ in range(20):
        await bot.send_message(-100, "x")
        clock.advance(1)
    with pytest.raises(RetryAfter):
        await bot.send_message(-100, "x")
    clock.advance(40)
    await bot.send_message(-100, "x")
    assert len(group.messages) == 21


async def test_all_chats_together_take_thirty_a_second(
    server: TelegramServer, bot: Bot, clock: StoppedClock
) -> None:
    for number in range(1, 32):
        server.private(number)
    await asyncio.gather(*(bot.send_message(number, "x") for number in range(1, 31)))
    with pytest.raises(RetryAfter):
        await bot.send_message(31, "x")
    clock.advance(1)
    await bot.send_message(31, "x")


async def test_flooded_chat_takes_nothing_for_as_long_as_it_says(
    server: TelegramServer, bot: Bot, ann: Chat, clock: StoppedClock
) -> None:
    server.private(8)
    server.flood(30, chat=7)
    for _ in range(2):
        with pytest.raises(RetryAfter, match="0:00:30"):
            await bot.send_message(7, "x")
    await bot.send_message(8, "x")
    clock.advance(30)
    await bot.send_message(7, "x")
    assert ann.answers == ["x"]


async def test_preview_stands_until_the_message_or_for_thirty_seconds(
    bot: Bot, ann: Chat, clock: StoppedClock
) -> None:
    await bot.send_message_draft(7, 3, "")
    await bot.send_message_draft(7, 3, "Hel", entities=[MessageEntity("bold", 0, 3)])
    assert ann.draft
    assert (ann.draft.text, ann.draft.entities[0]["type"], ann.messages) == ("Hel", "bold", [])
    await bot.send_message(7, "Hello")
    assert ann.draft is None
    await bot.send_message_draft(7, 4, "Next")
    clock.advance(30)
    assert ann.draft is None


async def test_preview_has_limits_of_its_own(server: TelegramServer, bot: Bot, ann: Chat) -> None:
    server.group(-100)
    with pytest.raises(BadRequest):
        await bot.send_message_draft(-100, 3, "x")
    with pytest.raises(BadRequest):
        await bot.send_message_draft(7, 0, "x")
    for number in range(10):
        await bot.send_message_draft(7, 3, f"{number}")
    with pytest.raises(RetryAfter):
        await bot.send_message_draft(7, 3, "11")
    await bot.send_message(7, "a message all the same")
    assert ann.answers


async def test_stopped_preview_is_seen_no_more(bot: Bot, ann: Chat) -> None:
    await bot.send_message_draft(7, 3, "one", api_kwargs={"can_stop": True})
    await ann.stops()
    await bot.send_message_draft(7, 3, "one two", api_kwargs={"can_stop": True})
    assert ann.draft is None
    (update,) = await bot.get_updates()
    assert update.api_kwargs["stopped_message_generation"]["draft_id"] == 3


async def test_old_server_knows_no_previews(server: TelegramServer, bot: Bot, ann: Chat) -> None:
    server.supports_drafts = False
    with pytest.raises(InvalidToken):  # what python-telegram-bot makes of "Not Found"
        await bot.send_message_draft(ann.id, 3, "x")


async def test_typing_is_seen_until_the_message_or_for_five_seconds(
    bot: Bot, ann: Chat, clock: StoppedClock
) -> None:
    for _ in range(2):
        await bot.send_chat_action(7, "typing")
        assert ann.typing
        await bot.send_message(7, "Hello")
        assert not ann.typing
    await bot.send_chat_action(7, "typing")
    clock.advance(5)
    assert not ann.typing
