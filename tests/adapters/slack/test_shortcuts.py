"""Shortcuts, and the modal in which a question is asked."""

from __future__ import annotations

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.slack.asking import INVITE
from adapters.slack.modals import (
    ASK,
    ASK_ABOUT,
    MOST_METADATA,
    QUESTION,
    SHORTCUTS,
    Subject,
    question,
    sorry,
    subject_of,
)
from adapters.slack.shortcuts import EMPTY, LATE
from bot.errors import StoreBusy
from bot.messages import ConversationId
from bot.ports import Adapter
from tests.adapters.slack.conftest import Core, Make, running
from tests.adapters.slack.test_http import posting
from tests.slack_server import Fail, Hang
from tests.slack_server.blocks import problems, view_problems
from tests.slack_server.people import Person
from tests.slack_server.slack import Slack
from tests.slack_server.values import Channel, View


@pytest.fixture
def ann(slack: Slack) -> Person:
    return slack.person("ann")


@pytest.fixture
def bob(slack: Slack) -> Person:
    return slack.person("bob")


@pytest.fixture
def general(slack: Slack, ann: Person, bob: Person) -> Channel:
    return slack.workspace.channel("general", [ann.user, bob.user])


async def opened(slack: Slack, person: Person) -> View:
    """The modal before somebody."""
    await slack.workspace.until(lambda: person.modal)
    assert person.modal
    return person.modal


async def test_a_question_about_a_message_goes_into_its_thread_for_all_to_see(
    slack: Slack, adapter: Adapter, ann: Person, bob: Person, general: Channel
) -> None:
    async with running(adapter) as core:
        message = bob.says(general, "hi @ann, 2 &lt; 3\nis it?")
        ann.message_shortcut(ASK_ABOUT.callback_id, message)
        modal = await opened(slack, ann)
        assert "is it?" in str(modal.view["blocks"])
        ann.submits(modal, {QUESTION: "Is that so? <!here>"})
        await core.heard("Bob wrote:\n> hi @Ann, 2 &lt; 3\n> is it?\n\nIs that so? <!here>")
        assert core.received[0].conversation == ConversationId("slack", general.id, message.ts)
        assert core.received[0].person.id == f"slack:{ann.id}"
        await core.idle(core.received[0].conversation)
        posted, answer = slack.workspace.visible(general, message.ts)
        assert posted == "Ann asked:\nIs that so? <!here>"
        assert answer.startswith("You said: Bob wrote:")
        assert not slack.workspace.pings
        await slack.workspace.until(lambda: not ann.modal)


async def test_a_question_about_a_reply_goes_into_the_same_thread(
    slack: Slack, adapter: Adapter, ann: Person, bob: Person, general: Channel
) -> None:
    async with running(adapter) as core:
        root = bob.says(general, "Root")
        reply = bob.says(general, "Reply", thread_ts=root.ts)
        ann.message_shortcut(ASK_ABOUT.callback_id, reply)
        ann.submits(await opened(slack, ann), {QUESTION: "Why?"})
        await core.heard("Bob wrote:\n> Reply\n\nWhy?")
        assert core.received[0].conversation.thread == root.ts


@pytest.mark.parametrize("direct", ["thread", "channel"])
async def test_a_question_about_nothing_is_answered_in_the_direct_messages(
    slack: Slack, make: Make, ann: Person, direct: str
) -> None:
    async with running(make(direct=direct)) as core:
        ann.shortcut(ASK.callback_id)
        ann.submits(await opened(slack, ann), {QUESTION: "What is love?"})
        await core.heard("What is love?")
        await core.idle(core.received[0].conversation)
        root, answer = slack.workspace.messages(ann.im)
        assert root.seen == "Ann asked:\nWhat is love?"
        thread = root.ts if direct == "thread" else ""
        assert core.received[0].conversation == ConversationId("slack", ann.im.id, thread)
        assert answer.seen.startswith("You said: What is love?")


