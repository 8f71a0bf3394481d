"""What happens reaches the bot as from the real Telegram, until the bot confirms it."""

from __future__ import annotations

import asyncio
import json
import struct
from contextlib import suppress
from datetime import timedelta
from typing import Any

import httpx
import pytest
from aiohttp import web
from telegram import Bot
from telegram.error import (
    Conflict,
)

from tests.ending import end
from tests.shared import shared
from tests.telegram_server import Chat, File, Person, TelegramServer
from tests.telegram_server.ptb import client, keyboard
from tests.telegram_server.specification import NAME, Specification

BOB = Person(8, "Bob", "bob_the_builder")
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + struct.pack(">II", 20, 10) + bytes(5)


async def test_all_that_people_do_is_told_as_telegram_describes_it(
    server: TelegramServer, bot: Bot, ann: Chat
) -> None:
    described = Specification(shared(NAME))
    group, forum = server.group(-100, BOB), server.forum(-200, BOB)
    await bot.get_updates(allowed_updates=["message_reaction", *ALL])
    question = await ann.writes("/help @tune_test_bot")
    await ann.edits(question, "changed")
    for kind in ("document", "photo", "voice"):
        await ann.sends(File(kind, f"a {kind}", "x/y", PNG), "look")
    await group.writes("I reply", to=await group.writes("hello"))
    await forum.writes("in a topic", topic=forum.topic("Plants"))
    await bot.send_message(7, "Yes?", reply_markup=keyboard("OK", "ok"))
    await ann.presses("OK")
    await ann.reacts(ann.messages[-1], "👍")
    await bot.send_message_draft(7, 3, "Grow", api_kwargs={"can_stop": True})
    await ann.stops()
    await ann.blocks()
    told = [json.loads(update.raw) for update in server.updates.waiting]
    assert [described.problem("Update", update) for update in told] == [""] * 12
    assert [update["update_id"] for update in told] == list(range(1001, 1013))


ALL = (
    "message",
    "edited_message",
    "callback_query",
    "stopped_message_generation",
    "my_chat_member",
)


async def test_commands_and_mentions_of_people_are_marked(bot: Bot, ann: Chat) -> None:
    await ann.writes("😀 /help@tune_test_bot and @bob_the_builder, but not a/b or x@y.zz")
    (update,) = await bot.get_updates()
    assert update.message
    assert list(update.message.parse_entities().values()) == [
        "/help@tune_test_bot",
        "@bob_the_builder",
    ]


async def test_update_is_delivered_until_it_is_confirmed(bot: Bot, ann: Chat) -> None:
    for text in ("one", "two"):
        await ann.writes(text)
    first, second = await bot.get_updates()
    assert await bot.get_updates() == (first, second)
    assert await bot.get_updates(offset=second.update_id) == (second,)
    assert await bot.get_updates(limit=1, offset=first.update_id) == (second,)
    assert await bot.get_updates(offset=second.update_id + 1) == ()


async def test_what_was_confirmed_can_be_delivered_again(
    server: TelegramServer, bot: Bot, ann: Chat
) -> None:
    await ann.writes("one")
    (update,) = await bot.get_updates()
    await bot.get_updates(offset=update.update_id + 1)
    server.redeliver()
    assert await bot.get_updates(offset=update.update_id + 1) == (update,)
    assert await bot.get_updates(offset=update.update_id + 1) == ()


async def test_poll_waits_until_somebody_writes(
    server: TelegramServer, bot: Bot, ann: Chat
) -> None:
    poll = asyncio.create_task(bot.get_updates(timeout=timedelta(seconds=20)))
    await server.until(lambda: server.called("getUpdates"))
    await ann.writes("Hello")
    (update,) = await poll
    assert update.message
    assert update.message.text == "Hello"


async def test_newer_poll_ends_the_older_one(server: TelegramServer, bot: Bot) -> None:
    poll = asyncio.create_task(bot.get_updates(timeout=20))
    await server.until(lambda: server.called("getUpdates"))
    async with client(server) as other:
        assert await other.get_updates() == ()
    with pytest.raises(Conflict, match="terminated by other getUpdates request"):
        await poll


async def test_malformed_update_arrives_as_it_is(server: TelegramServer) -> None:
    number = server.inject({"message": {"chat": None}})
    server.inject(["no object"])
    async with httpx.AsyncClient() as http:
        answer = await http.post(f"{server.api_url}/bot{server.token}/getUpdates")
    assert answer.json()["result"] == [
        {"update_id": number, "message": {"chat": None}},
        ["no object"],
    ]


async def test_reactions_are_told_only_to_who_asks_for_them(bot: Bot, ann: Chat) -> None:
    question = await ann.writes("one")
    await ann.reacts(question, "👍")
    assert len(await bot.get_updates(allowed_updates=["message_reaction"])) == 1
    await ann.reacts(question, "👎")
    await ann.writes("two")
    _, reaction = await bot.get_updates()
    assert reaction.message_reaction
    assert reaction.message_reaction.old_reaction[0].to_dict()["emoji"] == "👍"
    assert reaction.message_reaction.new_reaction[0].to_dict()["emoji"] == "👎"


async def test_webhook_is_called_with_its_secret_until_it_answers_200(
    server: TelegramServer, bot: Bot, ann: Chat
) -> None:
    heard: list[tuple[str, Any]] = []

    async def hear(request: web.Request) -> web.Response:
        secret = request.headers["X-Telegram-Bot-Api-Secret-Token"]
        heard.append((secret, (await request.json())["message"]["text"]))
        return web.Response(status=200 if len(heard) > 2 else 500)

    app = web.Application()
    app.router.add_post("/hook", hear)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    await bot.set_webhook(url, secret_token="s3cret")
    with pytest.raises(Conflict, match="webhook is active"):
        await bot.get_updates()
    await ann.writes("one")
    await ann.writes("two")
    await server.until(lambda: not server.updates.waiting)
    assert heard == [("s3cret", "one")] * 3 + [("s3cret", "two")]
    info = await bot.get_webhook_info()
    assert (info.url, info.pending_update_count) == (url, 0)
    assert info.last_error_message == "Wrong response from the webhook: 500"
    await bot.delete_webhook()
    assert await bot.get_updates() == ()
    await end(runner)


async def test_poll_whose_client_is_gone_takes_nothing(
    server: TelegramServer, bot: Bot, ann: Chat
) -> None:
    await ann.writes("one")
    (update,) = await bot.get_updates()
    poll = asyncio.create_task(bot.get_updates(offset=update.update_id + 1, timeout=20))
    await server.until(lambda: len(server.called("getUpdates")) == 2)
    poll.cancel()
    with suppress(asyncio.CancelledError):
        await poll
    server.redeliver()
    assert await bot.get_updates(offset=update.update_id + 1) == (update,)
