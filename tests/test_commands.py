"""What people can tell the bot to do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.commands import called, infos, is_command
from bot.errors import CommandError
from bot.messages import Price, Profile
from tests.fakes import Bot, configuration, running
from tests.scripted_model import ScriptedModel

TWO = {
    "assistant": Profile("assistant", "scripted", "gpt-4o-mini", system="Be kind."),
    "support": Profile("support", "scripted", "gpt-4o"),
}


async def said(bot: Bot, text: str, **how: str) -> str:
    """What the bot says to a command."""
    return (await bot.hears(text, **how))[-1]


async def test_help_lists_every_command_that_the_person_may_use(bot: Bot) -> None:
    for person, operator in (("ann", False), ("op", True)):
        listed = await said(bot, "/help", person=person)
        for info in infos():
            assert (f"`{info.name}" in listed) == (operator or not info.operator)


async def test_help_explains_one_command(bot: Bot) -> None:
    for text in ("/help model", "/help /model"):
        assert "`/model default` goes back" in await said(bot, text)
    assert "Did you mean /model?" in await said(bot, "/help modl")


@pytest.mark.parametrize(
    ("text", "remedy"),
    [("/modle", "Did you mean /model?"), ("/rset", "Did you mean /reset?"), ("/xyzzy", "/help")],
)
async def test_a_mistyped_command_is_answered_with_the_nearest(
    bot: Bot, model: ScriptedModel, text: str, remedy: str
) -> None:
    assert remedy in await said(bot, text)
    assert not model.requests


@pytest.mark.parametrize("text", ["/usr/bin/env is what?", "/", "/ hello", "1/2", "hi /help"])
async def test_what_only_looks_like_a_command_is_a_question(text: str) -> None:
    assert not is_command(text)


def test_the_rest_of_a_command_is_kept_as_it_was_typed() -> None:
    found, rest = called("/System  Be  brief.\n\nVery.")
    assert (found.name, rest) == ("/system", "Be  brief.\n\nVery.")
    with pytest.raises(CommandError):
        called("/nothing")


async def test_the_model_is_chosen_per_conversation_and_over_restarts(
    model: ScriptedModel, tmp_path: Path
) -> None:
    config = configuration(tmp_path, model.base_url, profiles=TWO)
    async with running(config) as bot:
        assert "**support** answers here" in await said(bot, "/model support")
        assert "**support**" in await said(bot, "/model")
        assert "**assistant**" in await said(bot, "/model", channel="other")
    async with running(config) as bot:
        await bot.hears("hi")
        assert model.bodies[-1]["model"] == "gpt-4o"
        assert "**assistant** answers here" in await said(bot, "/model default")
        await bot.hears("hi")
        assert model.bodies[-1]["model"] == "gpt-4o-mini"


async def test_a_mistyped_model_gets_the_nearest(model: ScriptedModel, tmp_path: Path) -> None:
    async with running(configuration(tmp_path, model.base_url, profiles=TWO)) as bot:
        assert "did you mean 'support'?" in await said(bot, "/model suport")
        listed = await said(bot, "/models")
        assert "- **assistant**: gpt-4o-mini (scripted) (in use here)" in listed
        assert "- **support**: gpt-4o (scripted)" in listed


async def test_a_model_that_left_the_configuration_gives_way_to_the_default(
    model: ScriptedModel, tmp_path: Path
) -> None:
    async with running(configuration(tmp_path, model.base_url, profiles=TWO)) as bot:
        await bot.hears("/model support")
    async with running(configuration(tmp_path, model.base_url)) as bot:
        await bot.hears("hi")
    assert model.bodies[-1]["model"] == "gpt-4o-mini"


async def test_operators_set_the_system_prompt_of_a_conversation(
    bot: Bot, model: ScriptedModel
) -> None:
    assert "Be kind." in await said(bot, "/system", person="op")
    await bot.hears("/system Be a pirate.", person="op")
    await bot.hears("hi")
    assert model.bodies[-1]["messages"][0] == {"role": "system", "content": "Be a pirate."}
    await bot.hears("/system default", person="op")
    await bot.hears("hi")
    assert model.bodies[-1]["messages"][0] == {"role": "system", "content": "Be kind."}


async def test_who_is_no_operator_may_not_do_what_operators_may(
    bot: Bot, model: ScriptedModel
) -> None:
    assert "Only operators" in await said(bot, "/system Be evil.", person="ann")
    await bot.hears("hi")
    assert "evil" not in str(model.bodies[-1])


async def test_reset_begins_anew(bot: Bot, model: ScriptedModel) -> None:
    await bot.hears("remember the milk")
    assert "begin anew" in await said(bot, "/reset")
    await bot.hears("hi")
    assert "milk" not in str(model.bodies[-1])
    assert "ask something first" not in await said(bot, "/retry")


async def test_after_reset_there_is_nothing_to_retry(bot: Bot) -> None:
    await bot.hears("hi")
    await bot.hears("/reset")
    assert "ask something first" in await said(bot, "/retry")


async def test_usage_shows_tokens_and_money_by_person_and_conversation(
    model: ScriptedModel, tmp_path: Path
) -> None:
    prices = {"gpt-4o-mini": Price(input=1000.0, output=2000.0)}
    async with running(configuration(tmp_path, model.base_url, prices=prices)) as bot:
        await bot.hears("hi", person="ann")
        await bot.hears("hi", person="bob")
        rows = (await said(bot, "/usage", person="ann")).splitlines()
        cells = {row.split("|")[1].strip(): row.split("|")[2:-1] for row in rows[2:]}
        [answers, tokens_in, tokens_out, money] = map(str.strip, cells["you, in all"])
        assert answers == "1"
        expected = int(tokens_in) * 1000 / 1e6 + int(tokens_out) * 2000 / 1e6
        assert float(money) == pytest.approx(expected, abs=1e-4)
        assert cells["here, in all"][0].strip() == "2"
        bot.clock.advance(86_400)
        later = await said(bot, "/usage", person="ann")
        assert "| you, today | 0 | 0 | 0 | 0.0000 |" in later
        assert "| you, in all | 1 |" in later


async def test_an_unknown_price_is_called_unknown(bot: Bot) -> None:
    await bot.hears("hi")
    assert "price unknown" in await said(bot, "/usage")


async def test_export_gives_the_conversation_as_jsonl(bot: Bot) -> None:
    await bot.hears("hi")
    await bot.hears("/reset")
    assert "2 turns" in await said(bot, "/export")
    [file] = bot.adapter.documents
    lines = [json.loads(line) for line in file.content.decode().splitlines()]
    assert [(line["role"], line["content"]) for line in lines] == [
        ("user", "hi"),
        ("assistant", "You said: hi"),
    ]
    assert file.name == "conversation.jsonl"


async def test_an_empty_conversation_has_nothing_to_export(bot: Bot) -> None:
    assert "Nothing is stored" in await said(bot, "/export")


def test_every_command_has_a_help_line() -> None:
    for info in infos():
        assert info.summary.endswith(".")
        assert len(info.summary) < 80
