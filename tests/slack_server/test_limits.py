"""Who calls too fast is refused as by the real Slack."""

from __future__ import annotations

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from tests.clock import StoppedClock
from tests.shared import shared
from tests.slack_server import Channel, SlackServer
from tests.slack_server.limits import TIERS
from tests.slack_server.specification import METHODS


async def test_channel_takes_a_message_a_second(
    server: SlackServer, client: AsyncWebClient, general: Channel, clock: StoppedClock
) -> None:
    other = server.workspace.channel("other")
    for _ in range(3):
        await client.chat_postMessage(channel=general.id, text="x")
    with pytest.raises(SlackApiError) as refused:
        await client.chat_postMessage(channel=general.id, text="x")
    answer = refused.value.response
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1")
    assert answer.data == {"ok": False, "error": "ratelimited"}
    await client.chat_postMessage(channel=other.id, text="x")
    for _ in range(5):
        clock.advance(1)
        await client.chat_postMessage(channel=general.id, text="x")
    assert server.rates.refused == {"chat.postMessage": 1}


async def test_tier_holds_for_a_method_in_the_whole_workspace(
    client: AsyncWebClient, general: Channel, clock: StoppedClock
) -> None:
    for number in range(20):
        await client.users_list(limit=1 + number)
    with pytest.raises(SlackApiError) as refused:
        await client.users_list()
    assert refused.value.response.headers["Retry-After"] == "3"
    await client.conversations_info(channel=general.id)
    clock.advance(3)
    await client.users_list()


async def test_flooded_method_takes_nothing_for_as_long_as_it_says(
    server: SlackServer, client: AsyncWebClient, general: Channel, clock: StoppedClock
) -> None:
    server.rates.limits = None
    server.rates.flood("chat.postMessage", 30)
    with pytest.raises(SlackApiError) as refused:
        await client.chat_postMessage(channel=general.id, text="x")
    assert refused.value.response.headers["Retry-After"] == "30"
    clock.advance(30)
    for _ in range(9):
        await client.chat_postMessage(channel=general.id, text="x")


def test_tiers_are_those_that_slack_describes() -> None:
    described = shared(METHODS)
    for method, tier in TIERS.items():
        assert described[method]["rate_limits"] == f"t{tier or 5}", method
