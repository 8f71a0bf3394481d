"""A Slack whose time stands still, a client of it, and Ann in a channel with the bot."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from tests.clock import StoppedClock
from tests.slack_server import Channel, Slack, SlackServer, User


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
async def server(clock: StoppedClock) -> AsyncIterator[SlackServer]:
    async with SlackServer(now=clock.now) as server:
        yield server


@pytest.fixture
async def slack(clock: StoppedClock) -> AsyncIterator[Slack]:
    """One that tells the bot what people do."""
    async with Slack(now=clock.now, sleep=clock.sleep, limits=None) as slack:
        yield slack


@pytest.fixture
async def client(server: SlackServer) -> AsyncIterator[AsyncWebClient]:
    async with aiohttp.ClientSession() as session:
        yield AsyncWebClient(server.tokens.bot, base_url=server.api_url, session=session)


@pytest.fixture
def ann(server: SlackServer) -> User:
    return server.workspace.user("ann")


@pytest.fixture
def general(server: SlackServer, ann: User) -> Channel:
    return server.workspace.channel("general", [ann])
