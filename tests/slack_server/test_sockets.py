"""Socket Mode, with the real slack-bolt at the other end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import aiohttp
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from slack_bolt.async_app import AsyncApp, AsyncSay
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from tests.clock import StoppedClock
from tests.slack_server.bolt import bolt, connected
from tests.slack_server.server import SlackServer
from tests.slack_server.slack import Slack
from tests.slack_server.sockets import Sockets

MANY = 40


@pytest.fixture
async def app(slack: Slack) -> AsyncIterator[AsyncApp]:
    async with bolt(slack) as app:
        yield app


@pytest.fixture
def heard(app: AsyncApp) -> list[dict[str, Any]]:
    """The events that reached the app, before it acknowledged them."""
    events: list[dict[str, Any]] = []

    @app.event("message")
    async def hear(event: dict[str, Any]) -> None:
        events.append(event)

    return events


async def test_message_reaches_the_bot_and_is_answered(slack: Slack, app: AsyncApp) -> None:
    ann = slack.person("ann")

    @app.event("message")
    async def answer(event: dict[str, Any], say: AsyncSay) -> None:
        if "bot_id" not in event:
            await say(f"You said {event['text']}")

    async with connected(app, slack):
        ann.says(ann.im, "hello")
        await slack.workspace.until(lambda: slack.workspace.visible(ann.im))
        await slack.delivery.settled()
    assert slack.workspace.visible(ann.im) == ["You said hello"]
    assert not slack.delivery.losses
    assert slack.delivery.acknowledgements == [0, 0]


async def test_each_payload_goes_to_one_of_the_sockets_in_turn(
    slack: Slack, app: AsyncApp, heard: list[dict[str, Any]]
) -> None:
    ann = slack.person("ann")
    async with connected(app, slack), connected(app, slack):
        for number in range(4):
            ann.says(ann.im, f"{number}")
        await slack.delivery.settled()
    sockets = [payload.attempts[0].socket for payload in slack.delivery.payloads]
    assert sorted(sockets) == [1, 1, 2, 2]
    assert sorted(event["text"] for event in heard) == ["0", "1", "2", "3"]


async def test_refresh_of_one_of_two_sockets_loses_nothing(
    slack: Slack, app: AsyncApp, heard: list[dict[str, Any]]
) -> None:
    ann = slack.person("ann")
    async with connected(app, slack), connected(app, slack):
        for number in range(MANY):
            ann.says(ann.im, f"{number}")
            if number == MANY // 2:
                await slack.delivery.sockets.disconnect("refresh_requested")
        await slack.delivery.settled()
        await slack.workspace.until(lambda: slack.delivery.sockets.opened == 4)
    assert sorted(int(event["text"]) for event in heard) == list(range(MANY))
    assert not slack.delivery.losses
    assert set(slack.delivery.delivered.values()) == {1}


async def test_socket_that_is_to_be_left_gets_nothing_new(slack: Slack) -> None:
    ann, link = slack.person("ann"), slack.delivery.link
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(link()) as old,
        session.ws_connect(link()) as new,
    ):
        for ws in (old, new):
            await ws.receive_json()
        await slack.delivery.sockets.disconnect("refresh_requested", slack.delivery.sockets.live[0])
        for number in range(3):
            ann.says(ann.im, f"{number}")
            await new.send_json({"envelope_id": (await new.receive_json())["envelope_id"]})
        await slack.delivery.settled()
        assert (await old.receive_json())["reason"] == "refresh_requested"
    assert [payload.attempts[0].socket for payload in slack.delivery.payloads] == [2, 2, 2]


async def test_event_without_acknowledgement_comes_four_times_and_is_lost(
    slack: Slack, clock: StoppedClock
) -> None:
    ann = slack.person("ann")
    async with aiohttp.ClientSession() as session, session.ws_connect(slack.delivery.link()) as ws:
        assert (await ws.receive_json())["type"] == "hello"
        ann.says(ann.im, "hello")
        envelopes = []
        for pause in (0, 0, 60, 300):
            if pause:
                await clock.asleep()
                clock.advance(pause)
            envelopes.append(await ws.receive_json(timeout=30))
            clock.advance(3)
        await slack.delivery.settled()
    retries = [(each["retry_attempt"], each["retry_reason"]) for each in envelopes]
    assert retries == [(0, ""), (1, "timeout"), (2, "timeout"), (3, "timeout")]
    assert len({each["payload"]["event_id"] for each in envelopes}) == 1
    assert len({each["envelope_id"] for each in envelopes}) == 4
    assert clock.waits == [3, 3, 60, 3, 300, 3]
    assert [payload.outcome for payload in slack.delivery.losses] == ["lost"]


async def test_late_acknowledgement_is_noted_and_does_not_count(
    slack: Slack, clock: StoppedClock
) -> None:
    ann = slack.person("ann")
    async with aiohttp.ClientSession() as session, session.ws_connect(slack.delivery.link()) as ws:
        await ws.receive_json()
        ann.says(ann.im, "hello")
        first = await ws.receive_json()
        clock.advance(3)
        second = await ws.receive_json()
        clock.advance(1)
        await ws.send_json({"envelope_id": first["envelope_id"]})
        await slack.workspace.until(lambda: slack.delivery.acknowledgements == [4])
        assert slack.delivery.pending
        await ws.send_json({"envelope_id": second["envelope_id"]})
        await slack.delivery.settled()
    assert slack.delivery.acknowledgements == [4, 1]


async def test_app_that_fails_to_acknowledge_hears_of_it_again(
    slack: Slack, app: AsyncApp, clock: StoppedClock
) -> None:
    ann, tries, refused = slack.person("ann"), [], asyncio.Event()

    @app.middleware
    async def refuse_the_first(req: AsyncBoltRequest, next: Any) -> Any:  # noqa: A002  Bolt's name
        tries.append((req.headers["x-slack-retry-num"], req.headers["x-slack-retry-reason"]))
        if len(tries) > 1:
            return await next()
        refused.set()
        return BoltResponse(status=500)

    @app.event("message")
    async def hear() -> None: ...

    async with connected(app, slack):
        ann.says(ann.im, "hello")
        await refused.wait()
        clock.advance(3)
        await slack.delivery.settled()
    assert tries == [(["0"], [""]), (["1"], ["timeout"])]
    assert not slack.delivery.losses


async def test_message_without_a_socket_waits_for_one(
    slack: Slack, app: AsyncApp, clock: StoppedClock, heard: list[dict[str, Any]]
) -> None:
    ann = slack.person("ann")
    ann.says(ann.im, "hello")
    await clock.asleep()
    clock.advance(3)
    await slack.workspace.until(lambda: len(slack.delivery.payloads[0].attempts) == 2)
    async with connected(app, slack):
        await slack.delivery.settled()
    assert [event["text"] for event in heard] == ["hello"]
    assert list(slack.delivery.delivered.values()) == [1]


async def test_event_in_a_connection_that_breaks_comes_through_another(
    slack: Slack, clock: StoppedClock, app: AsyncApp, heard: list[dict[str, Any]]
) -> None:
    ann = slack.person("ann")
    async with aiohttp.ClientSession() as session, session.ws_connect(slack.delivery.link()) as ws:
        await ws.receive_json()
        ann.says(ann.im, "hello")
        await ws.receive_json()
        slack.delivery.sockets.live[0].drop()
        await slack.workspace.until(lambda: not slack.delivery.sockets.live)
        async with connected(app, slack):
            clock.advance(3)
            await slack.delivery.settled()
    assert [event["text"] for event in heard] == ["hello"]
    assert list(slack.delivery.delivered.values()) == [2]


@pytest.mark.parametrize("ends", ["closed", "dropped"])
async def test_app_comes_back_when_its_socket_ends(ends: str) -> None:
    heard: list[str] = []
    async with Slack() as slack, bolt(slack) as app, connected(app, slack, 0.5):

        @app.event("message")
        async def hear(event: dict[str, Any]) -> None:
            heard.append(event["text"])

        ann = slack.person("ann")
        (socket,) = slack.delivery.sockets.live
        if ends == "closed":
            await socket.close()
        else:
            socket.drop()
        await slack.workspace.until(lambda: slack.delivery.sockets.opened > 1)
        ann.says(ann.im, "hello")
        await slack.delivery.settled()
    assert heard == ["hello"]


async def test_app_leaves_a_socket_that_is_dead_without_a_word() -> None:
    async with Slack() as slack, bolt(slack) as app, connected(app, slack, 0.1):
        (socket,) = slack.delivery.sockets.live
        socket.deaf = True
        await slack.workspace.until(lambda: slack.delivery.sockets.opened > 1)


async def test_disabled_link_is_said_and_closed(slack: Slack) -> None:
    async with aiohttp.ClientSession() as session, session.ws_connect(slack.delivery.link()) as ws:
        await ws.receive_json()
        leaving = asyncio.create_task(slack.delivery.sockets.disconnect("link_disabled"))
        said = await ws.receive_json()
        assert (said["type"], said["reason"]) == ("disconnect", "link_disabled")
        assert (await ws.receive()).type is aiohttp.WSMsgType.CLOSE
        await leaving


async def test_eleventh_socket_is_sent_away(slack: Slack) -> None:
    async with aiohttp.ClientSession() as session, AsyncExitStack() as stack:
        for number in range(10):
            ws = await stack.enter_async_context(session.ws_connect(slack.delivery.link()))
            assert (await ws.receive_json())["num_connections"] == number + 1
        ws = await stack.enter_async_context(session.ws_connect(slack.delivery.link()))
        assert (await ws.receive_json())["reason"] == "too_many_websockets"
        assert (await ws.receive()).type is aiohttp.WSMsgType.CLOSE


async def test_socket_is_opened_by_the_app_level_token_alone(slack: Slack) -> None:
    client = AsyncWebClient(slack.tokens.bot, base_url=slack.api_url)
    with pytest.raises(SlackApiError, match="not_allowed_token_type"):
        await client.apps_connections_open(app_token=slack.tokens.bot)
    opened = await client.apps_connections_open(app_token=slack.tokens.app)
    assert str(opened["url"]).startswith("ws://127.0.0.1:")


async def test_socket_is_opened_with_a_ticket_alone(slack: Slack) -> None:
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await session.ws_connect(f"{slack.url}/link/?ticket=mine")


@given(st.text() | st.from_regex(r'\{"envelope_id": .{0,20}\}', fullmatch=True))
@example("[]")
@example('{"envelope_id": "1", "payload": 1}')
def test_anything_may_be_said_on_a_socket(said: str) -> None:
    slack = SlackServer()
    Sockets(slack)._acknowledge(said)
    assert len(slack.violations) <= 1


async def test_what_is_no_acknowledgement_is_a_violation(slack: Slack) -> None:
    async with aiohttp.ClientSession() as session, session.ws_connect(slack.delivery.link()) as ws:
        await ws.send_str("thanks")
        await slack.workspace.until(lambda: slack.violations)
    assert slack.violations == ["thanks is no acknowledgement"]
    slack.violations.clear()


async def test_pings_are_answered_on_both_sides(slack: Slack, app: AsyncApp) -> None:
    async with connected(app, slack) as handler:
        (socket,) = slack.delivery.sockets.live
        await socket.ping()
        await slack.workspace.until(lambda: socket.pongs == 1)
        await slack.workspace.until(lambda: handler.client.last_ping_pong_time)


async def test_what_the_manifest_does_not_name_is_not_told(clock: StoppedClock) -> None:
    async with Slack(
        now=clock.now, sleep=clock.sleep, subscriptions=["message.im", "app_mention"]
    ) as slack:
        ann = slack.person("ann")
        general = slack.workspace.channel("general", [ann.user])
        ann.says(general, "@tunebot hello")
        ann.says(ann.im, "hello")
        ann.opens_home()
        assert [payload.name for payload in slack.delivery.payloads] == ["app_mention", "message"]
