"""The people in the hands of another process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncSay
from slack_sdk.web.async_client import AsyncWebClient

from tests.slack_server.bolt import bolt, connected, served
from tests.slack_server.samples import BUTTON, FEEDBACK, MODAL
from tests.slack_server.slack import Slack

Does = Callable[..., Awaitable[Any]]


@pytest.fixture
async def slack() -> AsyncIterator[Slack]:
    async with Slack(limits=None, controlled=True) as slack:
        yield slack


@pytest.fixture
async def app(slack: Slack) -> AsyncIterator[AsyncApp]:
    async with bolt(slack) as app, connected(app, slack):
        yield app


@pytest.fixture
async def does(slack: Slack) -> AsyncIterator[Does]:
    """Pull a string."""
    async with aiohttp.ClientSession() as http:

        async def do(action: str, **given: Any) -> Any:
            async with http.post(f"{slack.url}/control/{action}", json=given) as answer:
                return await answer.json()

        yield do


async def test_person_asks_and_reads_an_answer(slack: Slack, app: AsyncApp, does: Does) -> None:
    @app.event("app_mention")
    async def answer(event: dict[str, Any], say: AsyncSay) -> None:
        await say(f"Read {event['files'][0]['name']}.", thread_ts=event["ts"])

    @app.event("message")
    @app.event("reaction_added")
    async def ignore() -> None: ...

    await does("channel", name="general")
    file = {"name": "data.jsonl", "text": "{}"}
    asked = await does("says", who="ann", channel="general", text="@tunebot read", files=[file])
    assert asked["text"] == "<@U0TUNEBOT> read"
    await does("sees", channel=asked_in(slack), text="Read data.jsonl.", thread_ts=asked["ts"])
    assert (await does("reacts", who="ann", channel="general", ts=asked["ts"], name="eyes"))[
        "reactions"
    ]
    went = await does("settled")
    assert (went["payloads"], went["losses"], went["sockets"]) == (4, [], 1)
    assert len(went["acknowledgements"]) == 4


def asked_in(slack: Slack) -> str:
    """The id of the one channel."""
    (channel,) = (each for each in slack.workspace.channels.values() if each.name)
    return channel.id


async def test_person_commands_presses_and_fills_in(
    slack: Slack, app: AsyncApp, does: Does
) -> None:
    done = []

    @app.command("/finetune")
    async def finetune(ack: AsyncAck, command: dict[str, Any], say: AsyncSay) -> None:
        await ack()
        await say(text="Job", blocks=[FEEDBACK, {"type": "actions", "elements": [BUTTON]}])
        done.append(command["text"])

    @app.action("start")
    async def start(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=MODAL)

    @app.view("start-job")
    async def submit(ack: AsyncAck, view: dict[str, Any]) -> None:
        done.append(view["private_metadata"])
        await ack()

    @app.event("message")
    async def ignore() -> None: ...

    ann = slack.person("ann")
    await does("slash", who="ann", command="/finetune", text="start")
    card = await does("sees", channel=ann.im.id, text="Job")
    await does("press", who="ann", ts=card["ts"], which="Start")
    await slack.workspace.until(lambda: ann.modal)
    await does("submits", who="ann", values={"model": "Small"})
    assert (await does("settled"))["losses"] == []
    assert done == ["start", "data.jsonl"]
    assert "nothing stands" in (await does("closes", who="ann"))["error"]


async def test_connections_are_dropped_and_events_come_again(slack: Slack, does: Does) -> None:
    heard = []
    async with bolt(slack) as app, connected(app, slack, 0.5):

        @app.event("message")
        async def hear(event: dict[str, Any]) -> None:
            heard.append(event["ts"])

        said = await does("says", who="ann", text="hello")
        await does("settled")
        await does("again", who="ann", ts=said["ts"], under_another_id=True)
        await does("settled")
        await does("disconnects")
        await slack.workspace.until(lambda: slack.delivery.sockets.opened == 2)
        assert await does("drops") == {"sockets": 1}
        await slack.workspace.until(lambda: slack.delivery.sockets.opened > 2)
    async with served(app) as url:
        assert await does("posts_to", url=url) == {"verified": True}
        await does("says", who="ann", text="again")
        assert len((await does("settled"))["delivered"]) == 3
    assert len(heard) == 3


async def test_what_is_not_there_is_a_sentence(does: Does) -> None:
    assert "there is no channel" in (await does("says", who="ann", channel="x", text="y"))["error"]
    assert "there is no message 1" in (await does("stops", who="ann", ts="1"))["error"]
