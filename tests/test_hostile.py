"""Whatever people write is data: it is answered, stored and said again unchanged."""

from __future__ import annotations

import asyncio
import json

from bot.commands import is_command
from bot.messages import ConversationId, IncomingMessage, Person, Receipt
from tests.fakes import Bot
from tests.scripted_model import ScriptedModel
from tests.shared import shared


async def test_every_naughty_string_is_answered_and_kept(bot: Bot, model: ScriptedModel) -> None:
    strings = [text for text in shared("data/strings/blns.json") if not is_command(text)]
    model.reply(lambda body: f"<{body['messages'][-1]['content']}>")
    await asyncio.gather(*(bot.receive(text, channel=f"{i}") for i, text in enumerate(strings)))
    for i, text in enumerate(strings):
        await bot.idle(f"{i}")
        assert bot.says(f"{i}") == [f"<{text}>"]
        await bot.hears("/export", channel=f"{i}")
        question = json.loads(bot.adapter.documents[-1].content.decode().split("\n")[0])
        assert question["content"] == text


async def test_half_a_surrogate_pair_and_a_nul_byte_are_answered(bot: Bot) -> None:
    assert (await bot.hears("half \ud83d a pair"))[-1] == "You said: half \ufffd a pair"
    assert (await bot.hears("a nul \0 byte"))[-1] == "You said: a nul \ufffd byte"


async def test_a_very_long_message_is_answered(bot: Bot, model: ScriptedModel) -> None:
    model.reply("Thank you.")
    text = "a very long message " * 50_000
    assert await bot.hears(text) == ["Thank you."]
    assert model.bodies[-1]["messages"][-1]["content"] == text


async def test_half_a_surrogate_pair_in_a_name_is_no_reason_not_to_answer(bot: Bot) -> None:
    core = await bot.adapter.core
    ann = Person("fake:ann", "Ann \ud83d \0")
    message = IncomingMessage(ConversationId("fake", "general"), ann, "hi", origin="\udc00")
    assert await core.receive(message) is Receipt.ACCEPTED
    await bot.idle()
    assert bot.says() == ["You said: hi"]
