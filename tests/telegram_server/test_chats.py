"""Buttons, files, topics and menus work as in the real Telegram."""

from __future__ import annotations

import struct

import pytest
from telegram import Bot, InputFile
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Forbidden,
)

from tests.telegram_server import Chat, File, Person, TelegramServer
from tests.telegram_server.ptb import keyboard

BOB = Person(8, "Bob", "bob_the_builder")
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + struct.pack(">II", 20, 10) + bytes(5)


async def test_button_press_reaches_the_bot_and_its_answer_the_person(bot: Bot, ann: Chat) -> None:
    await bot.send_message(7, "Sure?", reply_markup=keyboard("Yes", "yes" * 21))
    answer = await ann.presses("Yes", by=BOB)
    (update,) = await bot.get_updates()
    assert update.callback_query
    assert (update.callback_query.data, update.callback_query.from_user.id) == ("yes" * 21, 8)
    await update.callback_query.answer("Done")
    assert (await answer)["text"] == "Done"
    with pytest.raises(BadRequest, match="Query is too old"):
        await update.callback_query.answer("Again")


async def test_callback_data_has_64_bytes(bot: Bot, ann: Chat) -> None:
    await bot.send_message(ann.id, "one", reply_markup=keyboard("OK", "é" * 32))
    with pytest.raises(BadRequest, match="Button_data_invalid"):
        await bot.send_message(ann.id, "one", reply_markup=keyboard("OK", "é" * 33))


async def test_files_go_both_ways(server: TelegramServer, bot: Bot, ann: Chat) -> None:
    await bot.send_document(7, InputFile(b"report", "report.txt"), caption="Here")
    await bot.send_photo(7, InputFile(PNG, "loss.png"))
    document, photo = (message.file for message in ann.messages)
    assert document
    assert photo
    assert (document.name, document.content, ann.answers[0]) == ("report.txt", b"report", "Here")
    assert (photo.kind, photo.content, photo.size) == ("photo", PNG, (20, 10))
    with pytest.raises(BadRequest, match="Image_process_failed"):
        await bot.send_photo(7, InputFile(b"no picture", "loss.png"))
    await ann.sends(File("voice", "", "audio/ogg", b"OggS"))
    big = server.keep(File("document", "big", "x/y", bytes(20 * 1024**2 + 1)))
    (update,) = await bot.get_updates()
    assert update.message
    assert update.message.voice
    file = await update.message.voice.get_file()
    assert await file.download_as_bytearray() == b"OggS"
    with pytest.raises(BadRequest, match="File is too big"):
        await bot.get_file(big.id)


async def test_topic_of_a_forum_has_its_own_messages(server: TelegramServer, bot: Bot) -> None:
    forum = server.forum(-200, BOB)
    plants = forum.topic("Plants")
    await forum.writes("Green?", topic=plants)
    await bot.send_message(-200, "Green!", message_thread_id=plants)
    assert [message.topic for message in forum.messages] == [plants, plants]
    with pytest.raises(BadRequest, match="Message thread not found"):
        await bot.send_message(-200, "Where?", message_thread_id=99)


async def test_who_blocked_the_bot_gets_nothing(bot: Bot, ann: Chat) -> None:
    await ann.blocks()
    with pytest.raises(Forbidden, match="bot was blocked by the user"):
        await bot.send_message(7, "Hello?")
    with pytest.raises(BadRequest, match="Chat not found"):
        await bot.send_message(99, "Hello?")
    assert (await bot.get_updates())[0].my_chat_member


async def test_commands_are_kept_by_scope_and_language(server: TelegramServer, bot: Bot) -> None:
    await bot.set_my_commands([("help", "Help")])
    await bot.set_my_commands([("help", "Hilfe")], language_code="de")
    assert server.commands["default", 0, ""] == [{"command": "help", "description": "Help"}]
    assert (await bot.get_my_commands(language_code="de"))[0].description == "Hilfe"
    with pytest.raises(BadRequest, match="Bot_command_invalid"):
        await bot.set_my_commands([("Help", "Help")])


async def test_group_that_becomes_a_supergroup_says_where_it_went(
    server: TelegramServer, bot: Bot
) -> None:
    group = server.group(-100, BOB)
    above = await group.upgrades(-1_000_000_000_100)
    with pytest.raises(ChatMigrated) as moved:
        await bot.send_message(-100, "Hello?")
    assert moved.value.new_chat_id == above.id
    await bot.send_message(above.id, "Hello!")
    assert above.answers == ["Hello!"]
    assert [
        update.effective_message and update.effective_message.migrate_to_chat_id
        for update in await bot.get_updates()
    ] == [above.id, None]


async def test_supergroup_numbers_its_messages_by_itself(server: TelegramServer, bot: Bot) -> None:
    for chat in (server.private(7), server.private(8), server.group(-100)):
        await chat.writes("Hello")
    above = server.group(-1_000_000_000_100)
    sent = [await bot.send_message(chat, "Hello!") for chat in (7, above.id)]
    assert [message.message_id for message in sent] == [4, 1]
