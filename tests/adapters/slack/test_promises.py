"""The team is answered, whole and once: the program itself, killed and started again."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.adapters.slack.living import Tunebot
from tests.scripted_model import Answer, ScriptedModel
from tests.slack_server import Hang
from tests.slack_server.people import Person
from tests.slack_server.slack import Slack

PEOPLE = 10
LONG = "".join(f"**Step {number}**: water 🌱 the garden.\n\n" for number in range(30))


@pytest.fixture
async def bot(tmp_path: Path, slack: Slack, model: ScriptedModel) -> AsyncIterator[Tunebot]:
    model.reply(lambda body: f"Dear {body['messages'][-1]['content']}!\n\n{LONG}The end.")
    async with Tunebot(tmp_path, slack, model) as bot:
        yield bot


def asks(person: Person) -> None:
    """A person writes to the bot what nobody else does."""
    person.says(person.im, f"number {person.id}")


def seen(slack: Slack, person: Person) -> list[str]:
    """What a person reads of the bot."""
    return slack.workspace.visible(person.im)


async def all_answered(slack: Slack, *people: Person) -> None:
    """Return when everyone has an answer."""

    def answered(person: Person) -> bool:
        return any(text.rstrip().endswith("The end.") for text in seen(slack, person))

    await slack.workspace.until(lambda: all(map(answered, people)), 60)


def once(slack: Slack, person: Person) -> None:
    """One answer stands there, whole, and nothing beside it."""
    (answer,) = seen(slack, person)
    assert answer.startswith(f"Dear number {person.id}!")
    assert answer.count("🌱") == 30


async def test_after_kill_9_answers_in_flight_arrive_whole_and_once(
    bot: Tunebot, slack: Slack, model: ScriptedModel
) -> None:
    people = [slack.person(f"person{number}") for number in range(PEOPLE)]
    going = asyncio.Event()
    model.script(*[Answer(hold=going, hold_at=40)] * PEOPLE)
    for person in people:
        asks(person)
    await slack.workspace.until(
        lambda: all("Dear" in "".join(seen(slack, person)) for person in people)
    )
    await bot.end(signal.SIGKILL)
    await bot.start()
    await all_answered(slack, *people)
    for person in people:
        once(slack, person)
    assert not slack.delivery.losses


async def test_message_on_the_shelf_is_answered_after_kill_9(bot: Tunebot, slack: Slack) -> None:
    ann = slack.person("ann")
    slack.fails("users.info", Hang())  # its name is waited for, so nothing is handed in yet
    asks(ann)
    await slack.delivery.settled()
    await bot.end(signal.SIGKILL)
    await bot.start()
    await all_answered(slack, ann)
    once(slack, ann)


async def test_what_people_write_while_the_bot_is_down_is_answered(
    bot: Tunebot, slack: Slack
) -> None:
    ann = slack.person("ann")
    await bot.end()
    asks(ann)
    await bot.start()
    await all_answered(slack, ann)
    once(slack, ann)


async def test_message_delivered_again_is_answered_once(
    bot: Tunebot, slack: Slack, model: ScriptedModel
) -> None:
    ann, bob = slack.person("ann"), slack.person("bob")
    general = slack.workspace.channel("general", [ann.user])
    message = ann.says(general, "@tunebot number one")
    await slack.workspace.until(lambda: "The end." in "".join(slack.workspace.visible(general)))
    slack.delivery.again(message)
    slack.delivery.again(message, under_another_id=True)
    await slack.delivery.settled()
    await bot.end()
    await bot.start()
    slack.delivery.again(message)
    slack.delivery.again(message, under_another_id=True)
    asks(bob)
    await all_answered(slack, bob)
    await slack.delivery.settled()
    assert len(slack.workspace.visible(general)) == 1
    assert model.answers == 2


async def test_http_mode_answers_and_loses_nothing_over_kill_9(
    tmp_path: Path, slack: Slack, model: ScriptedModel
) -> None:
    model.reply(lambda body: f"Dear {body['messages'][-1]['content']}!\n\n{LONG}The end.")
    ann, bob = slack.person("ann"), slack.person("bob")
    async with Tunebot(tmp_path, slack, model, mode="http") as bot:
        asks(ann)
        await all_answered(slack, ann)
        slack.fails("users.info", Hang())
        asks(bob)
        await slack.delivery.settled()
        await bot.end(signal.SIGKILL)
        await bot.start()
        await all_answered(slack, bob)
        once(slack, ann)
        once(slack, bob)


async def test_tokens_are_in_no_log_and_not_on_disk(bot: Tunebot, slack: Slack) -> None:
    ann = slack.person("ann")
    asks(ann)
    ann.slash("/tunebot", "/usage")
    await all_answered(slack, ann)
    assert await bot.end() == 0
    assert "running" in bot.log
    written = [file for file in bot.database.parent.iterdir() if file.is_file()]
    for secret in (slack.tokens.bot, slack.tokens.app, slack.tokens.signing_secret):
        assert secret not in bot.log
        assert not [file for file in written if secret.encode() in file.read_bytes()]
    assert f"number {ann.id}" not in bot.log, "what people write is in no log"
