"""The least that can be called a streaming Slack bot: nothing on disk, nothing that survives.

    SLACK_BOT_TOKEN=… SLACK_APP_TOKEN=… python -m benchmarks.slack_floor API_URL BASE_URL

What it costs is the floor for `benchmarks.slack`. A crash loses everything, an event that comes
twice is answered twice, and a long answer has no end.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections import defaultdict, deque
from typing import Any

import aiohttp
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient

from benchmarks.floor_model import streamed

PAUSE = 1.0  # seconds between two appends
RETRIES = 100  # of a call that came too fast, each after the time that Slack asks for
histories: defaultdict[str, deque[dict[str, str]]] = defaultdict(lambda: deque(maxlen=50))


async def answer(event: dict[str, Any], body: dict[str, Any], client: AsyncWebClient) -> None:
    """Ask the model, show what it says in the message's thread, and remember it."""
    if event.get("subtype"):
        return
    channel, thread = event["channel"], event.get("thread_ts", event["ts"])
    history, text, unseen, ts, shown = histories[thread], "", "", "", 0.0
    history.append({"role": "user", "content": event["text"]})
    async for token in streamed(sys.argv[2], history):
        text, unseen = text + token, unseen + token
        if not unseen or time.monotonic() - shown < PAUSE:
            continue
        if ts:
            await client.chat_appendStream(channel=channel, ts=ts, markdown_text=unseen)
        else:
            started = await client.chat_startStream(
                channel=channel,
                thread_ts=thread,
                markdown_text=unseen,
                recipient_team_id=body["team_id"],
                recipient_user_id=event["user"],
            )
            ts = started["ts"]
        unseen, shown = "", time.monotonic()
    await client.chat_stopStream(channel=channel, ts=ts, markdown_text=unseen or None)
    history.append({"role": "assistant", "content": text})


async def main() -> None:
    """Listen until the process is ended."""
    async with aiohttp.ClientSession() as session:
        token = os.environ["SLACK_BOT_TOKEN"]
        client = AsyncWebClient(token, base_url=sys.argv[1], session=session)
        client.retry_handlers.append(AsyncRateLimitErrorRetryHandler(max_retry_count=RETRIES))
        app = AsyncApp(client=client, signing_secret="")
        app.event("message")(answer)
        await AsyncSocketModeHandler(app).start_async()  # type: ignore[no-untyped-call]  # Bolt's


if __name__ == "__main__":
    asyncio.run(main())
