"""A chat platform that is remote, and so outlives the bot; and a bot that talks on it.

Everything else in the tests is real: the SQLite file, the HTTP client, the server it talks to.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import threading
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from bot.app import App
from bot.config import Config
from bot.errors import StoreBusy
from bot.messages import (
    Attachment,
    Button,
    ConversationId,
    Document,
    IncomingMessage,
    Person,
    Profile,
    Provider,
    Receipt,
    ReplyTo,
    Said,
)
from bot.ports import Check, Core, Door, Limits
from tests.clock import StoppedClock

Moment = Callable[[str], None]


def nothing(moment: str) -> None:
    """A moment at which nothing happens."""


class Wall:
    """What people see on the platform: a file of effects, each written at once and whole.

    `moment` is told before and after every effect, and may kill the process there.
    """

    def __init__(self, path: Path, moment: Moment = nothing) -> None:
        self._path = path
        self._moment = moment
        self.changed = asyncio.Event()
        self.effects: list[dict[str, Any]] = []
        self._posts: defaultdict[str, dict[str, str]] = defaultdict(dict)
        if path.exists():
            for line in path.read_text().splitlines():
                self._happens(json.loads(line))

    def effect(self, **effect: Any) -> None:
        """Something that the platform does."""
        self._moment(f"before {effect['do']}")
        file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.write(file, json.dumps(effect).encode() + b"\n")
        os.close(file)
        self._happens(effect)
        self._moment(f"after {effect['do']}")

    def _happens(self, effect: dict[str, Any]) -> None:
        posts = self._posts[effect["channel"]]
        if effect["do"] == "delete":
            posts.pop(effect["id"], None)
        else:
            posts[effect["id"]] = effect["text"]
        self.effects.append(effect)
        self.changed.set()

    def posts(self, channel: str) -> dict[str, str]:
        """The messages that stand in a channel, by id, oldest first."""
        return self._posts[channel]


class FakeAdapter:
    """An adapter whose platform edits; and, if it `looks_up`, finds what was sent under a key.

    It raises `faults` one by one, `fault_at` a part and `document_faults` at a file; `finished` has
    the parts that it was asked to finish. While `answering` is not set, the platform does what it
    is told and keeps the bot waiting for its answer.
    """

    doors: Sequence[Door] = ()
    opens_doors = False
    people: Sequence[str] = ("fake",)
    trouble = ""

    def __init__(self, wall: Wall, limits: Limits | None = None, *, looks_up: bool = True) -> None:
        self.name = "fake"
        self.wall = wall
        self.limits = limits or Limits()
        self.faults: list[Exception] = []
        self.fault_at: dict[int, Exception] = {}
        self.document_faults: list[Exception] = []
        self.documents: list[Document] = []
        self.finished: list[int] = []
        self.failed: list[str] = []
        self.closed_after: list[str] = []
        self.buttons: list[Button] = []
        self.beneath: list[str] = []
        self.looks_up = looks_up
        self.held = asyncio.Event()
        self.held.set()
        self.answering = asyncio.Event()
        self.answering.set()
        self.core: asyncio.Future[Core] = asyncio.get_running_loop().create_future()
        self.ends: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()

    async def run(self, core: Core) -> None:
        self.core.set_result(core)
        raise await self.ends

    def sink(self, to: ReplyTo) -> FakeSink:
        return FakeSink(self, to)

    async def close(self) -> None:
        self.closed_after = [effect.get("text", "") for effect in self.wall.effects]

    async def check(self) -> Sequence[Check]:
        return [Check(f"adapter {self.name}", True, "always there")]


class FakeSink:
    """Posts a message for each part, and edits it."""

    def __init__(self, adapter: FakeAdapter, to: ReplyTo) -> None:
        self._adapter = adapter
        self._to = to

    async def ready(self) -> None:
        await self._adapter.held.wait()

    async def show(self, part: int, text: str, handle: str, *, waiting: bool = False) -> str:  # noqa: ARG002
        return await self._put(part, text, handle)

    async def finish(
        self,
        part: int,
        text: str,
        handle: str,
        *,
        failed: bool = False,
        buttons: Sequence[Button] = (),
    ) -> str:
        self._adapter.finished.append(part)
        name = await self._put(part, text, handle)
        if failed:
            self._adapter.failed.append(text)
        self._adapter.buttons += buttons
        return name

    async def _put(self, part: int, text: str, handle: str) -> str:
        await asyncio.sleep(0)
        if self._to.beneath:
            self._adapter.beneath.append(self._to.beneath)
        if self._adapter.faults:
            raise self._adapter.faults.pop(0)
        if part in self._adapter.fault_at:
            raise self._adapter.fault_at.pop(part)
        wall, channel = self._adapter.wall, self._to.conversation.channel
        key = self._to.key if self._adapter.looks_up else secrets.token_hex(4)
        name = handle or f"{key}.{part}"
        if wall.posts(channel).get(name) != text:
            known = name in wall.posts(channel)
            wall.effect(do="edit" if known else "post", channel=channel, id=name, text=text)
        await self._adapter.answering.wait()
        return name

    async def retract(self, handle: str) -> None:
        channel = self._to.conversation.channel
        self._adapter.wall.effect(do="delete", channel=channel, id=handle)

    async def attach(self, document: Document) -> None:
        if self._adapter.document_faults:
            raise self._adapter.document_faults.pop(0)
        self._adapter.documents.append(document)

    async def close(self) -> None:
        """Nothing to release."""


class HeldStep:
    """A step of the store that begins, and ends when the test lets it."""

    def __init__(self, step: Callable[..., Any]) -> None:
        self._step = step
        self._begun = threading.Event()
        self._going = threading.Event()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self._begun.set()
        assert self._going.wait(20)
        return self._step(*args, **kwargs)

    async def begun(self) -> None:
        """Return once the store is at it."""
        assert await asyncio.to_thread(self._begun.wait, 20)

    def go_on(self) -> None:
        """Let it end."""
        self._going.set()


def busy(step: Callable[..., Any], times: int = 1) -> Callable[..., Any]:
    """A step of the store that meets a locked database so many times."""
    faults = [StoreBusy("The database is locked.")] * times

    def meets_a_lock(*args: Any, **kwargs: Any) -> Any:
        if faults:
            raise faults.pop()
        return step(*args, **kwargs)

    return meets_a_lock


def configuration(folder: Path, base_url: str, **changes: Any) -> Config:
    """A bot on a scripted model, open to everyone."""
    values: dict[str, Any] = {
        "database": folder / "bot.db",
        "data_folder": str(folder / "data"),
        "providers": {"scripted": Provider("scripted", base_url=base_url)},
        "profiles": {
            "assistant": Profile("assistant", "scripted", "gpt-4o-mini", system="Be kind.")
        },
        "access": {"users": ["*"], "operators": ["fake:op"], "messages_per_minute": 0},
        "shutdown_seconds": 5.0,
    }
    return Config(**{**values, **changes})


class Bot:
    """A running tunebot and the people who talk to it."""

    def __init__(self, app: App, adapter: FakeAdapter, clock: StoppedClock) -> None:
        self.app = app
        self.adapter = adapter
        self.clock = clock
        self.wall = adapter.wall

    async def receive(
        self,
        text: str,
        *,
        key: str = "",
        channel: str = "general",
        thread: str = "",
        person: str = "ann",
        question_id: str = "",
        files: Sequence[Attachment] = (),
    ) -> Receipt:
        """A person writes; the platform is told that the message arrived."""
        core = await self.adapter.core
        return await core.receive(
            IncomingMessage(
                ConversationId("fake", channel, thread),
                Person(f"fake:{person}", person.title()),
                text,
                keys=(key,) if key else (),
                attachments=tuple(files),
                question_id=question_id,
            )
        )

    async def said(self, question_id: str, channel: str = "general") -> Said | None:
        """What is kept of what was said to a question."""
        core = await self.adapter.core
        return await core.said(ConversationId("fake", channel), question_id)

    async def idle(self, channel: str = "general", thread: str = "") -> None:
        """Wait until nothing of a conversation is open."""
        core = await self.adapter.core
        async with asyncio.timeout(20):
            await core.idle(ConversationId("fake", channel, thread))

    async def hears(self, text: str, **how: Any) -> list[str]:
        """A person writes; returns the channel's messages once all is answered."""
        await self.receive(text, **how)
        await self.idle(how.get("channel", "general"), how.get("thread", ""))
        return self.says(how.get("channel", "general"))

    async def usage(self, line: str, **how: str) -> list[str]:
        """A line of /usage: answers, tokens in, tokens out, US dollars."""
        rows = (await self.hears("/usage", **how))[-1].splitlines()
        cells = {row.split("|")[1].strip(): row.split("|")[2:-1] for row in rows}
        return [cell.strip() for cell in cells[line]]

    async def sees(self, condition: Callable[[], bool]) -> None:
        """Wait until something holds on the wall; it is looked at after every effect."""
        async with asyncio.timeout(20):
            while not condition():
                self.wall.changed.clear()
                await self.wall.changed.wait()

    def says(self, channel: str = "general") -> list[str]:
        """The bot's messages in a channel."""
        return list(self.wall.posts(channel).values())


@asynccontextmanager
async def running(
    config: Config,
    *,
    limits: Limits | None = None,
    clock: StoppedClock | None = None,
    wall: Wall | None = None,
    looks_up: bool = True,
) -> AsyncIterator[Bot]:
    """A bot, from its start to its orderly end."""
    held = clock or StoppedClock()
    wall = wall or Wall(config.database.with_name("wall.jsonl"))
    adapter = FakeAdapter(wall, limits, looks_up=looks_up)
    app = App(config, [adapter], clock=held, environment={})
    task = asyncio.create_task(app.run())
    await asyncio.wait([task, adapter.core], return_when=asyncio.FIRST_COMPLETED)  # type: ignore[type-var]
    if task.done():
        await task
    try:
        yield Bot(app, adapter, held)
    finally:
        app.stop()
        async with asyncio.timeout(20):
            await task
