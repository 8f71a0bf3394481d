"""What adapters ask of the core beside its answers."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from bot.access import Rank
from bot.app import App
from bot.commands import registry
from bot.errors import ConfigError, ModelUnavailable, StoreBusy
from bot.messages import (
    Button,
    Card,
    ConversationId,
    Ending,
    IncomingMessage,
    Person,
    Profile,
    Receipt,
    Role,
)
from bot.ports import Door, Knock, Opened, SecretHeader
from bot.store import steps
from tests.clock import StoppedClock
from tests.fakes import Bot, FakeAdapter, Wall, configuration, running
from tests.scripted_model import Answer, ScriptedModel

HERE, ANN, BOB = ConversationId("fake", "general"), Person("fake:ann"), Person("fake:bob")


async def test_history_has_what_people_saw_newest_page_first(bot: Bot) -> None:
    for number in "123":
        await bot.hears(number)
    core = await bot.adapter.core
    newest = await core.history(HERE, most=2)
    assert [(turn.role, turn.text) for turn in newest] == [
        (Role.USER, "3"),
        (Role.ASSISTANT, "You said: 3"),
    ]
    before = await core.history(HERE, before=newest[0].id)
    assert [turn.text for turn in before][-2:] == ["2", "You said: 2"]


async def test_history_has_an_answer_that_is_owed(bot: Bot, model: ScriptedModel) -> None:
    going = asyncio.Event()
    model.script(Answer(text="At last.", hold=going))
    await bot.receive("hi")
    await model.until(lambda: len(model.requests) == 1)
    core = await bot.adapter.core
    assert (await core.history(HERE))[-1].ending is Ending.ASKING
    going.set()
    await bot.idle()
    assert (await core.history(HERE))[-1].text == "At last."


async def test_conversations_of_a_channel_are_listed_newest_first(bot: Bot) -> None:
    core = await bot.adapter.core
    assert await core.conversations("fake", "general") == []
    await bot.hears("What is\nthe time?" + "?" * 100)
    await bot.hears("hi", channel="other")
    [listed] = await core.conversations("fake", "general")
    assert listed.conversation == HERE
    assert listed.title.startswith("What is\nthe time?")
    assert len(listed.title) == 80
    assert listed.at == bot.clock.now()


async def test_deleting_a_conversation_leaves_nothing_of_it(
    bot: Bot, model: ScriptedModel, tmp_path: Path
) -> None:
    await bot.hears("my name is Zaphod", question_id="1")
    await bot.hears("my name is Trillian", channel="other")
    model.script(Answer(text="Never Zaphod", hold=asyncio.Event(), hold_at=1))
    await bot.receive("Zaphod again")
    await bot.sees(lambda: "Never" in bot.says()[-1])
    await bot.receive("and Zaphod waits")
    core = await bot.adapter.core
    await core.delete(HERE)
    assert await core.history(HERE) == []
    assert await bot.said("1") is None
    content = b"".join(file.read_bytes() for file in tmp_path.glob("bot.db*"))
    assert b"Zaphod" not in content
    assert b"Never" not in content
    assert b"Trillian" in content
    assert len(model.requests) == 3


async def test_feedback_is_stored_with_the_answer_once_a_person(bot: Bot) -> None:
    await bot.hears("hi")
    core = await bot.adapter.core
    [handle] = bot.wall.posts("general")
    for person, value in ((ANN, 1), (ANN, 1), (BOB, 1)):
        assert await core.feedback("fake", "general", handle, person, value)
    assert (await core.history(HERE))[-1].feedback == 2
    assert await core.feedback("fake", "general", handle, ANN, -1)
    assert (await core.history(HERE))[-1].feedback == 0
    assert await core.feedback("fake", "general", handle, ANN, 0)
    assert (await core.history(HERE))[-1].feedback == 1
    assert not await core.feedback("fake", "general", "unknown", ANN, 1)
    assert not await core.feedback("fake", "other", handle, ANN, 1)


async def test_forget_takes_feedback_too(bot: Bot) -> None:
    await bot.hears("hi", person="bob")
    core = await bot.adapter.core
    await core.feedback("fake", "general", next(iter(bot.wall.posts("general"))), ANN, 1)
    await bot.hears("/forget", channel="elsewhere")
    assert (await core.history(HERE))[-1].feedback == 0


async def test_same_event_is_shelved_once_and_stays_until_it_is_dealt_with(
    tmp_path: Path, model: ScriptedModel
) -> None:
    config = configuration(tmp_path, model.base_url)
    async with running(config) as bot:
        core = await bot.adapter.core
        first, again, other = await core.shelve("fake", [("1", "one"), ("1", "one"), ("", "two")])
        assert again is None
        assert await core.shelve("telegram", [("1", "one")]) != [None], "keys are an adapter's own"
    async with running(config) as reborn:
        core = await reborn.adapter.core
        assert await core.shelved("fake") == [first, other]
        await core.take_down(*await core.shelved("fake"))
        assert await core.shelved("fake") == []
        assert await core.shelve("fake", [("1", "one")]) == [None], "it is still known"


async def test_event_leaves_the_shelf_with_its_message(bot: Bot) -> None:
    core = await bot.adapter.core
    first, again = await core.shelve("fake", [("1", "one"), ("2", "one under another id")])
    assert first
    assert again
    for event, receipt in ((first, Receipt.ACCEPTED), (again, Receipt.DUPLICATE)):
        message = IncomingMessage(HERE, ANN, "hi", keys=("message 7",), events=(event.id,))
        assert await core.receive(message) is receipt
    assert await core.shelved("fake") == []


async def test_refused_message_leaves_nothing_on_the_shelf(
    tmp_path: Path, model: ScriptedModel
) -> None:
    only_bob = {"users": ["fake:bob"]}
    async with running(configuration(tmp_path, model.base_url, access=only_bob)) as bot:
        core = await bot.adapter.core
        [event] = await core.shelve("fake", [("1", "hi")])
        assert event
        assert not core.admits(ANN)
        assert core.admits(BOB)
        message = IncomingMessage(HERE, ANN, "hi", events=(event.id,))
        assert await core.receive(message) is Receipt.REFUSED
        assert await core.shelved("fake") == []


async def test_threads_have_the_choices_of_their_channel_until_they_choose(
    tmp_path: Path, model: ScriptedModel
) -> None:
    profiles = {name: Profile(name, "scripted", "gpt-4o") for name in ("assistant", "support")}
    async with running(configuration(tmp_path, model.base_url, profiles=profiles)) as bot:
        await threads_choose(bot)


async def threads_choose(bot: Bot) -> None:
    thread = replace(HERE, thread="7")
    core = await bot.adapter.core
    await bot.hears("hi", thread="7")
    assert (await core.chosen(thread)).name == "assistant"
    await bot.hears("/model support")
    assert (await core.chosen(thread)).name == "support"
    assert (await core.chosen(replace(HERE, thread="new"))).name == "support"
    await bot.hears("/model assistant", thread="7")
    assert (await core.chosen(thread)).name == "assistant"
    assert "**support** answers here" in (await bot.hears("/model default", thread="7"))[-1]


async def test_channel_under_a_new_id_keeps_its_history(bot: Bot) -> None:
    core = await bot.adapter.core
    await bot.hears("hi")
    await core.move("fake", "general", "supergroup")
    moved = replace(HERE, channel="supergroup")
    assert len(await core.history(moved)) == 2
    await bot.hears("elsewhere", channel="other")
    await core.move("fake", "other", "supergroup")
    assert len(await core.history(moved)) == 2, "nothing is overwritten"


async def test_what_is_under_way_while_its_channel_moves_comes_first_and_goes_with_it(
    bot: Bot, model: ScriptedModel
) -> None:
    core, going = await bot.adapter.core, asyncio.Event()
    model.script(Answer(text="One.", hold=going))
    await bot.receive("first")
    await model.until(lambda: len(model.requests) == 1)
    await bot.receive("second, which waits")
    await core.move("fake", "general", "supergroup")
    await bot.receive("third", channel="supergroup")
    assert len(model.requests) == 1
    going.set()
    moved = replace(HERE, channel="supergroup")
    await core.idle(moved)
    said = [turn.text for turn in await core.history(moved)]
    assert said[:4] == ["first", "One.", "second, which waits", "third"]
    assert await core.history(HERE) == await core.history(moved)


async def test_forget_takes_what_nobody_could_read(bot: Bot, tmp_path: Path) -> None:
    core = await bot.adapter.core
    unread, waiting = await core.shelve("fake", [("1", "Zaphod's"), ("2", "somebody's")])
    assert unread
    await core.set_aside(unread)
    await bot.hears("/forget")
    assert await core.shelved("fake") == [waiting], "what waits is answered"
    content = b"".join(file.read_bytes() for file in tmp_path.glob("bot.db*"))
    assert b"Zaphod" not in content


async def test_shelf_of_an_adapter_that_runs_no_more_is_cleared_after_a_week(bot: Bot) -> None:
    core = await bot.adapter.core
    for adapter in ("fake", "removed"):
        await core.shelve(adapter, [("1", "left")])
    await bot.clock.asleep(2)  # what is done at the start is done
    bot.clock.advance(8 * 86_400)
    await bot.clock.asleep(2)  # the pruning is done
    assert await core.shelved("removed") == []
    assert len(await core.shelved("fake")) == 1, "it is read, however old it is"


async def test_person_is_told_what_they_spent(bot: Bot) -> None:
    core = await bot.adapter.core
    await bot.hears("hi")
    bot.clock.advance(86_400)
    await bot.hears("hi")
    today, in_all = await core.spent(ANN)
    assert (today.answers, in_all.answers) == (1, 2)
    assert in_all.prompt_tokens > today.prompt_tokens > 0
    assert (await core.spent(BOB))[1].answers == 0


async def test_what_cannot_be_read_is_set_aside_for_a_week(bot: Bot, tmp_path: Path) -> None:
    core = await bot.adapter.core
    [event] = await core.shelve("fake", [("1", '{"update_id": "x"}')])
    assert event
    await core.set_aside(event)
    assert await core.shelved("fake") == []

    def aside() -> list[str]:
        with closing(sqlite3.connect(tmp_path / "bot.db")) as db:
            return [raw for (raw,) in db.execute("SELECT raw FROM aside")]

    assert aside() == ['{"update_id": "x"}']
    await bot.clock.asleep(2)  # what is done at the start is done
    bot.clock.advance(8 * 86_400)
    await bot.clock.asleep(2)  # the pruning is done
    assert aside() == []


async def test_readiness_names_everything_and_what_fails(
    bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    core = await bot.adapter.core
    assert [(check.what, check.works) for check in await core.ready()] == [
        ("database", True),
        ("provider scripted", True),
        ("adapter fake", True),
    ]
    bot.adapter.trouble = "The platform does not answer."

    async def out_of_reach(_: object) -> list[str]:
        raise ModelUnavailable("The provider does not answer.")

    def locked(_: object, waiting: Sequence[object]) -> list[steps.Outcome]:
        return [steps.Outcome(error=StoreBusy("The database is locked."))] * len(waiting)

    monkeypatch.setattr("bot.models.link.Link.models", out_of_reach)
    monkeypatch.setattr(steps, "together", locked)
    assert all(check.works for check in await core.ready()), "it was looked at just now"
    bot.clock.advance(15)
    found = {check.what: check for check in await core.ready()}
    assert found["database"].found == "The database is locked."
    assert not found["provider scripted"].works
    assert found["adapter fake"].found == "The platform does not answer."
    monkeypatch.undo()


async def test_doors_need_an_adapter_that_opens_them(model: ScriptedModel, tmp_path: Path) -> None:
    async def opens(knock: Knock) -> Opened:
        return Opened(body=knock.body)

    class Knocked(FakeAdapter):
        doors: Sequence[Door] = (Door("/knock", SecretHeader("x-secret", "s"), opens),)

    adapter = Knocked(Wall(tmp_path / "wall.jsonl"))
    app = App(configuration(tmp_path, model.base_url), [adapter], environment={})
    with pytest.raises(ConfigError, match=r"/knock.*adapters.http"):
        await app.run()


async def test_an_adapter_is_closed_after_the_last_reply(
    model: ScriptedModel, tmp_path: Path
) -> None:
    going = asyncio.Event()
    model.script(Answer(text="To the end.", hold=going))
    clock = StoppedClock()
    adapter = FakeAdapter(Wall(tmp_path / "wall.jsonl"))
    app = App(configuration(tmp_path, model.base_url), [adapter], clock=clock, environment={})
    task = asyncio.create_task(app.run())
    bot = Bot(app, adapter, clock)
    await bot.receive("hi")
    await model.until(lambda: len(model.requests) == 1)
    app.stop()
    going.set()
    await task
    assert bot.says() == ["To the end."]
    assert adapter.closed_after[-1] == "To the end."


async def test_buttons_stand_below_a_card_also_after_a_restart(
    model: ScriptedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    buttons = (Button("Start", "/finetune start 1"), Button("No", "/finetune drop 1"))

    async def offer(_: registry.Call) -> Card:
        return Card("Start?", buttons=buttons)

    offered = registry.Command("/offer", "", Rank.USER, False, offer)
    monkeypatch.setitem(registry.COMMANDS, "/offer", offered)
    config = configuration(tmp_path, model.base_url, shutdown_seconds=0.0)
    async with running(config) as bot:
        bot.adapter.answering.clear()
        await bot.receive("/offer")
        await bot.sees(lambda: bot.says() == ["Start?"])
    async with running(config) as bot:
        await bot.idle()
        assert bot.adapter.buttons == list(buttons)
