"""What an answer costs before anything is kept: the same streams, read by a client alone.

    python -m benchmarks.floor [--quick]

The difference to `benchmarks.turns` is what memory, order and delivery cost.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing, asynccontextmanager
from itertools import count, islice
from typing import Any

import aiohttp

from benchmarks.bot import QUESTION
from benchmarks.machine import heading, pin, table
from benchmarks.turns import model
from bot.messages import Profile, Provider
from bot.models.client import HttpModelClient
from bot.ports import SystemClock

READERS = 50
COLUMNS = ("Client", "Answers a second", "CPU an answer, ms")
BODY: dict[str, Any] = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": QUESTION}]}

Ask = Callable[[], Awaitable[str]]


@asynccontextmanager
async def bare(base_url: str) -> AsyncIterator[Ask]:
    """aiohttp and json, without a thought of what may go wrong."""
    async with aiohttp.ClientSession() as session:

        async def ask() -> str:
            text = ""
            body = {**BODY, "stream": True}
            async with session.post(f"{base_url}/chat/completions", json=body) as response:
                async for line in response.content:
                    if line.startswith(b"data: {"):
                        for choice in json.loads(line[6:])["choices"]:
                            text += choice["delta"].get("content", "")
            return text

        yield ask


@asynccontextmanager
async def ours(base_url: str) -> AsyncIterator[Ask]:
    """The model client of the bot."""
    provider = Provider("scripted", base_url=base_url)
    client = HttpModelClient({"scripted": provider}, {}, SystemClock())
    profile = Profile("assistant", "scripted", "gpt-4o-mini")

    async def ask() -> str:
        async with aclosing(client.stream(profile, BODY)) as chunks:
            return "".join([chunk.text async for chunk in chunks])

    yield ask
    await client.aclose()


async def measure(ask: Ask, answers: int) -> tuple[float, float]:
    """Answers a second, and the ms of processor time for each."""
    await read(ask, islice(count(), READERS))
    left = islice(count(), answers)
    start, cpu = time.monotonic(), time.process_time()
    async with asyncio.TaskGroup() as group:
        for _ in range(READERS):
            group.create_task(read(ask, left))
    seconds = time.monotonic() - start
    return answers / seconds, (time.process_time() - cpu) / answers * 1000


async def read(ask: Ask, left: Iterator[int]) -> None:
    """Ask again and again."""
    for _ in left:
        assert (await ask()).endswith("word59")


async def compare(base_url: str, answers: int) -> list[list[str]]:
    """A row for each client."""
    rows = []
    for name, client in {"bare aiohttp": bare, "the bot's model client": ours}.items():
        async with client(base_url) as ask:
            rate, cpu = await measure(ask, answers)
        rows.append([name, f"{rate:.0f}", f"{cpu:.2f}"])
    return rows


def main() -> None:
    """Print the table."""
    title = heading("benchmarks.floor", sys.argv[1:])
    answers = 500 if "--quick" in sys.argv[1:] else 2000
    with model(0.0) as base_url:
        pin(0)
        rows = asyncio.run(compare(base_url, answers))
    print(f"\n{title}\n")
    print(table(COLUMNS, rows))


if __name__ == "__main__":
    main()
