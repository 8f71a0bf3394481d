"""Texts, their entities and their edits are held to the rules of the real Telegram."""

from __future__ import annotations

import pytest
from telegram import Bot, MessageEntity
from telegram.error import (
    BadRequest,
)

from tests.telegram_server import Chat
from tests.telegram_server.ptb import keyboard


async def test_message_holds_4096_utf16_units(bot: Bot, ann: Chat) -> None:
    await bot.send_message(7, "😀" * 2048)
    assert ann.answers == ["😀" * 2048]
    for text in ("😀" * 2048 + "x", "x" * 4097):
        with pytest.raises(BadRequest, match="Message is too long"):
            await bot.send_message(7, text)
        with pytest.raises(BadRequest, match="Message is too long"):
            await bot.edit_message_text(text, 7, ann.messages[0].id)


async def test_caption_holds_1024_utf16_units(bot: Bot, ann: Chat) -> None:
    await bot.send_document(7, b"x", caption="😀" * 512)
    assert ann.answers == ["😀" * 512]
    with pytest.raises(BadRequest, match="caption is too long"):
        await bot.send_document(7, b"x", caption="😀" * 512 + "x")


async def test_text_of_blanks_is_refused(bot: Bot, ann: Chat) -> None:
    with pytest.raises(BadRequest, match="text is empty"):
        await bot.send_message(ann.id, "")
    for text in (" \n", "\r\u202e", "\x00"):
        with pytest.raises(BadRequest, match="must be non-empty"):
            await bot.send_message(ann.id, text)


async def test_entities_stay_where_they_are_when_a_text_is_cleaned(bot: Bot, ann: Chat) -> None:
    bold = MessageEntity("bold", 7, 4)
    await bot.send_message(ann.id, " \r\n😀\u202e b\tld ", entities=[bold])
    assert ann.answers == ["😀 b ld"]
    assert ann.messages[0].entities == [{"type": "bold", "offset": 3, "length": 4}]


@pytest.mark.parametrize(
    ("entity", "said"),
    [
        (("bold", 0, 10), "ends after the end of the text"),
        (("bold", 9, 1), "begins after the end of the text"),
        (("bold", -1, 2), "begins"),
        (("bold", 1, 0), "wrong place"),
        (("bold", 2, 3), "begins in the middle of a symbol"),
        (("bold", 0, 2), "ends in the middle of a symbol"),
        (("bald", 0, 1), "wrong type"),
        (("text_link", 0, 1), "text_link"),
    ],
)
async def test_entity_that_cannot_be_is_refused(
    bot: Bot, ann: Chat, entity: tuple[str, int, int], said: str
) -> None:
    with pytest.raises(BadRequest, match=said):
        await bot.send_message(ann.id, "a😀bcdef", entities=[MessageEntity(*entity)])
    assert ann.messages == []


async def test_entities_may_lie_in_each_other_but_not_overlap(bot: Bot, ann: Chat) -> None:
    inner, outer = MessageEntity("bold", 1, 2), MessageEntity("italic", 0, 3)
    await bot.send_message(ann.id, "abcdef", entities=[inner, outer])
    with pytest.raises(BadRequest, match="overlap"):
        await bot.send_message(ann.id, "abcdef", entities=[outer, MessageEntity("bold", 2, 2)])


async def test_a_hundred_entities_are_shown(bot: Bot, ann: Chat) -> None:
    entities = [MessageEntity("bold", at, 1) for at in range(120)]
    await bot.send_message(ann.id, "x" * 120, entities=entities)
    assert len(ann.messages[0].entities) == 100


async def test_long_text_of_a_person_comes_in_pieces(bot: Bot, ann: Chat) -> None:
    await ann.writes("😀" * 3000)
    texts = [update.message.text for update in await bot.get_updates() if update.message]
    assert texts == ["😀" * 2048, "😀" * 952]


async def test_edit_must_change_something(bot: Bot, ann: Chat) -> None:
    sent = await bot.send_message(7, "one", reply_markup=keyboard("OK", "ok"))
    with pytest.raises(BadRequest, match="Message is not modified"):
        await sent.edit_text("one ", reply_markup=keyboard("OK", "ok"))
    await sent.edit_text("one")
    assert ann.messages[0].keyboard == []


async def test_what_is_gone_or_of_somebody_else_cannot_be_edited(bot: Bot, ann: Chat) -> None:
    question = await ann.writes("Hello")
    sent = await bot.send_message(7, "one")
    await ann.deletes(ann.messages[-1])
    with pytest.raises(BadRequest, match="Message to edit not found"):
        await sent.edit_text("two")
    with pytest.raises(BadRequest, match="Message can't be edited"):
        await bot.edit_message_text("mine", 7, question.id)
    with pytest.raises(BadRequest, match="Message to delete not found"):
        await sent.delete()