@pytest.mark.parametrize("shortcut", SHORTCUTS)
async def test_a_stranger_sees_why_they_cannot_ask(
    slack: Slack, adapter: Adapter, ann: Person, general: Channel, shortcut: object
) -> None:
    async with running(adapter) as core:
        core.strangers.add(f"slack:{ann.id}")
        if shortcut is ASK:
            ann.shortcut(ASK.callback_id)
        else:
            ann.message_shortcut(ASK_ABOUT.callback_id, ann.says(general, "Hm."))
        modal = await opened(slack, ann)
        assert f"'slack:{ann.id}'" in str(modal.view["blocks"])
        assert "submit" not in modal.view


async def test_who_became_a_stranger_meanwhile_sees_it_in_the_modal(
    slack: Slack, adapter: Adapter, ann: Person
) -> None:
    async with running(adapter) as core:
        ann.shortcut(ASK.callback_id)
        modal = await opened(slack, ann)
        core.strangers.add(f"slack:{ann.id}")
        payload = ann.submits(modal, {QUESTION: "What is love?"})
        await slack.delivery.settled()
        assert f"'slack:{ann.id}'" in payload.answer["errors"][QUESTION]
        assert not core.received


async def test_an_empty_question_is_an_error_in_the_modal(
    slack: Slack, adapter: Adapter, ann: Person
) -> None:
    async with running(adapter) as core:
        ann.shortcut(ASK.callback_id)
        modal = await opened(slack, ann)
        payload = ann.submits(modal, {QUESTION: " \n "})
        await slack.delivery.settled()
        assert payload.answer == {"response_action": "errors", "errors": {QUESTION: EMPTY}}
        assert ann.modal
        ann.submits(modal, {QUESTION: "Better?"})
        await core.heard("Better?")


async def test_where_the_bot_is_not_the_modal_asks_for_an_invitation(
    slack: Slack, adapter: Adapter, ann: Person
) -> None:
    secret = slack.workspace.channel("secret", [ann.user], with_bot=False)
    async with running(adapter) as core:
        ann.message_shortcut(ASK_ABOUT.callback_id, ann.says(secret, "Hm."))
        payload = ann.submits(await opened(slack, ann), {QUESTION: "Why?"})
        await slack.delivery.settled()
        assert payload.answer["errors"] == {QUESTION: INVITE}
        assert not core.received


async def test_a_full_store_is_an_error_in_the_modal_and_the_question_is_posted_once(
    slack: Slack, adapter: Adapter, ann: Person, general: Channel
) -> None:
    async with running(adapter) as core:
        core.failures = [StoreBusy("The database is busy.")]
        message = ann.says(general, "Hm.")
        ann.message_shortcut(ASK_ABOUT.callback_id, message)
        modal = await opened(slack, ann)
        payload = ann.submits(modal, {QUESTION: "Why?"})
        await slack.delivery.settled()
        assert payload.answer["errors"] == {QUESTION: "The database is busy."}
        ann.submits(modal, {QUESTION: "Why?"})
        await core.heard("Ann wrote:\n> Hm.\n\nWhy?")
        posted = [each for each in slack.workspace.visible(general) if "asked" in each]
        assert posted == ["Ann asked:\nWhy?"]


async def test_by_http_errors_stand_in_the_modal_too(slack: Slack, make: Make, ann: Person) -> None:
    adapter = make(mode="http")
    async with posting(slack, adapter), running(adapter) as core:
        await core.begun.wait()
        ann.shortcut(ASK.callback_id)
        modal = await opened(slack, ann)
        payload = ann.submits(modal, {QUESTION: " "})
        await slack.delivery.settled()
        assert payload.answer["errors"] == {QUESTION: EMPTY}
        ann.submits(modal, {QUESTION: "Better?"})
        await core.heard("Better?")


