"""Whatever comes in the place of what Slack sends, nothing else is spoiled by it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from itertools import count
from typing import Any
from unittest.mock import Mock

import pytest

from adapters.slack.asking import asked
from adapters.slack.modals import ASK, ASK_ABOUT, ASKED, QUESTION
from bot.messages import Button, ConversationId, RawEvent, ReplyTo
from bot.ports import Adapter
from tests.adapters.contract import NASTY
from tests.adapters.fake_core import FakeCore
from tests.adapters.slack.conftest import Core, Make, read, running
from tests.slack_server.blocks import problems
from tests.slack_server.payloads import Payload
from tests.slack_server.people import Person
from tests.slack_server.slack import Slack

JUNK: tuple[Any, ...] = (None, -1, "\x00\ud800<!channel>", [[]], {})
NOTHING: tuple[Any, ...] = (None, "", {}, [])
SEEN = count(1)


def spoiled(whole: Any) -> Iterator[Any]:
    """A payload again and again, each time with one thing in it missing or junk."""
    if isinstance(whole, dict):
        for key, value in whole.items():
            yield {name: each for name, each in whole.items() if name != key}
            yield from ({**whole, key: junk} for junk in JUNK)
            yield from ({**whole, key: each} for each in spoiled(value))
    elif isinstance(whole, list):
        for number, value in enumerate(whole):
            rest = [each for at, each in enumerate(whole) if at != number]
            yield from ([*rest, each] for each in (*JUNK, *spoiled(value)))


async def still_works(core: FakeCore, person: Person) -> None:
    """Whether the next command is heard."""
    word = f"/model m{next(SEEN)}"
    person.slash("/tunebot", word)
    await core.heard(word)


async def test_spoiled_deeds_are_set_aside_and_end_nothing(
    slack: Slack, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = slack.person("ann")
    general = slack.workspace.channel("general", [ann.user])
    answer = slack.workspace.post(general, slack.workspace.bot, "An answer.")
    async with running(adapter := make()) as core:
        to = ReplyTo(ConversationId("slack", general.id), "card")
        sink = adapter.sink(to)
        ts = await sink.finish(0, "Start it?", "", buttons=[Button("Start", "/finetune start")])
        await sink.close()
        card = slack.workspace.find(general.id, ts)
        assert card
        ann.press(card, "Start")
        ann.slash("/tunebot", "what is love?", general)
        ann.opens_home()
        ann.reacts(answer, "+1")
        ann.stops(answer)
        await read(slack, core)
    bodies = [body for each in slack.delivery.payloads for body in spoiled(each.body)]
    assert len(bodies) > 500
    bodies = bodies[::5]  # what is told of them in private goes out at Slack's pace
    # Each that is set aside is logged with its traceback, which takes seconds for so many.
    monkeypatch.setattr("adapters.slack.intake.log", Mock())
    again = make()
    core = Core(again)
    core.shelf = {n: RawEvent(n, json.dumps(body)) for n, body in enumerate(bodies, 10_000)}
    async with running(again, core=core):
        await still_works(core, ann)
        async with asyncio.timeout(60):
            while reading := [each for each in asyncio.all_tasks() if "read " in each.get_name()]:
                await asyncio.wait(reading)
        assert core.aside
        assert not core.shelf
    assert not slack.workspace.pings


@pytest.mark.parametrize("kind", ["shortcut", "message_action", "view_submission"])
async def test_spoiled_shortcuts_and_views_end_nothing(
    slack: Slack, adapter: Adapter, kind: str
) -> None:
    ann = slack.person("ann")
    general = slack.workspace.channel("general", [ann.user])
    async with running(adapter) as core:
        await core.begun.wait()
        if kind == "shortcut":
            payload = ann.shortcut(ASK.callback_id)
        elif kind == "message_action":
            payload = ann.message_shortcut(ASK_ABOUT.callback_id, ann.says(general, "Hm."))
        else:
            ann.shortcut(ASK.callback_id)
            await slack.workspace.until(lambda: ann.modal)
            assert ann.modal
            payload = ann.submits(ann.modal, {QUESTION: "Why?"})
            assert payload.body["view"]["callback_id"] == ASKED
        await slack.delivery.settled()
        for key in ("user", "team", "view", "message", "channel", "trigger_id", "response_url"):
            for junk in NOTHING:
                slack.delivery.deliver(Payload("interactive", {**payload.body, key: junk}))
        await still_works(core, ann)


@pytest.mark.parametrize("text", NASTY.values(), ids=NASTY.keys())
async def test_whatever_is_asked_is_posted_and_answered(
    slack: Slack, adapter: Adapter, text: str
) -> None:
    ann = slack.person("ann")
    general = slack.workspace.channel("general", [ann.user])
    async with running(adapter) as core:
        ann.slash("/tunebot", f"why {text}", general)
        await slack.workspace.until(lambda: core.received)
        await core.idle(core.received[0].conversation)
        assert slack.workspace.visible(general)[0].startswith("Ann asked:\nwhy")
        assert not slack.workspace.pings


@pytest.mark.parametrize("text", ["", "\x00", "\ud800", "<!channel> <@U1> <http://a|http://b>"])
def test_what_is_posted_is_text(text: str) -> None:
    blocks = asked(text, text)
    assert not list(problems(blocks, "message"))
    assert "mrkdwn" not in json.dumps(blocks)
