"""What committing together gives: steps a second, and how long each takes to be durable.

    python -m benchmarks.store [--quick]

A step takes a message in. Each writer waits until its step is on the disk before the next one.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.machine import heading, percentile, pin, table
from bot.messages import ConversationId, IncomingMessage, Person
from bot.ports import SystemClock
from bot.store import Store, database, inbox

TOGETHER = database.MOST_STEPS
COLUMNS = ("Writers", "Steps in a commit", "Steps a second", "Until durable, ms (p99)")
STEPS = {1: 1000, 50: 5000, 500: 10_000}


async def measure(path: Path, writers: int, steps: int) -> tuple[float, list[float]]:
    """Steps a second, and the ms that each took."""
    store = Store(path, SystemClock())
    await store.open()
    took: list[float] = []
    left = islice(count(), steps)
    start = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for number in range(writers):
            group.create_task(write(store, number, left, took))
    seconds = time.monotonic() - start
    await store.close()
    return steps / seconds, took


async def write(store: Store, writer: int, left: Iterator[int], took: list[float]) -> None:
    """Take messages in, one after the other."""
    where, person = ConversationId("null", f"c{writer}"), Person(f"null:{writer}")
    for number in left:
        start = time.monotonic()
        message = IncomingMessage(where, person, "How are you?", (str(number),))
        await store.do(inbox.take_in, message, start)
        took.append((time.monotonic() - start) * 1000)


def main() -> None:
    """Print the table."""
    title = heading("benchmarks.store", sys.argv[1:])
    pin(0)
    quick = "--quick" in sys.argv[1:]
    rows = []
    with TemporaryDirectory(dir=".", prefix=".benchmark-") as folder:
        for writers, steps in STEPS.items():
            for most in (1, TOGETHER):
                database.MOST_STEPS = most
                path = Path(folder) / f"{writers}-{most}.db"
                rate, took = asyncio.run(measure(path, writers, steps // (4 if quick else 1)))
                latency = f"{median(took):.1f} ({percentile(took, 99):.1f})"
                rows.append(
                    [f"{writers}", "1" if most == 1 else f"up to {most}", f"{rate:.0f}", latency]
                )
    print(f"\n{title}\n")
    print(table(COLUMNS, rows))


if __name__ == "__main__":
    main()
