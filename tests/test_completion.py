"""Answers outside of any conversation: the same rights, rates and counts, and no memory."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import aclosing, closing
from pathlib import Path

import pytest

from bot.errors import AccessDenied, ModelRefused, TooFast
from bot.messages import Person, Role, Turn, Usage
from tests.fakes import Bot, configuration, running
from tests.scripted_model import Answer, Refusal, ScriptedModel

ANN = Person("fake:ann")
TURNS = [Turn(Role.USER, "hi"), Turn(Role.ASSISTANT, "Hello"), Turn(Role.USER, "and now?")]


async def completed(bot: Bot, person: Person = ANN) -> tuple[str, str, Usage | None]:
    """The text of an answer, how it finished, and what it used."""
    core = await bot.adapter.core
    chunks = [chunk async for chunk in core.complete(person, core.profiles[0], TURNS)]
    return "".join(chunk.text for chunk in chunks), chunks[-1].finish, chunks[-1].usage


async def test_turns_are_passed_on_as_the_profile_has_it(bot: Bot, model: ScriptedModel) -> None:
    assert await completed(bot) == ("You said: and now?", "stop", Usage(6, 4))
    assert [message["content"] for message in model.bodies[0]["messages"]] == [
        "Be kind.",
        "hi",
        "Hello",
        "and now?",
    ]


async def test_only_the_tokens_are_remembered(bot: Bot, tmp_path: Path) -> None:
    await completed(bot)
    assert await bot.usage("you, in all") == ["1", "6", "4", "price unknown"]
    with closing(sqlite3.connect(tmp_path / "bot.db")) as db:
        assert db.execute("SELECT count(*) FROM turns").fetchone() == (0,)


async def test_who_leaves_ends_the_model_call_and_it_is_counted(
    bot: Bot, model: ScriptedModel
) -> None:
    model.script(Answer(text="Half of it", hold=asyncio.Event(), hold_at=1))
    core = await bot.adapter.core
    async with aclosing(core.complete(ANN, core.profiles[0], TURNS)) as chunks:
        assert (await anext(chunks)).text == "Half"
    await model.until(lambda: not model.open)
    assert (await bot.usage("you, in all"))[0] == "1"


async def test_rights_rate_and_budget_hold_here_too(model: ScriptedModel, tmp_path: Path) -> None:
    rules = {"users": ["fake:ann"], "messages_per_minute": 2, "tokens_per_day": 10}
    async with running(configuration(tmp_path, model.base_url, access=rules)) as bot:
        with pytest.raises(AccessDenied):
            await completed(bot, Person("fake:bob"))
        await completed(bot)
        with pytest.raises(TooFast, match="tokens"):
            await completed(bot)
        with pytest.raises(TooFast, match="too fast"):
            await completed(bot)


async def test_a_failing_model_is_an_error(bot: Bot, model: ScriptedModel) -> None:
    model.script(Refusal(401))
    with pytest.raises(ModelRefused):
        await completed(bot)
