"""The real slack-bolt as the bot."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from tests.ending import end
from tests.slack_server.server import SlackServer


@asynccontextmanager
async def bolt(slack: SlackServer) -> AsyncIterator[AsyncApp]:
    """An app that calls this Slack, and does not listen yet."""
    async with aiohttp.ClientSession() as session:
        client = AsyncWebClient(slack.tokens.bot, base_url=slack.api_url, session=session)
        yield AsyncApp(client=client, signing_secret=slack.tokens.signing_secret)


@asynccontextmanager
async def connected(
    app: AsyncApp, slack: SlackServer, ping_interval: float = 10.0
) -> AsyncIterator[AsyncSocketModeHandler]:
    """The app on one socket more. Every `ping_interval` seconds it looks whether that lives."""
    handler = AsyncSocketModeHandler(app, slack.tokens.app, ping_interval=ping_interval)
    try:
        await handler.connect_async()  # type: ignore[no-untyped-call]  # Bolt's
        yield handler
    finally:
        await handler.close_async()  # type: ignore[no-untyped-call]  # Bolt's


@asynccontextmanager
async def served(app: AsyncApp) -> AsyncIterator[str]:
    """The app behind a request URL."""
    runner = web.AppRunner(app.web_app("/slack/events"), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
    finally:
        await end(runner)
