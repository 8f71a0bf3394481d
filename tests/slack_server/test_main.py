"""A bot can be tried in front of this Slack, by hand and by a test in another process."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient


class Program:
    """A Slack in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process, http: aiohttp.ClientSession) -> None:
        self.process = process
        self._http = http

    async def line(self) -> str:
        """What it prints next."""
        assert self.process.stdout
        return (await self.process.stdout.readline()).decode().strip()

    async def ready(self) -> AsyncWebClient:
        """A client of it, once it says how to reach it."""
        token = (await self.line()).partition("=")[2]
        assert (await self.line()).startswith("export SLACK_APP_TOKEN=xapp-")
        assert (await self.line()).startswith("export SLACK_SIGNING_SECRET=")
        assert await self.line() == "[adapters.slack]"
        url = (await self.line()).split('"')[1]
        self.control = (await self.line()).removeprefix("# control: ")
        return AsyncWebClient(token, base_url=url, session=self._http)

    async def does(self, action: str, **given: Any) -> Any:
        """Pull a string."""
        async with self._http.post(f"{self.control}{action}", json=given) as answer:
            return await answer.json()

    def types(self, text: str) -> None:
        """The person says something."""
        assert self.process.stdin
        self.process.stdin.write(f"{text}\n".encode())


@asynccontextmanager
async def program() -> AsyncIterator[Program]:
    """Start it, and end it by the end of its input."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.slack_server", "--port", "0"), stdin=PIPE, stdout=PIPE
    )
    async with aiohttp.ClientSession() as http:
        yield Program(process, http)
    assert process.stdin
    process.stdin.close()
    assert await process.wait() == 0


async def test_person_at_the_keyboard_reads_a_bot() -> None:
    async with program() as slack:
        client = await slack.ready()
        ann = (await client.users_list())["members"][1]
        channel = (await client.conversations_open(users=ann["id"]))["channel"]["id"]
        slack.types("Hello")
        root = await slack.does("sees", channel=channel, text="Hello", by=ann["id"])
        stream = await client.chat_startStream(
            channel=channel, thread_ts=root["ts"], markdown_text="Hel"
        )
        assert await slack.line() == "[Hel]"
        await client.chat_stopStream(channel=channel, ts=stream["ts"], markdown_text="lo!")
        assert await slack.line() == "Hello!"
        await client.chat_postEphemeral(channel=channel, user=ann["id"], text="psst")
        assert await slack.line() == "psst"


async def test_another_process_pulls_the_strings() -> None:
    async with program() as slack:
        client = await slack.ready()
        bob = await slack.does("user", name="bob")
        channel = (await slack.does("channel", name="help", members=[bob["id"]]))["id"]
        waiting = asyncio.create_task(slack.does("sees", channel=channel, text="Hello"))
        fault = {"kind": "fail", "error": "fatal_error"}
        await slack.does("fails", method="chat.postMessage", fault=fault)
        with pytest.raises(SlackApiError, match="fatal_error"):
            await client.chat_postMessage(channel=channel, text="Hello")
        await slack.does("flood", method="chat.postMessage", seconds=600)
        with pytest.raises(SlackApiError, match="ratelimited"):
            await client.chat_postMessage(channel=channel, text="Hello")
        await slack.does("flood", method="chat.postMessage", seconds=0)
        await slack.does("configure", lengths={"text": 20})
        with pytest.raises(SlackApiError, match="msg_too_long"):
            await client.chat_postMessage(channel=channel, text="x" * 21)
        await client.chat_postMessage(channel=channel, text="Hello <!here>")
        assert (await waiting)["seen"] == "Hello <!here>"
        state = await slack.does("state")
        assert [each["seen"] for each in state["channels"][channel]["messages"]] == [
            "Hello <!here>"
        ]
        assert (state["pings"], state["violations"]) == (["here: <!here>"], [])
        assert state["calls"]["chat.postMessage fatal_error"] == 1
        assert "KeyError" in (await slack.does("nonsense"))["error"]
