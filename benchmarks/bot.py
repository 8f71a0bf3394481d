"""A bot in a process of its own, on one core, and the people who talk to it.

    python -m benchmarks.bot '{"database": …}'

prints what was measured as one line of JSON. Everything is real but the platform: its sinks take
every text at once and keep only when the first of a reply came.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from itertools import count, islice
from pathlib import Path

from benchmarks.machine import peak, pin, resident
from bot import log
from bot.app import App
from bot.config import Access, Config
from bot.messages import (
    Button,
    ConversationId,
    Document,
    IncomingMessage,
    Person,
    Profile,
    Provider,
    ReplyTo,
)
from bot.ports import Check, Core, Door, Limits

QUESTION = "What is the best way to keep a small garden green through a dry summer?"


@dataclass(frozen=True)
class Plan:
    """What is measured: messages at a steady `rate` (a second; 0: each after the last answer), then
    as many `answers` as can be had with everyone writing again as soon as they are answered.

    With `keep` the turns after that row are deleted before each message of the first part.
    """

    database: str
    base_url: str
    conversations: int
    messages: int
    answers: int
    rate: float = 0.0
    keep: int | None = None


@dataclass
class Figures:
    """What was found. `asked` is the time from a message to its request at the model, `shown` from
    the model's first token to the platform, in ms; `cpu` in ms an answer, memory in MiB.
    """

    asked: list[float] = field(default_factory=list)
    shown: list[float] = field(default_factory=list)
    answers_a_second: float = 0.0
    cpu: float = 0.0
    idle: float = 0.0
    resident: float = 0.0
    peak: float = 0.0


class NullSink:
    """Takes everything. The first text of a reply begins with the time of the model's request, and
    `origin` is the time of the message.
    """

    def __init__(self, to: ReplyTo, figures: Figures) -> None:
        self._to = to
        self._figures = figures
        self._seen = False

    async def ready(self) -> None:
        """At any time."""

    async def show(self, part: int, text: str, handle: str, *, waiting: bool = False) -> str:  # noqa: ARG002
        if not self._seen:
            self._seen = True
            now, asked = time.monotonic_ns(), int(text.split(" ", 1)[0])
            self._figures.asked.append((asked - int(self._to.origin)) / 1e6)
            self._figures.shown.append((now - asked) / 1e6)
        return handle or f"{self._to.key}.{part}"

    async def finish(
        self,
        part: int,
        text: str,
        handle: str,
        *,
        failed: bool = False,  # noqa: ARG002
        buttons: Sequence[Button] = (),  # noqa: ARG002
    ) -> str:
        return await self.show(part, text, handle)

    async def retract(self, handle: str) -> None:
        """Nothing stands anywhere."""

    async def attach(self, document: Document) -> None:
        """Nothing is kept."""

    async def close(self) -> None:
        """Nothing to release."""


class NullAdapter:
    """The people: `run` is everything that they do."""

    name = "null"
    limits = Limits()
    doors: Sequence[Door] = ()
    opens_doors = False
    people: Sequence[str] = ("bench",)
    trouble = ""

    def __init__(self, plan: Plan) -> None:
        self.figures = Figures()
        self._plan = plan
        self._keys = count()

    def sink(self, to: ReplyTo) -> NullSink:
        return NullSink(to, self.figures)

    async def check(self) -> Sequence[Check]:
        return ()

    async def close(self) -> None:
        """Nothing to release."""

    async def run(self, core: Core) -> None:
        plan, figures = self._plan, self.figures
        figures.idle = resident()
        await self._burst(core, max(plan.conversations, 50))  # connections, imports, caches
        figures.asked.clear()
        figures.shown.clear()
        if plan.rate:
            await self._steady(core)
        else:
            await self._one_by_one(core)
        seen = len(figures.asked)
        start, cpu = time.monotonic(), time.process_time()
        await self._burst(core, plan.answers)
        figures.answers_a_second = plan.answers / (time.monotonic() - start)
        figures.cpu = (time.process_time() - cpu) / plan.answers * 1000
        figures.resident, figures.peak = resident(), peak()
        del figures.asked[seen:], figures.shown[seen:]

    async def _one_by_one(self, core: Core) -> None:
        forget = forgetter(self._plan.database, self._plan.keep)
        for _ in range(self._plan.messages):
            forget()
            await self._talk(core, 0)

    async def _steady(self, core: Core) -> None:
        plan = self._plan
        start = time.monotonic()
        async with asyncio.TaskGroup() as people:
            for number in range(plan.messages):
                await asyncio.sleep(max(0.0, start + number / plan.rate - time.monotonic()))
                people.create_task(self._talk(core, number % plan.conversations))

    async def _burst(self, core: Core, answers: int) -> None:
        left = islice(count(), answers)

        async def person(number: int) -> None:
            for _ in left:
                await self._talk(core, number)

        async with asyncio.TaskGroup() as people:
            for number in range(self._plan.conversations):
                people.create_task(person(number))

    async def _talk(self, core: Core, number: int) -> None:
        """Write, and read the answer."""
        where = ConversationId(self.name, f"c{number}")
        person = Person(f"{self.name}:{number}", "Ann")
        key, now = str(next(self._keys)), str(time.monotonic_ns())
        await core.receive(IncomingMessage(where, person, QUESTION, (key,), now))
        await core.idle(where)


def forgetter(database: str, keep: int | None) -> Callable[[], None]:
    """What deletes all turns after a row, so that every message finds the same history."""

    def forget() -> None:
        if keep is not None:
            with closing(sqlite3.connect(database)) as connection, connection:
                connection.execute("DELETE FROM turns WHERE id > ?", [keep])

    return forget


def configuration(plan: Plan) -> Config:
    """The defaults, with one model, open to everyone."""
    return Config(
        database=Path(plan.database),
        data_folder=str(Path(plan.database).parent),
        providers={"scripted": Provider("scripted", base_url=plan.base_url)},
        profiles={"assistant": Profile("assistant", "scripted", "gpt-4o-mini", system="Be kind.")},
        access=Access(users=("*",), messages_per_minute=0),
    )


def main() -> None:
    """Run the plan of the command line."""
    pin(0)
    plan = Plan(**json.loads(sys.argv[1]))
    config = configuration(plan)
    log.configure(config.log_level)
    people = NullAdapter(plan)
    asyncio.run(App(config, [people], environment={}).run())
    print(json.dumps(asdict(people.figures)))


if __name__ == "__main__":
    main()
