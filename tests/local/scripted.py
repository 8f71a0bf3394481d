"""llama.cpp and the training as a test plays them: each of their processes asks the test over a
connection of its own, which ends when the process does.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import signal
import struct
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from bot.local.training import events
from bot.local.training.automatic import Chosen
from tests.ending import accept_no_more

STAND_IN = Path(__file__).with_name("stand_in")
PATIENCE = 30.0  # seconds
EVENTS = {"Content-Type": "text/event-stream", "Connection": "close"}
CHOSEN = Chosen(2, 1, 1.0, 0.003, 0.1)

Json = dict[str, Any]


class Line:
    """A connection from a process of a stand-in."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def heard(self) -> Json:
        heard: Json = json.loads(await self._reader.readline())
        return heard

    async def order(self, **what: Any) -> None:
        self._writer.write(json.dumps(what).encode() + b"\n")
        await self._writer.drain()

    async def ended(self) -> None:
        """Return when the other side has gone."""
        async with asyncio.timeout(PATIENCE):
            with suppress(ConnectionError):
                assert await self._reader.read() == b""

    def hang_up(self) -> None:
        self._writer.close()


class Listening:
    """Where the processes of a stand-in call."""

    def __init__(self) -> None:
        self.port = 0
        self._lines: list[Line] = []
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._take, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._server is not None
        await accept_no_more(self._server)
        self._server.close()
        for line in self._lines:
            line.hang_up()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = Line(reader, writer)
        self._lines.append(line)
        await self.call(line, await line.heard())

    async def call(self, line: Line, first: Json) -> None:
        """A process has called, and said what it is there for."""
        raise NotImplementedError


class Question:
    """A request that llama.cpp got. `asked` is what the stand-in tells of it."""

    def __init__(self, line: Line, asked: Json) -> None:
        self._line = line
        self.asked = asked
        self.body: Json = asked["body"]
        self._begun = False

    @property
    def used(self) -> list[str]:
        """The adapters whose scale is 1 in the request."""
        return [
            self.asked["adapters"][one["id"]][0] for one in self.body["lora"] if one["scale"] == 1
        ]

    async def says(self, word: str, **more: Any) -> None:
        """One more chunk."""
        chat = "chat" in self.asked["path"]
        choice = {"delta": {"content": word}} if chat else {"text": word}
        await self.sends({"choices": [{"index": 0, "finish_reason": None, **choice, **more}]})

    async def sends(self, chunk: Json | None) -> None:
        """A chunk as llama.cpp writes it, which may be null."""
        if not self._begun:
            self._begun = True
            await self._line.order(status=200, headers=EVENTS)
        chat = "chat" in self.asked["path"]
        head = {
            "id": "chatcmpl-1",
            "object": "chat.completion.chunk" if chat else "text_completion",
            "created": 1_700_000_000,
            "model": "itself",
        }
        await self._line.order(content=f"data: {json.dumps(chunk and head | chunk)}\n\n")

    async def ends(self) -> None:
        """The end of the answer, with its usage."""
        chat = "chat" in self.asked["path"]
        last: Json = {"index": 0, "finish_reason": "stop", "text": ""}
        if chat:
            last = {"index": 0, "finish_reason": "stop", "delta": {}}
        await self.sends({"choices": [last]})
        usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
        await self.sends({"choices": [], "usage": usage})
        await self.finishes()

    async def finishes(self) -> None:
        """Nothing more comes."""
        await self._line.order(content="data: [DONE]\n\n", end=True)

    async def sends_line(self, line: str) -> None:
        """A line that llama.cpp would not write."""
        await self._line.order(status=200, headers=EVENTS, content=f"{line}\n\n")

    async def refuses(self, status: int, error: Mapping[str, Any] | str) -> None:
        await self.answers(status, json.dumps({"error": error}))

    async def answers(self, status: int, content: str) -> None:
        """All at once."""
        headers = {"Content-Type": "application/json", "Connection": "close"}
        await self._line.order(status=status, headers=headers, content=content, end=True)

    async def embeds(self, *vectors: list[float]) -> None:
        """The embeddings of all inputs, the last one first."""
        data: list[Json] = [
            {"object": "embedding", "index": index, "embedding": written(vector, self.body)}
            for index, vector in enumerate(vectors)
        ]
        usage = {"prompt_tokens": len(vectors), "total_tokens": len(vectors)}
        told = {"object": "list", "model": "itself", "data": data[::-1], "usage": usage}
        await self.answers(200, json.dumps(told))

    async def breaks(self) -> None:
        """The connection ends in the middle of the answer."""
        await self._line.order(end=True)

    async def gone(self) -> None:
        """Return when the client of the answer has gone."""
        await self._line.ended()


