"""Commands, buttons, shortcuts and views, as the real slack-bolt hears of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond
from slack_sdk.web.async_client import AsyncWebClient

from tests.clock import StoppedClock
from tests.slack_server.bolt import bolt, connected
from tests.slack_server.people import Person
from tests.slack_server.samples import BUTTON, FEEDBACK, MODAL, OVERFLOW
from tests.slack_server.slack import Slack
from tests.slack_server.values import Channel


@pytest.fixture
async def app(slack: Slack) -> AsyncIterator[AsyncApp]:
    """A bot that listens on a socket; what it hears of is what a test adds to it."""
    async with bolt(slack) as app, connected(app, slack):
        yield app


@pytest.fixture
def ann(slack: Slack) -> Person:
    return slack.person("ann")


@pytest.fixture
def general(slack: Slack, ann: Person) -> Channel:
    return slack.workspace.channel("general", [ann.user])


async def test_command_is_acknowledged_and_answered_by_its_response_url(
    slack: Slack, app: AsyncApp, ann: Person, general: Channel
) -> None:
    @app.command("/finetune")
    async def status(ack: AsyncAck, command: dict[str, Any], respond: AsyncRespond) -> None:
        await ack(f"Looking for {command['text']} …")
        await respond("It runs.", response_type="in_channel")

    ann.slash("/finetune", "status ft-1", general)
    await slack.workspace.until(lambda: slack.workspace.visible(general))
    await slack.delivery.settled()
    assert slack.workspace.visible(general) == ["It runs."]
    alone = [message.text for message in slack.workspace.ephemeral(ann.user, general)]
    assert alone == ["Looking for status ft-1 …"]


async def test_response_url_takes_five_messages_within_half_an_hour(
    slack: Slack, ann: Person, clock: StoppedClock
) -> None:
    used, expired = (ann.slash("/finetune").body["response_url"] for _ in range(2))
    async with aiohttp.ClientSession() as session:
        for _ in range(5):
            assert (await session.post(used, json={"text": "more"})).status == 200
        answer = await session.post(used, json={"text": "more"})
        assert (answer.status, (await answer.json())["error"]) == (404, "used_url")
        clock.advance(30 * 60 + 1)
        answer = await session.post(expired, json={"text": "late"})
        assert (answer.status, (await answer.json())["error"]) == (404, "expired_url")
    assert len(slack.workspace.ephemeral(ann.user)) == 5


async def test_response_url_refuses_what_slack_cannot_show(slack: Slack, ann: Person) -> None:
    url = ann.slash("/finetune").body["response_url"]
    async with aiohttp.ClientSession() as session:
        for body, error in (("thanks", "invalid_payload"), ("{}", "no_text")):
            answer = await session.post(url, data=body)
            assert (answer.status, (await answer.json())["error"]) == (400, error)
        assert (await session.post(f"{url}x", json={"text": "more"})).status == 404
    assert not slack.workspace.ephemeral(ann.user)


async def test_what_one_person_sees_travels_without_its_text_and_can_be_taken_away(
    slack: Slack, ann: Person
) -> None:
    message = slack.workspace.post(
        ann.im, slack.workspace.bot, "Sure?", blocks=[FEEDBACK], ephemeral_for=ann.id
    )
    body = ann.press(message, "Good").body
    assert body["container"]["is_ephemeral"]
    assert "message" not in body
    async with aiohttp.ClientSession() as session:
        assert (await session.post(body["response_url"], json={"delete_original": True})).ok
    assert not slack.workspace.ephemeral(ann.user)


async def test_button_is_pressed_and_its_message_replaced(
    slack: Slack, app: AsyncApp, ann: Person, general: Channel
) -> None:
    pressed = []

    @app.action("start")
    async def start(ack: AsyncAck, body: dict[str, Any], respond: AsyncRespond) -> None:
        await ack()
        pressed.append(body)
        await respond(replace_original=True, text="Started")

    root = slack.workspace.post(general, slack.workspace.bot, "Job")
    card = slack.workspace.post(
        general,
        slack.workspace.bot,
        "Ready?",
        blocks=[{"type": "actions", "block_id": "job", "elements": [BUTTON]}],
        thread_ts=root.ts,
    )
    ann.press(card, "Start")
    await slack.workspace.until(lambda: card.text == "Started")
    (body,) = pressed
    assert body["container"]["message_ts"] == body["message"]["ts"] == card.ts
    assert body["container"]["thread_ts"] == root.ts
    assert body["actions"][0]["value"] == "ft-1"
    assert body["actions"][0]["block_id"] == "job"
    assert body["channel"] == {"id": general.id, "name": "general"}


@pytest.mark.parametrize(("label", "value"), [("Good", "1"), ("Bad", "-1")])
async def test_feedback_is_given(slack: Slack, ann: Person, label: str, value: str) -> None:
    message = slack.workspace.post(ann.im, slack.workspace.bot, "Hello", blocks=[FEEDBACK])
    (action,) = ann.press(message, label).body["actions"]
    assert (action["type"], action["value"]) == ("feedback_buttons", value)


async def test_option_is_chosen(slack: Slack, ann: Person) -> None:
    section = {"type": "section", "text": {"type": "mrkdwn", "text": "Job"}, "accessory": OVERFLOW}
    message = slack.workspace.post(ann.im, slack.workspace.bot, "Job", blocks=[section])
    (action,) = ann.press(message, "more", "Chart").body["actions"]
    assert action["selected_option"]["value"] == "chart"
    with pytest.raises(AssertionError, match="nothing here is called Rename"):
        ann.press(message, "Rename")


async def test_press_that_is_not_acknowledged_is_lost_and_not_told_again(
    slack: Slack, ann: Person, clock: StoppedClock
) -> None:
    message = slack.workspace.post(ann.im, slack.workspace.bot, "Hello", blocks=[FEEDBACK])
    pressed = ann.press(message, "Good")
    await slack.workspace.until(lambda: pressed.attempts)
    await clock.asleep(2)
    clock.advance(3)
    await slack.workspace.until(lambda: pressed.outcome)
    assert pressed in slack.delivery.losses
    assert len(pressed.attempts) == 1


# Shortcuts and views


async def test_modal_is_opened_filled_in_and_submitted(
    slack: Slack, app: AsyncApp, ann: Person, general: Channel
) -> None:
    submitted = []

    @app.shortcut("start")
    async def start(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=MODAL)

    @app.view("start-job")
    async def submit(ack: AsyncAck, view: dict[str, Any]) -> None:
        if view["state"]["values"]["epochs"]["epochs"]["value"] == "many":
            await ack(response_action="errors", errors={"epochs": "How many?"})
            return
        submitted.append(view)
        await ack()

    ann.message_shortcut("start", slack.workspace.post(general, slack.workspace.bot, "data"))
    await slack.workspace.until(lambda: ann.modal)
    assert ann.modal
    refused = ann.submits(ann.modal, {"Model": "Small", "Epochs": "many"})
    await slack.workspace.until(lambda: refused.outcome)
    assert refused.answer["errors"] == {"epochs": "How many?"}
    assert ann.modal
    ann.submits(ann.modal, {"model": "gpt-4o-mini"})
    await slack.workspace.until(lambda: not ann.modal)
    (view,) = submitted
    chosen = view["state"]["values"]["model"]["model"]["selected_option"]
    assert chosen["value"] == "gpt-4o-mini"
    assert view["state"]["values"]["epochs"]["epochs"]["value"] == "3"
    assert view["private_metadata"] == "data.jsonl"


@pytest.mark.parametrize(("action", "modals"), [("update", 1), ("push", 2), ("clear", 0)])
async def test_bot_says_what_becomes_of_a_modal(
    slack: Slack, app: AsyncApp, ann: Person, action: str, modals: int
) -> None:
    sure = {**MODAL, "callback_id": "sure", "blocks": []}

    @app.shortcut("start")
    async def start(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=MODAL)

    @app.view("start-job")
    async def submit(ack: AsyncAck) -> None:
        await ack(response_action=action, view=None if action == "clear" else sure)

    ann.shortcut("start")
    await slack.workspace.until(lambda: ann.modal)
    assert ann.modal
    ann.submits(ann.modal, {"model": "Small"})
    await slack.delivery.settled()
    assert len(slack.workspace.stack(ann.user)) == modals
    assert not ann.modal or ann.modal.view["callback_id"] == "sure"


async def test_modal_that_is_put_away_is_told(slack: Slack, app: AsyncApp, ann: Person) -> None:
    closed = []

    @app.shortcut("start")
    async def start(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=MODAL)

    @app.view_closed("start-job")
    async def close(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        closed.append(body["is_cleared"])

    ann.shortcut("start")
    await slack.workspace.until(lambda: ann.modal)
    view = ann.modal
    assert view
    ann.closes(view)
    await slack.delivery.settled()
    assert closed == [False]
    with pytest.raises(AssertionError, match="does not stand before them"):
        ann.submits(view, {})