async def test_a_crash_after_the_acknowledgement_loses_no_question(
    slack: Slack, make: Make, ann: Person, general: Channel
) -> None:
    first = make()
    until = asyncio.Event()
    async with running(first) as core:
        slack.fails("chat.postMessage", Hang(until, after=False))
        message = ann.says(general, "Hm.")
        ann.message_shortcut(ASK_ABOUT.callback_id, message)
        payload = ann.submits(await opened(slack, ann), {QUESTION: "Why?"})
        await slack.delivery.settled()
        assert payload.outcome == "acknowledged"
        (left,) = core.shelf.values()
    second = make()
    again = Core(second)
    again.shelf = {left.id: left}
    async with running(second, core=again):
        await again.heard("Ann wrote:\n> Hm.\n\nWhy?")
        assert again.received[0].conversation.thread == message.ts
        assert not again.shelf
    until.set()


async def test_a_submission_that_cannot_be_committed_is_an_error_in_the_modal(
    slack: Slack, adapter: Adapter, ann: Person
) -> None:
    async with running(adapter) as core:
        ann.shortcut(ASK.callback_id)
        modal = await opened(slack, ann)
        core.shelf_failures = [StoreBusy("The database is busy.")]
        payload = ann.submits(modal, {QUESTION: "Why?"})
        await slack.delivery.settled()
        assert payload.answer["errors"] == {QUESTION: "The database is busy."}
        assert not slack.workspace.called("chat.postMessage")


async def test_a_slow_slack_keeps_no_modal_waiting(
    slack: Slack, adapter: Adapter, ann: Person, general: Channel
) -> None:
    until = asyncio.Event()
    slack.fails("chat.postMessage", Hang(until, after=False))
    async with running(adapter) as core:
        ann.message_shortcut(ASK_ABOUT.callback_id, ann.says(general, "Hm."))
        payload = ann.submits(await opened(slack, ann), {QUESTION: "Why?"})
        await slack.delivery.settled()
        assert payload.outcome == "acknowledged"
        assert not ann.modal
        until.set()
        await core.heard("Ann wrote:\n> Hm.\n\nWhy?")


async def test_the_modal_is_opened_before_anything_else_is_asked_of_slack(
    slack: Slack, adapter: Adapter, ann: Person, general: Channel
) -> None:
    async with running(adapter):
        await slack.workspace.until(lambda: slack.delivery.sockets.live)
        message = ann.says(general, "hi @tunebot")
        await slack.delivery.settled()
        until = asyncio.Event()
        slack.fails("users.info", Hang(until, after=False), times=9)
        ann.message_shortcut(ASK_ABOUT.callback_id, message)
        await opened(slack, ann)
        until.set()


async def test_a_modal_that_slack_does_not_open_is_told_of(
    slack: Slack, adapter: Adapter, ann: Person, general: Channel
) -> None:
    slack.fails("views.open", Fail("expired_trigger_id"))
    async with running(adapter):
        ann.message_shortcut(ASK_ABOUT.callback_id, ann.says(general, "Hm."))
        await slack.workspace.until(lambda: slack.workspace.ephemeral(ann.user))
        assert [each.seen for each in slack.workspace.ephemeral(ann.user)] == [LATE]


subjects = st.builds(
    Subject,
    channel=st.text(max_size=20),
    thread=st.text(max_size=20),
    text=st.text(max_size=200) | st.text('\x00\n"\\é👍', min_size=3000, max_size=9000),
    author=st.text(max_size=20),
    response_url=st.text(max_size=200),
    asked=st.floats(0, 2e9),
)


@given(subjects)
def test_any_message_fits_into_a_modal_and_comes_back(subject: Subject) -> None:
    written = subject.metadata()
    assert len(written) <= MOST_METADATA
    again = subject_of(written)
    assert again.response_url == subject.response_url
    assert again.text == subject.text or subject.text.startswith(again.text.removesuffix("…"))
    view = question(subject, ASK_ABOUT)
    assert not list(view_problems(view, "modal"))
    assert not list(problems(view["blocks"], "modal"))
    json.dumps(view)


@given(st.text(min_size=1, max_size=300))
def test_a_modal_that_says_sorry_is_one_that_slack_takes(sentence: str) -> None:
    view = sorry(sentence, ASK)
    assert not list(view_problems(view, "modal"))
    assert not list(problems(view["blocks"], "modal"))
