"""What goes wrong on purpose goes wrong as it should."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from tests.slack_server import Channel, Drop, Fail, Fault, Hang, Raw, SlackServer, page


@pytest.fixture
async def client(client: AsyncWebClient) -> AsyncWebClient:
    """A client that tries nothing a second time."""
    client.retry_handlers.clear()
    return client


async def test_connection_drops_before_or_after_the_effect(
    server: SlackServer, client: AsyncWebClient, general: Channel
) -> None:
    server.fails("chat.postMessage", Drop(), channel=general.id)
    server.fails("chat.postMessage", Drop(after=True), channel=general.id)
    for text in ("lost", "its answer is lost"):
        with pytest.raises(aiohttp.ClientConnectionError):
            await client.chat_postMessage(channel=general.id, text=text)
    await client.chat_postMessage(channel=general.id, text="all is well")
    assert server.workspace.visible(general) == ["its answer is lost", "all is well"]
    outcomes = [call.outcome for call in server.workspace.called("chat.postMessage", general.id)]
    assert outcomes == ["dropped", "ok", "ok"]


async def test_call_fails_as_often_as_it_should(
    server: SlackServer, client: AsyncWebClient, general: Channel
) -> None:
    server.fails("chat.postMessage", Fail("fatal_error"), times=2)
    server.fails("", Fail(retry_after=30))
    for _ in range(2):
        with pytest.raises(SlackApiError, match="fatal_error"):
            await client.chat_postMessage(channel=general.id, text="x")
    with pytest.raises(SlackApiError) as refused:
        await client.chat_postMessage(channel=general.id, text="x")
    assert refused.value.response.headers["Retry-After"] == "30"
    await client.chat_postMessage(channel=general.id, text="x")
    assert server.workspace.visible(general) == ["x"]
    assert server.statuses["chat.postMessage", "ok"] == 1


@pytest.mark.parametrize(
    "fault",
    [
        Fail(status=503),
        page("Bad Gateway"),
        page("Maintenance", 200),
        Raw(b"{"),
        Raw(b"[]"),
    ],
)
async def test_proxy_answers_in_the_place_of_slack(
    server: SlackServer, client: AsyncWebClient, general: Channel, fault: Fault
) -> None:
    server.fails("chat.postMessage", fault)
    with pytest.raises((SlackApiError, AttributeError, TypeError)):
        await client.chat_postMessage(channel=general.id, text="x")
    assert server.workspace.visible(general) == []


async def test_call_hangs_until_it_is_let_go(
    server: SlackServer, client: AsyncWebClient, general: Channel
) -> None:
    hang = Hang(after=True)
    server.fails("chat.postMessage", hang)
    call = asyncio.create_task(client.chat_postMessage(channel=general.id, text="slow"))
    await server.workspace.until(lambda: server.workspace.visible(general) == ["slow"])
    assert not call.done()
    hang.until.set()
    assert (await call)["message"]["text"] == "slow"
    server.fails("chat.postMessage", Hang())
    call = asyncio.create_task(client.chat_postMessage(channel=general.id, text="later"))
    await server.workspace.until(lambda: len(server.workspace.calls) == 2)
    assert server.workspace.visible(general) == ["slow"]
    server.faults.release()
    await call
    assert server.workspace.visible(general) == ["slow", "later"]


@pytest.mark.parametrize(
    ("token", "error"),
    [
        ("", "not_authed"),
        ("xoxb-other", "invalid_auth"),
        ("xapp-1-A0TUNEBOT-4242-tune", "not_allowed_token_type"),
    ],
)
async def test_other_token_is_refused(server: SlackServer, token: str, error: str) -> None:
    with pytest.raises(SlackApiError, match=error):
        await AsyncWebClient(token, base_url=server.api_url).auth_test()
