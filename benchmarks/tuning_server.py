"""A fine-tuning service with many jobs that run, in a process of its own.

    python -m benchmarks.tuning_server 200

prints its base URL, and at the end of its standard input how many requests came. Every job makes a
step every two seconds, and now and then warns: the text ends with the time of that, by
`time.monotonic_ns`.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time

from benchmarks.machine import pin
from tests.tuning_server import Job, TuningServer

STEP, STEPS = 2.0, 1000  # seconds a step
WARNING = 15.0  # seconds between two warnings of a job


async def lives(job: Job) -> None:
    """A job goes on and on, and warns now and then."""
    job.runs()
    await asyncio.sleep(random.uniform(0, STEP))
    warned = time.monotonic() - random.uniform(0, WARNING)
    for step in range(1, STEPS):
        job.step(step, STEPS, 2.0 / step)
        if time.monotonic() - warned > WARNING:
            warned = time.monotonic()
            job.tell(f"Careful {time.monotonic_ns()}", "warn")
        await asyncio.sleep(STEP)


async def serve(count: int) -> None:
    """Serve until the standard input ends."""
    async with TuningServer(key="", keep_calls=False) as server:
        file = server.keep("data.jsonl", b'{"prompt": "a", "completion": "b"}\n')
        asked = {"model": "davinci-002", "training_file": file.id}
        jobs = [server.add(asked) for _ in range(count)]
        lives_of_all = [asyncio.create_task(lives(job)) for job in jobs]
        print(server.base_url, json.dumps([job.id for job in jobs]), flush=True)
        await asyncio.to_thread(sys.stdin.read)
        print(json.dumps(server.counts), flush=True)
        for life in lives_of_all:
            life.cancel()


if __name__ == "__main__":
    pin(1)
    asyncio.run(serve(int(sys.argv[1])))
