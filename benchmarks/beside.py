"""Chat while the same machine trains, and training while it chats.

    python -m benchmarks.beside [--rounds 6] [--seconds 10]

A real training of 50 rows runs at its own priority, and is held (SIGSTOP) where the chat is to be
alone. Each round has three parts in turn: both, chat alone, training alone; the medians of the
rounds are shown. The chat is one person who asks again as soon as the answer is there, over the
same HTTP that the bot uses.
"""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from statistics import median
from typing import IO, NamedTuple, cast

import click
import httpx

from benchmarks import faq
from benchmarks.machine import heading, table, target
from benchmarks.training_runs import model_file
from bot.local import LocalServer
from bot.local.training.spec import Spec
from bot.messages import Provider
from tests.local.training.tiny import lines

ROWS, EPOCHS = 50, 50  # more than is trained here in any time that is measured
TOKENS = 80  # of an answer
PARAGRAPH = (
    "The harbour of the old town has {} lamps, and each has a keeper who {} it at dusk. " * 12
)


class Answer(NamedTuple):
    """How one answer came. Seconds until the first token; tokens a second from there on."""

    wait: float
    prompt: int  # tokens
    speed: float


class Part(NamedTuple):
    """One part of a round."""

    answers: list[Answer]
    steps: float  # a second


class Training:
    """A training in a process of its own, as a job has it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.steps: list[float] = []  # when each was done
        self._process = process
        self._first = threading.Event()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        for line in cast(IO[str], self._process.stdout):
            if json.loads(line)["type"] == "metrics":
                self.steps.append(time.monotonic())
                self._first.set()

    def begun(self) -> None:
        """Return when it trains."""
        assert self._first.wait(120)

    def between(self, start: float, end: float) -> int:
        return sum(start < each <= end for each in self.steps)

    @contextmanager
    def held(self) -> Iterator[None]:
        """It does nothing for a while."""
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)


@contextmanager
def training(model: Path, folder: Path) -> Iterator[Training]:
    rows = [faq.written(*row) for row in faq.facts(ROWS, 0).learned]
    spec = Spec(
        model=model,
        training_file=lines(folder / "rows.jsonl", *rows),
        kind="completion",
        output=folder / "output",
        epochs=EPOCHS,
    )
    file = folder / "spec.json"
    file.write_text(spec.model_dump_json(), encoding="utf-8")
    command = [sys.executable, "-m", "bot.local.training", str(file)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            yield Training(process)
        finally:
            process.kill()


class Chat:
    """One person and the model."""

    def __init__(self, client: httpx.AsyncClient, model: str) -> None:
        self._client, self._model = client, model
        self._numbers = count()

    async def ask(self) -> Answer:
        """Ask what was not asked before: nothing of it is in a cache."""
        said = (
            f"Visit {next(self._numbers)}. {PARAGRAPH.format(*range(24))} Tell a long story of it."
        )
        body = {
            "model": self._model,
            "messages": [{"role": "user", "content": said}],
            "max_tokens": TOKENS,
            "temperature": 0.8,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        asked, times, prompt = time.monotonic(), [], 0
        async with self._client.stream("POST", "/chat/completions", json=body) as response:
            async for line in response.aiter_lines():
                if not line.startswith("data: {"):
                    continue
                chunk = json.loads(line.removeprefix("data: "))
                if any(each["delta"].get("content") for each in chunk["choices"]):
                    times.append(time.monotonic())
                if chunk.get("usage"):
                    prompt = chunk["usage"]["prompt_tokens"]
        return Answer(times[0] - asked, prompt, (len(times) - 1) / (times[-1] - times[0]))

    async def go_on(self, seconds: float) -> list[Answer]:
        """Ask one thing after the other for so long."""
        end, answers = time.monotonic() + seconds, []
        while time.monotonic() < end:
            answers.append(await self.ask())
        return answers


async def both(chat: Chat, trains: Training, seconds: float) -> Part:
    start = time.monotonic()
    answers = await chat.go_on(seconds)
    end = time.monotonic()
    return Part(answers, trains.between(start, end) / (end - start))


async def alone(trains: Training, seconds: float) -> Part:
    start = time.monotonic()
    await asyncio.sleep(seconds)
    return Part([], trains.between(start, time.monotonic()) / seconds)


async def measured(
    model: Path, folder: Path, rounds: int, seconds: float
) -> tuple[list[Part], list[Part], list[Part]]:
    """The parts of all rounds: both, the chat alone, the training alone."""
    server = LocalServer(Provider("local", kind="local", model_file=str(model)), folder)
    await server.start()
    try:
        with training(model, folder) as trains:
            headers = {"Authorization": f"Bearer {server.key}"}
            async with httpx.AsyncClient(
                base_url=server.base_url, headers=headers, timeout=60, trust_env=False
            ) as client:
                chat = Chat(client, server.model)
                await asyncio.to_thread(trains.begun)
                await chat.ask()
                together, talk, train = [], [], []
                for _ in range(rounds):
                    together.append(await both(chat, trains, seconds))
                    with trains.held():
                        talk.append(await both(chat, trains, seconds))
                    train.append(await alone(trains, seconds))
                return together, talk, train
    finally:
        await server.stop()


def row(name: str, parts: Sequence[Part]) -> Sequence[str]:
    """A line of the table: medians of all answers, and of all rounds."""
    answers = [answer for part in parts for answer in part.answers]
    if not answers:
        return name, "", "", "", f"{median(part.steps for part in parts):.2f}"
    return (
        name,
        f"{median(each.speed for each in answers):.0f}",
        f"{median(each.prompt / each.wait for each in answers):.0f}",
        f"{median(each.wait for each in answers):.2f}",
        f"{median(part.steps for part in parts):.2f}",
    )


@click.command()
@click.option("--rounds", default=6)
@click.option("--seconds", default=10.0, help="Of each of the three parts of a round.")
def main(rounds: int, seconds: float) -> None:
    """Measure, and print the table."""
    above = heading("benchmarks.beside", sys.argv[1:])
    with tempfile.TemporaryDirectory() as folder:
        together, talk, train = asyncio.run(measured(model_file(), Path(folder), rounds, seconds))
    columns = ("", "Tokens a second", "of the prompt", "First token, s", "Steps a second")
    rows = [row("both", together), row("chat alone", talk), row("training alone", train)]
    print(above, table(columns, rows), sep="\n\n")
    speeds = [
        median(answer.speed for part in parts for answer in part.answers)
        for parts in (together, talk)
    ]
    share = speeds[0] / speeds[1]
    print(target("chat above half its speed while training", f"{share:.0%}", met=share > 1 / 2))


if __name__ == "__main__":
    main()
