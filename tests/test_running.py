"""An answer that runs can be stopped."""

from __future__ import annotations

import asyncio

from bot.running import Running


async def test_a_second_stop_while_the_first_ends_the_call_is_no_bug() -> None:
    running, begun, closing, closed = Running(), asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def call() -> None:
        async with running.stoppable():
            try:
                begun.set()
                await asyncio.Event().wait()
            finally:
                closing.set()
                await closed.wait()  # the connection takes its time to close

    task = asyncio.create_task(call())
    await begun.wait()
    running.stop()
    await closing.wait()
    running.stop()
    closed.set()
    await task
    assert running.stopped
