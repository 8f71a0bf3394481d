"""Buttons below messages: who may press them, how often, and what becomes of them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.slack.opinions import THANKS
from adapters.slack.presses import NOT_YOURS, OLD, chosen
from bot.messages import Button, ConversationId, IncomingMessage, ReplyTo
from bot.ports import Adapter, Sink
from tests.adapters.slack.conftest import Core, Make, read, running, texts
from tests.slack_server import Fail
from tests.slack_server.blocks import problems
from tests.slack_server.people import Person
from tests.slack_server.slack import Slack
from tests.slack_server.values import Channel, Message

START = (Button("Start", "/finetune start now"), Button("Leave it", "/finetune leave"))


@pytest.fixture
def ann(slack: Slack) -> Person:
    return slack.person("ann")


@pytest.fixture
def bob(slack: Slack) -> Person:
    return slack.person("bob")


@pytest.fixture
def general(slack: Slack, ann: Person, bob: Person) -> Channel:
    return slack.workspace.channel("general", [ann.user, bob.user])


async def card(
    slack: Slack,
    adapter: Adapter,
    channel: Channel,
    person: str = "",
    thread: str = "",
    *,
    private: bool = False,
) -> Message:
    """A card with buttons that the bot shows in a channel."""
    to = ReplyTo(
        ConversationId("slack", channel.id, thread), "card", person=person, private=private
    )
    sink = adapter.sink(to)
    handle = await sink.finish(0, "Start it?", "", buttons=START)
    await sink.close()
    if private:
        return slack.workspace.ephemeral(slack.person("ann").user)[-1]
    found = slack.workspace.find(channel.id, handle)
    assert found
    return found


async def grow(sink: Sink, message: IncomingMessage) -> None:
    """An answer as a model gives it: below one such opinions are asked for."""
    await sink.ready()
    handle = await sink.show(0, "You", "")
    await sink.finish(0, f"You said: {message.text}", handle)


def told(slack: Slack, person: Person) -> list[str]:
    """What only that person sees."""
    return [message.seen for message in slack.workspace.ephemeral(person.user)]


async def test_a_press_says_what_the_button_says_and_takes_the_buttons_away(
    slack: Slack, adapter: Adapter, ann: Person, general: Channel
) -> None:
    async with running(adapter) as core:
        shown = await card(slack, adapter, general, f"slack:{ann.id}")
        ann.press(shown, "Start")
        await core.heard("/finetune start now")
        (message,) = core.received
        assert message.conversation == ConversationId("slack", general.id)
        assert message.person.id == f"slack:{ann.id}"
        await slack.workspace.until(lambda: "✓ Start, Ann" in shown.seen)
        assert "Start it?" in shown.seen
        assert not [block for block in shown.blocks if block["type"] == "actions"]
        assert not told(slack, ann)


async def test_a_press_in_a_thread_is_said_there(
    slack: Slack, adapter: Adapter, ann: Person, general: Channel
) -> None:
    async with running(adapter) as core:
        root = ann.says(general, "hello")
        shown = await card(slack, adapter, general, f"slack:{ann.id}", root.ts)
        ann.press(shown, "Start")
        await core.heard("/finetune start now")
        assert core.received[0].conversation.thread == root.ts


async def test_only_who_was_asked_may_press(
    slack: Slack, adapter: Adapter, ann: Person, bob: Person, general: Channel
) -> None:
    async with running(adapter) as core:
        shown = await card(slack, adapter, general, f"slack:{ann.id}")
        bob.press(shown, "Start")
        await slack.workspace.until(lambda: told(slack, bob))
        assert told(slack, bob) == [NOT_YOURS]
        await read(slack, core)
        assert not core.received
        assert [block for block in shown.blocks if block["type"] == "actions"]


async def test_a_card_for_anybody_may_be_pressed_by_anybody(
    slack: Slack, adapter: Adapter, bob: Person, general: Channel
) -> None:
    async with running(adapter) as core:
        bob.press(await card(slack, adapter, general), "Leave it")
        await core.heard("/finetune leave")


async def test_a_press_that_came_too_early_may_be_made_again(
    slack: Slack, adapter: Adapter, ann: Person, general: Channel
) -> None:
    async with running(adapter) as core:
        shown = await card(slack, adapter, general, f"slack:{ann.id}")
        core.strangers.add(f"slack:{ann.id}")
        ann.press(shown, "Start")
        await read(slack, core)
        core.strangers.clear()
        ann.press(shown, "Start")
        await core.heard("/finetune start now")
        assert OLD not in told(slack, ann)


async def test_a_second_press_is_told_that_the_button_is_old(
    slack: Slack, adapter: Adapter, ann: Person, general: Channel
) -> None:
    async with running(adapter) as core:
        shown = await card(slack, adapter, general, f"slack:{ann.id}")
        ann.press(shown, "Start")
        ann.press(shown, "Start")
        await slack.workspace.until(lambda: told(slack, ann))
        assert told(slack, ann) == [OLD]
        await read(slack, core)
        assert texts(core) == ["/finetune start now"]


async def test_buttons_that_stay_because_slack_fails_still_work_once(
    slack: Slack, adapter: Adapter, ann: Person, general: Channel
) -> None:
    async with running(adapter) as core:
        shown = await card(slack, adapter, general, f"slack:{ann.id}")
        slack.fails("chat.update", Fail("internal_error"))
        ann.press(shown, "Start")
        await core.heard("/finetune start now")
        await read(slack, core)
        ann.press(shown, "Start")
        await slack.workspace.until(lambda: told(slack, ann))
        assert told(slack, ann) == [OLD]
        assert len(core.received) == 1
        assert not core.aside


async def test_a_press_below_a_private_card_replaces_it(
    slack: Slack, adapter: Adapter, ann: Person, general: Channel
) -> None:
    async with running(adapter) as core:
        shown = await card(slack, adapter, general, f"slack:{ann.id}", private=True)
        ann.press(shown, "Start")
        await core.heard("/finetune start now")
        await slack.workspace.until(lambda: "✓ Start, Ann" in shown.seen)
        assert not [block for block in shown.blocks if block["type"] == "actions"]


@pytest.mark.parametrize(("label", "value"), [("👍", 1), ("👎", -1)])
async def test_feedback_below_an_answer_is_thanked_for(
    slack: Slack, adapter: Adapter, ann: Person, general: Channel, label: str, value: int
) -> None:
    async with running(adapter, grow) as core:
        question = ann.says(general, "@tunebot hello")
        await core.heard("hello")
        await core.idle(core.received[0].conversation)
        answer = slack.workspace.messages(general, question.ts)[-1]
        ann.press(answer, label)
        await slack.workspace.until(lambda: told(slack, ann))
        assert core.opinions == {answer.ts: value}
        assert told(slack, ann) == [THANKS]
        assert [block for block in answer.blocks if block["type"] == "context_actions"]


async def test_feedback_in_direct_messages_leaves_no_message_behind(
    slack: Slack, adapter: Adapter, ann: Person
) -> None:
    async with running(adapter, grow) as core:
        question = ann.says(ann.im, "hello")
        await core.heard("hello")
        await core.idle(core.received[0].conversation)
        answer = slack.workspace.messages(ann.im, question.ts)[-1]
        before = len(slack.workspace.messages(ann.im))
        ann.press(answer, "👍")
        await slack.workspace.until(lambda: told(slack, ann))
        assert len(slack.workspace.messages(ann.im)) == before


async def test_strangers_have_no_opinions(
    slack: Slack, adapter: Adapter, ann: Person, bob: Person, general: Channel
) -> None:
    async with running(adapter, grow) as core:
        core.strangers.add(f"slack:{bob.id}")
        question = ann.says(general, "@tunebot hello")
        await core.heard("hello")
        await core.idle(core.received[0].conversation)
        bob.press(slack.workspace.messages(general, question.ts)[-1], "👍")
        await slack.workspace.until(lambda: told(slack, bob))
        assert f"'slack:{bob.id}'" in told(slack, bob)[0]
        assert not core.opinions


async def test_stop_below_an_answer_that_grows_by_edits_is_stop(
    slack: Slack, make: Make, ann: Person, general: Channel
) -> None:
    async def tell(sink: Sink, message: IncomingMessage) -> None:
        if message.text != "/stop":
            handle = await sink.show(0, "Once upon a time", "")
            await core.stopped.wait()
            await sink.finish(0, "Once upon a time", handle)

    adapter = make(streams=False)
    core = Core(adapter, tell)
    async with running(adapter, core=core):
        question = ann.says(general, "@tunebot tell me")
        await slack.workspace.until(
            lambda: len(slack.workspace.messages(general, question.ts)) == 2
        )
        ann.press(slack.workspace.messages(general, question.ts)[-1], "Stop")
        await core.heard("/stop")
        assert core.received[-1].conversation == core.received[0].conversation


@pytest.mark.parametrize("value", ["", "{}", "[]", "null", '{"text": 7}', "\x00", '{"value": 3}'])
async def test_a_button_of_an_older_version_is_told_to_be_old(
    slack: Slack, adapter: Adapter, ann: Person, general: Channel, value: str
) -> None:
    async with running(adapter) as core:
        shown = await card(slack, adapter, general, f"slack:{ann.id}")
        for block in shown.blocks:
            for element in block.get("elements", ()):
                element["value"] = value
        ann.press(shown, "Start")
        await slack.workspace.until(lambda: told(slack, ann))
        assert told(slack, ann) == [OLD]
        await read(slack, core)
        assert not core.received


@given(
    st.lists(
        st.sampled_from(
            [
                {"type": "section", "text": {"type": "plain_text", "text": "x"}},
                {
                    "type": "actions",
                    "elements": [
                        {
                            "type": "button",
                            "text": {"type": "plain_text", "text": "x"},
                            "action_id": "x",
                        }
                    ],
                },
            ]
        ),
        max_size=49,
    ),
    st.text(max_size=200),
)
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_what_was_chosen_stands_in_the_place_of_the_buttons(
    blocks: list[dict[str, Any]], label: str
) -> None:
    after = chosen(blocks, f"✓ {label}")
    assert not list(problems(after, "message"))
    assert "actions" not in [block["type"] for block in after]
    assert "<" not in json.dumps(after[-1])