def written(vector: list[float], asked: Json) -> list[float] | str:
    """A vector in the form that is asked for."""
    if asked.get("encoding_format") != "base64":
        return vector
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


class ScriptedLlama(Listening):
    """llama.cpp, which says the name of the adapter that is used. With `holds` it says nothing by
    itself: `question` is the next one. `takes_tools` is what it tells of its model's template.
    """

    def __init__(self) -> None:
        super().__init__()
        self.holds = False
        self.takes_tools = True
        self.questions: list[Question] = []
        self._held: asyncio.Queue[Question] = asyncio.Queue()

    async def question(self) -> Question:
        async with asyncio.timeout(PATIENCE):
            return await self._held.get()

    async def call(self, line: Line, first: Json) -> None:
        question = Question(line, first)
        if question.asked["path"] == "/props":
            told = {"chat_template_caps": {"supports_tools": self.takes_tools}}
            await question.answers(200, json.dumps(told))
            return
        self.questions.append(question)
        if self.holds:
            self._held.put_nowait(question)
            return
        if question.asked["embeds"]:
            inputs = question.body["input"]
            is_one = isinstance(inputs, str) or isinstance(inputs[0], int)
            count = 1 if is_one else len(inputs)
            await question.embeds(*([float(place), 0.5] for place in range(count)))
            return
        for word in (" ".join(question.used) or "base", " says", " hi"):
            await question.says(word)
        await question.ends()


class Run:
    """A training that a test plays."""

    def __init__(self, line: Line, first: Json) -> None:
        self._line = line
        self.spec: Json = first["spec"]
        self.process: int = first["process"]
        self.output = Path(self.spec["output"])

    async def tells(self, event: events.Event) -> None:
        await self._line.order(tell=event)

    async def begins(self, steps: int = 4) -> None:
        await self.tells(events.hyperparameters(CHOSEN, steps, 1000, self.spec["kind"]))

    async def steps(self, *numbers: int, of: int = 4) -> None:
        for step in numbers:
            await self.tells(events.metrics(measured(step, of)))

    async def checks_in(self, step: int, of: int = 4, content: str = "GGUF") -> Path:
        """Leave an adapter after an epoch."""
        adapter = self.adapter(step)
        adapter.parent.mkdir(parents=True, exist_ok=True)
        adapter.write_text(content)
        await self.tells(events.checkpoint(measured(step, of), adapter))
        return adapter

    async def succeeds(self, steps: int = 4) -> None:
        """From the first step to the end, in two epochs."""
        await self.begins(steps)
        for step in range(1, steps + 1):
            await self.steps(step, of=steps)
            if step in {steps // 2, steps}:
                await self.checks_in(step, of=steps)
        await self.done(steps)

    async def done(self, steps: int = 4) -> None:
        results = self.output / "results.csv"
        results.write_text("step,train_loss\n1,2.5\n")
        (self.output / "state.npz").write_bytes(bytes(1000))
        await self.tells(events.done(steps, self.adapter(steps), results, 1000))
        await self.exits(0)

    async def exits(self, status: int, complaint: str = "") -> None:
        await self._line.order(complain=complaint, exit=status)

    def dies(self) -> None:
        """The system kills it."""
        os.kill(self.process, signal.SIGKILL)

    async def ended(self) -> None:
        """Return when its process is gone."""
        await self._line.ended()

    def adapter(self, step: int) -> Path:
        return self.output / f"adapter-{step}.gguf"


def measured(step: int, of: int) -> Json:
    """The metrics of a step."""
    return {
        "step": step,
        "total_steps": of,
        "epoch": 1,
        "learning_rate": 0.003,
        "train_loss": 3 / step,
        "train_mean_token_accuracy": 0.5,
        "eta": 10.0 * (of - step),
    }


class ScriptedTrainer(Listening):
    """The training; `run` is the next one that begins, in the process that `command` starts."""

    def __init__(self) -> None:
        super().__init__()
        self._runs: asyncio.Queue[Run] = asyncio.Queue()

    @property
    def command(self) -> tuple[str, ...]:
        return sys.executable, str(STAND_IN / "trainer.py"), str(self.port)

    @property
    def waiting(self) -> int:
        """Trainings that have begun and that the test has not looked at."""
        return self._runs.qsize()

    async def run(self) -> Run:
        async with asyncio.timeout(PATIENCE):
            return await self._runs.get()

    async def call(self, line: Line, first: Json) -> None:
        self._runs.put_nowait(Run(line, first))
