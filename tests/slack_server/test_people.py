"""What people do, as the real slack-bolt hears it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncSay
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from tests.slack_server.bolt import bolt, connected
from tests.slack_server.people import Person
from tests.slack_server.samples import BUTTON
from tests.slack_server.slack import Slack
from tests.slack_server.values import Channel, Json


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


def told(slack: Slack) -> list[Json]:
    """The events that the bot was told, oldest first."""
    return [payload.body["event"] for payload in slack.delivery.payloads]


# Messages


async def test_mention_in_a_channel_is_told_twice_and_answered_in_its_thread(
    slack: Slack, app: AsyncApp, ann: Person, general: Channel
) -> None:
    @app.event("app_mention")
    async def answer(event: dict[str, Any], say: AsyncSay) -> None:
        await say("Hello", thread_ts=event["ts"])

    @app.event("message")
    async def ignore() -> None: ...

    asked = ann.says(general, "@tunebot hello")
    await slack.workspace.until(lambda: slack.workspace.visible(general))
    await slack.delivery.settled()
    mention, message, answered = slack.delivery.payloads
    assert asked.text == f"<@{slack.workspace.bot.id}> hello"
    assert (mention.name, message.name) == ("app_mention", "message")
    assert mention.body["event_id"] != message.body["event_id"]
    assert mention.body["event"]["ts"] == message.body["event"]["ts"] == asked.ts
    assert mention.body["event"]["client_msg_id"] == message.body["event"]["client_msg_id"]
    assert "channel_type" not in mention.body["event"]
    assert answered.body["event"]["bot_id"] == slack.workspace.bot.bot_id
    assert answered.body["event"]["user"] == slack.workspace.bot.id
    assert answered.body["event"]["thread_ts"] == asked.ts
    assert answered.body["event"]["parent_user_id"] == ann.id


async def test_message_carries_what_slack_sends(slack: Slack, ann: Person) -> None:
    ann.says(ann.im, "@tunebot a < b")
    (payload,) = slack.delivery.payloads
    event = payload.body["event"]
    assert payload.body["authorizations"][0]["user_id"] == slack.workspace.bot.id
    assert event["channel_type"] == "im"
    assert event["team"] == slack.workspace.team
    assert event["text"] == "<@U0TUNEBOT> a &lt; b"
    assert event["blocks"][0]["elements"][0]["elements"] == [
        {"type": "user", "user_id": "U0TUNEBOT"},
        {"type": "text", "text": " a < b"},
    ]


async def test_kinds_of_channels_and_messages_are_told_apart(
    slack: Slack, ann: Person, general: Channel
) -> None:
    group = slack.workspace.channel("secret", [ann.user], kind="private")
    root = ann.says(general, "root")
    ann.says(group, "here")
    ann.says(general, "for all", thread_ts=root.ts, broadcast=True)
    ann.says(general, "look", files=[ann.file("data.jsonl", b"{}")])
    slack.integration("deploys").says(general, "done", subtype="bot_message")
    kinds = [(event["channel_type"], event.get("subtype")) for event in told(slack)]
    assert kinds == [
        ("channel", None),
        ("group", None),
        ("channel", "thread_broadcast"),
        ("channel", "file_share"),
        ("channel", "bot_message"),
    ]
    _, _, broadcast, shared, posted = told(slack)
    assert broadcast["root"]["ts"] == root.ts
    assert shared["files"][0]["name"] == "data.jsonl"
    assert posted["bot_id"].startswith("B")
    assert "user" not in posted


async def test_edit_and_deletion_are_told_with_what_was_there(slack: Slack, ann: Person) -> None:
    message = ann.says(ann.im, "helo")
    ann.edits(message, "hello")
    ann.deletes(message)
    _, changed, deleted = told(slack)
    assert changed["subtype"] == "message_changed"
    assert changed["message"]["text"] == "hello"
    assert changed["previous_message"]["text"] == "helo"
    assert deleted["subtype"] == "message_deleted"
    assert deleted["deleted_ts"] == message.ts
    assert deleted["previous_message"]["text"] == "hello"


@pytest.mark.parametrize("another", [False, True])
async def test_message_is_told_again_on_demand(
    slack: Slack, app: AsyncApp, ann: Person, another: bool
) -> None:
    heard = []

    @app.event("message")
    async def hear(event: dict[str, Any]) -> None:
        heard.append(event["client_msg_id"])

    message = ann.says(ann.im, "hello")
    slack.delivery.again(message, under_another_id=another)
    await slack.delivery.settled()
    assert len(heard) == 2
    assert len(set(heard)) == 1
    assert sorted(slack.delivery.delivered.values()) == ([1, 1] if another else [2])


async def test_what_happens_where_the_bot_is_not_is_not_told(slack: Slack, ann: Person) -> None:
    elsewhere = slack.workspace.channel("elsewhere", [ann.user], with_bot=False)
    ann.says(elsewhere, "@tunebot hello")
    assert not slack.delivery.payloads
    ann.invites_bot(elsewhere)
    ann.says(elsewhere, "hello")
    assert [event.get("subtype", event["type"]) for event in told(slack)] == [
        "channel_join",
        "member_joined_channel",
        "message",
    ]


# Other events


async def test_reactions_are_told(slack: Slack, ann: Person) -> None:
    message = slack.workspace.post(ann.im, slack.workspace.bot, "Hello")
    ann.reacts(message, "thumbsup")
    ann.unreacts(message, "thumbsup")
    _, added, removed = told(slack)
    assert (added["type"], removed["type"]) == ("reaction_added", "reaction_removed")
    assert added["item"] == {"type": "message", "channel": ann.im.id, "ts": message.ts}
    assert added["item_user"] == slack.workspace.bot.id
    assert not message.reactions


async def test_stop_ends_the_stream_and_is_told(slack: Slack, app: AsyncApp, ann: Person) -> None:
    stopped = []

    @app.event("agent_session_stopped")
    async def stop(event: dict[str, Any]) -> None:
        stopped.append(event)

    @app.event("message")
    async def ignore() -> None: ...

    asked = ann.says(ann.im, "hello")
    begun = await app.client.chat_startStream(
        channel=ann.im.id, thread_ts=asked.ts, markdown_text="Hel"
    )
    message = slack.workspace.find(ann.im.id, str(begun["ts"]))
    assert message
    ann.stops(message)
    with pytest.raises(SlackApiError, match="stopped_by_user"):
        await app.client.chat_appendStream(channel=ann.im.id, ts=message.ts, markdown_text="lo")
    await slack.delivery.settled()
    assert stopped[0]["streaming_message_ts"] == [message.ts]
    assert (stopped[0]["channel"], stopped[0]["thread_ts"]) == (ann.im.id, asked.ts)


async def test_opened_home_shows_the_view_that_was_published(
    slack: Slack, app: AsyncApp, ann: Person
) -> None:
    pressed = []

    @app.event("app_home_opened")
    async def show(event: dict[str, Any], client: AsyncWebClient) -> None:
        blocks = [{"type": "actions", "elements": [BUTTON]}]
        await client.views_publish(user_id=event["user"], view={"type": "home", "blocks": blocks})

    @app.action("start")
    async def start(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        pressed.append(body)

    ann.opens_home()
    await slack.workspace.until(lambda: ann.home)
    assert ann.home
    ann.press(ann.home, "Start")
    ann.opens_home()
    ann.opens_home("messages")
    await slack.delivery.settled()
    assert pressed[0]["container"] == {"type": "view", "view_id": ann.home.id}
    views = [event.body["event"].get("view") for event in slack.delivery.told("app_home_opened")]
    assert [bool(view) for view in views] == [False, True, False]


async def test_events_of_the_app_itself_are_told(
    slack: Slack, ann: Person, general: Channel
) -> None:
    root = ann.starts_thread(general)
    ann.looks_at(general)
    ann.looks_at(None)
    ann.uninstalls()
    _, started, looked, nowhere, revoked, uninstalled = told(slack)
    assert started["assistant_thread"]["thread_ts"] == root.ts
    assert started["assistant_thread"]["context"]["channel_id"] == general.id
    assert looked["context"]["entities"][0]["value"] == general.id
    assert nowhere["context"] == {}
    assert revoked["tokens"] == {"oauth": [], "bot": [slack.workspace.bot.id]}
    assert uninstalled["type"] == "app_uninstalled"
