"""What an answer costs over HTTP, beside the least that can be called streaming one.

    python -m benchmarks.http [--quick]

Each server has one core; the model and the people share the other. An answer has 60 tokens, which
come at once where throughput is measured, and one every 10 ms elsewhere. Every question begins a
conversation. The first byte is that of the answer's text, not of the response's head. Servers take
turns: the machine's other work hits each alike.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count, islice
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from benchmarks.http_server import PATH, Taken
from benchmarks.machine import heading, percentile, pin, table, target
from benchmarks.turns import model

KINDS = {"memory": "FastAPI, from memory", "relay": "FastAPI, relaying", "tunebot": "tunebot"}
ROUNDS = 3
GAP = 0.01  # seconds between tokens
MANY = 500
COLUMNS = (
    "Server",
    "First byte, ms (p99)",
    "With 50 at once",
    "Answers a second",
    "CPU an answer, ms",
    "Resident before, MiB",
    f"With {MANY} streams",
    "After as many again",
)


@dataclass
class Figures:
    """What was found: times in ms, memory in MiB."""

    first: list[float] = field(default_factory=list)
    crowded: list[float] = field(default_factory=list)
    rate: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    memory: tuple[float, ...] = ()


class Watcher(asyncio.Protocol):
    """A client with one connection, whose questions come one after the other."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._numbers = count()
        self._seen = b""
        self._transport: asyncio.Transport
        self._asked = self.first = 0.0
        self._answered: asyncio.Future[None]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        now = time.perf_counter()
        self._seen += data
        if not self.first and b'"delta"' in self._seen:
            self.first = (now - self._asked) * 1000
        if self._seen.endswith(b"\r\n0\r\n\r\n"):
            self._answered.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._answered.done():
            self._answered.set_exception(exc or ConnectionError("The server hung up."))

    async def ask(self) -> None:
        """Ask, and read the answer to its end."""
        user = f"{id(self)}-{next(self._numbers)}"
        pars = {"user_id": user, "question": "Why?", "group_id": "1", "question_id": ""}
        body = json.dumps({"version": "1.0.0", "pars": {**pars, "stream": True}}).encode()
        head = f"POST {PATH} HTTP/1.1\r\nHost: {self._host}\r\nContent-Type: application/json\r\n"
        self._seen, self.first = b"", 0.0
        self._answered = asyncio.get_running_loop().create_future()
        self._asked = time.perf_counter()
        self._transport.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        await self._answered
        if b" 200 " not in self._seen[:20] or not self.first:
            raise RuntimeError(self._seen.decode(errors="replace"))

    def close(self) -> None:
        """Hang up."""
        self._transport.close()


class Measured:
    """A server that runs in a process of its own."""

    def __init__(self, process: subprocess.Popen[str], address: str) -> None:
        self._process = process
        self._host = urlsplit(address).netloc

    def takes(self) -> Taken:
        """What it takes now."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return Taken(**json.loads(self._process.stdout.readline()))

    async def watchers(self, number: int) -> list[Watcher]:
        """So many clients."""
        name, _, port = self._host.partition(":")
        loop = asyncio.get_running_loop()
        made = [
            await loop.create_connection(lambda: Watcher(self._host), name, int(port))
            for _ in range(number)
        ]
        return [watcher for _, watcher in made]

    async def burst(self, watchers: list[Watcher], answers: int, first: list[float]) -> None:
        """Have so many answers, everybody asking again as soon as they are answered."""
        left = islice(count(), answers)

        async def ask(watcher: Watcher) -> None:
            for _ in left:
                await watcher.ask()
                first.append(watcher.first)

        async with asyncio.TaskGroup() as group:
            for watcher in watchers:
                group.create_task(ask(watcher))
        for watcher in watchers:
            watcher.close()


@contextmanager
def server(kind: str, base_url: str, folder: str) -> Iterator[Measured]:
    """Run one."""
    database = str(Path(folder) / f"{time.monotonic_ns()}.db")
    command = [sys.executable, "-m", "benchmarks.http_server", kind, base_url, database]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as process:  # type: ignore[call-overload]
        try:
            yield Measured(process, process.stdout.readline().strip())
        finally:
            process.terminate()


async def measure_rate(one: Measured, found: Figures, answers: int) -> None:
    """50 who ask again as soon as they are answered."""
    await one.burst(await one.watchers(50), 100, [])  # connections, imports, caches
    watchers = await one.watchers(50)
    before, start = one.takes(), time.perf_counter()
    await one.burst(watchers, answers, found.crowded)
    found.rate.append(answers / (time.perf_counter() - start))
    found.cpu.append((one.takes().cpu - before.cpu) / answers * 1000)


async def measure_streams(one: Measured, found: Figures, answers: int) -> None:
    """One after the other; then very many at once, again and again."""
    await one.burst(await one.watchers(50), 100, [])
    await one.burst(await one.watchers(1), answers, found.first)
    before, peaks = one.takes(), []
    for _ in range(3):
        await one.burst(await one.watchers(MANY), MANY, [])
        peaks.append(one.takes().peak)
    found.memory = (before.resident, peaks[0], peaks[-1])


def line(kind: str, found: Figures) -> list[str]:
    """The cells of a row."""
    return [
        KINDS[kind],
        f"{median(found.first):.1f} ({percentile(found.first, 99):.1f})",
        f"{median(found.crowded):.1f} ({percentile(found.crowded, 99):.1f})",
        f"{median(found.rate):.0f}",
        f"{median(found.cpu):.2f}",
        *(f"{each:.0f}" for each in found.memory),
    ]


def targets(found: dict[str, Figures]) -> list[str]:
    """What the issue asks for, and whether it is so."""
    ours, floor = found["tunebot"], found["relay"]
    slower = median(floor.rate) / median(ours.rate)
    later = median(ours.first) / median(floor.first)
    return [
        target("answers a second within 1.5 times", f"{slower:.2f} times", met=slower <= 1.5),
        target("first byte within 1.5 times", f"{later:.2f} times", met=later <= 1.5),
        target(
            f"flat memory with {MANY} streams again and again",
            f"{ours.memory[2] - ours.memory[1]:.0f} MiB more",
            met=ours.memory[2] - ours.memory[1] < 10,
        ),
    ]


def main() -> None:
    """Print the table and the targets."""
    title = heading("benchmarks.http", sys.argv[1:])
    scale = 5 if "--quick" in sys.argv[1:] else 1
    found = {kind: Figures() for kind in KINDS}
    pin(1)
    with TemporaryDirectory(dir=".", prefix=".benchmark-") as folder:
        with model(0) as base_url:
            for kind in [*KINDS] * ROUNDS:
                with server(kind, base_url, folder) as one:
                    asyncio.run(measure_rate(one, found[kind], 2000 // scale))
        with model(GAP) as base_url:
            for kind, figures in found.items():
                with server(kind, base_url, folder) as one:
                    asyncio.run(measure_streams(one, figures, 60 // scale))
    print(f"\n{title}\n")
    print(table(COLUMNS, [line(kind, each) for kind, each in found.items()]))
    print("", *targets(found), sep="\n")


if __name__ == "__main__":
    main()
