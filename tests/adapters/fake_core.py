"""A core that an adapter's test can script: it behaves as bot.ports says, in memory."""

from __future__ import annotations

import asyncio
import atexit
import shutil
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from itertools import count
from pathlib import Path

from bot.errors import BotError
from bot.messages import (
    Button,
    Chunk,
    ConversationId,
    Document,
    Ending,
    IncomingMessage,
    Person,
    Profile,
    RawEvent,
    Receipt,
    ReplyTo,
    Role,
    Said,
    Spent,
    Summary,
    Turn,
    Usage,
)
from bot.ports import Adapter, Check, CommandInfo, Door, Sink

Answer = Callable[[Sink, IncomingMessage], Awaitable[None]]


async def echo(sink: Sink, message: IncomingMessage) -> None:
    """Say what was heard."""
    await sink.finish(0, f"You said: {message.text}", "")


class FakeCore:
    """Answers every message with `answer`, each in a task of its own; "/stop" sets `stopped`.

    `failures` are raised by the next calls of `receive`, `shelf_failures` by those of `shelve`, one
    each. `withdrawn` has the ids of the
    questions that nobody waits for any more, whose answers it cancels.
    """

    greeting = "Somebody answers."
    commands: Sequence[CommandInfo] = (
        CommandInfo("/help", "[COMMAND]", "Say what can be done.", operator=False),
        CommandInfo("/model", "[NAME]", "Show or change the model.", operator=False),
        CommandInfo(
            "/finetune start", "FILE MODEL", "Start a job.", operator=True, takes_file=True
        ),
    )
    profiles: Sequence[Profile] = (
        Profile("assistant", "scripted", "gpt-4o-mini", system="Be kind."),
        Profile("support", "scripted", "davinci-002", "completions", separator="\nAgent:"),
    )

    operators: Sequence[str] = ("telegram:7", "telegram:*", "terminal:*")

    def __init__(self, adapter: Adapter, answer: Answer = echo) -> None:
        self.adapter = adapter
        self.answer = answer
        self.doors: Sequence[Door] = adapter.doors
        self.checks: Sequence[Check] = (Check("database", works=True, found="answers"),)
        self.completion: Sequence[Chunk | BotError] = (
            Chunk("Hello"),
            Chunk(" there"),
            Chunk(finish="stop", usage=Usage(3, 2)),
        )
        self.completed: list[tuple[Person, Profile, Sequence[Turn]]] = []
        self.failures: list[BotError] = []
        self.received: list[IncomingMessage] = []
        self.withdrawn: list[str] = []
        self.shelf_failures: list[BotError] = []
        self.shelf: dict[int, RawEvent] = {}
        self.keys: set[str] = set()
        self.strangers: set[str] = set()
        self.moved: list[tuple[str, str, str]] = []
        self.aside: list[str] = []
        self.opinions: dict[str, int] = {}
        self.stopped = asyncio.Event()
        self._folder: Path | None = None
        self._numbers = count(1)
        self._turns: dict[ConversationId, list[Turn]] = {}
        self._said: dict[tuple[ConversationId, str], Said | None] = {}
        self._arrived = asyncio.Condition()
        self._answers: dict[asyncio.Task[None], IncomingMessage] = {}

    @property
    def files(self) -> Path:
        """A folder that goes with the tests."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="tunebot-files-"))
            atexit.register(shutil.rmtree, self._folder, ignore_errors=True)
        return self._folder

    async def receive(self, message: IncomingMessage) -> Receipt:
        """Take a message and begin its answer."""
        if self.failures:
            raise self.failures.pop(0)
        for event in message.events:
            self.shelf.pop(event, None)
        keys = set(message.keys)
        if keys & self.keys:
            return Receipt.DUPLICATE
        self.keys |= keys
        if not self.admits(message.person):
            return Receipt.REFUSED
        question = (message.conversation, message.question_id)
        if message.question_id:
            if question in self._said:
                return Receipt.DUPLICATE
            self._said[question] = None
        async with self._arrived:
            self.received.append(message)
            self._arrived.notify_all()
        if message.text == "/stop":
            self.stopped.set()
        task = asyncio.create_task(self._reply(message), name=f"answer {message.text}")
        self._answers[task] = message
        task.add_done_callback(self._answers.pop)
        return Receipt.ACCEPTED

    async def _reply(self, message: IncomingMessage) -> None:
        turn = next(self._numbers)
        person = message.person.id
        command, key = message.text.startswith("/"), f"turn-{turn}"
        to = ReplyTo(message.conversation, key, message.origin, person, answer=not command)
        heard = HeardSink(self.adapter.sink(to))
        if message.text == "/stop" and not message.question_id:
            return
        if message.text != "/stop":
            self.stopped.clear()
            await self.answer(heard, message)
        else:
            await heard.finish(0, "Stopped.", "")
        text = "".join(heard.parts.values())
        if message.question_id:
            question = (message.conversation, message.question_id)
            ending = Ending.FAILED if heard.failed else Ending.WHOLE
            self._said[question] = Said(
                to.key, text, ending, Usage(3, 2), heard.document, tuple(heard.buttons)
            )
        self._turns.setdefault(message.conversation, []).extend(
            [
                Turn(Role.USER, message.text, turn - 1, person, attachments=message.attachments),
                Turn(Role.ASSISTANT, text, turn, person),
            ]
        )
        await heard.close()

    async def shelve(
        self,
        adapter: str,  # noqa: ARG002
        events: Sequence[tuple[str, str]],
    ) -> Sequence[RawEvent | None]:
        """Keep those whose key is new."""
        if self.shelf_failures:
            raise self.shelf_failures.pop(0)
        return [self._put(key, raw) for key, raw in events]

    def _put(self, key: str, raw: str) -> RawEvent | None:
        if key and key in self.keys:
            return None
        self.keys.add(key)
        event = RawEvent(next(self._numbers), raw)
        self.shelf[event.id] = event
        return event

    async def shelved(self, adapter: str) -> Sequence[RawEvent]:  # noqa: ARG002
        """What is left."""
        return list(self.shelf.values())

    async def take_down(self, *events: RawEvent) -> None:
        """Forget them."""
        for event in events:
            self.shelf.pop(event.id, None)

    async def set_aside(self, event: RawEvent) -> None:
        """Note it."""
        await self.take_down(event)
        self.aside.append(event.raw)

    def admits(self, person: Person) -> bool:
        """Everybody but the `strangers`."""
        return person.id not in self.strangers

    async def idle(self, conversation: ConversationId) -> None:
        """Return when every answer in a conversation is given."""
        while tasks := [t for t, m in self._answers.items() if m.conversation == conversation]:
            await asyncio.wait(tasks)

    async def heard(self, text: str) -> None:
        """Return when a message with this text has arrived."""
        async with self._arrived:
            await self._arrived.wait_for(lambda: text in [each.text for each in self.received])

    async def said(self, conversation: ConversationId, question_id: str) -> Said | None:
        """What `answer` finished."""
        return self._said.get((conversation, question_id))

    async def withdraw(self, conversation: ConversationId, question_id: str) -> None:
        """Cancel the answer to a question."""
        self.withdrawn.append(question_id)
        self._said.pop((conversation, question_id), None)
        for task, message in list(self._answers.items()):
            if (message.conversation, message.question_id) == (conversation, question_id):
                task.cancel()

    async def history(
        self, conversation: ConversationId, before: int = 0, most: int = 50
    ) -> Sequence[Turn]:
        """What was said."""
        turns = self._turns.get(conversation, [])
        return [turn for turn in turns if not before or turn.id < before][-most:]

    async def chosen(self, conversation: ConversationId) -> Profile:  # noqa: ARG002
        """The first."""
        return self.profiles[0]

    async def conversations(self, adapter: str, channel: str) -> Sequence[Summary]:
        """Those in which something was said."""
        return [
            Summary(where, turns[0].text, turns[-1].at)
            for where, turns in reversed(self._turns.items())
            if (where.adapter, where.channel) == (adapter, channel)
        ]

    async def delete(self, conversation: ConversationId) -> None:
        """Forget what was said."""
        self._turns.pop(conversation, None)

    async def move(self, adapter: str, channel: str, to: str) -> None:
        """Note it."""
        self.moved.append((adapter, channel, to))

    async def feedback(
        self,
        adapter: str,  # noqa: ARG002
        channel: str,  # noqa: ARG002
        handle: str,
        person: Person,  # noqa: ARG002
        value: int,
    ) -> bool:
        """Note it under the handle; the answers of `echo` have the key as theirs."""
        self.opinions[handle] = value
        return True

    async def spent(self, person: Person) -> tuple[Spent, Spent]:  # noqa: ARG002
        """A little today, more in all."""
        return Spent(1, 10, 5, 0.25), Spent(3, 30, 15, 0.75, 1)

    async def complete(
        self, person: Person, profile: Profile, turns: Sequence[Turn]
    ) -> AsyncGenerator[Chunk, None]:
        """`completion`; an error in it is raised."""
        self.completed.append((person, profile, turns))
        for each in self.completion:
            if isinstance(each, BotError):
                raise each
            yield each

    async def ready(self) -> Sequence[Check]:
        """`checks`."""
        return self.checks


class HeardSink:
    """A sink, and what went through it."""

    def __init__(self, sink: Sink) -> None:
        self.parts: dict[int, str] = {}
        self.document: Document | None = None
        self.failed = False
        self.buttons: Sequence[Button] = ()
        self.ready = sink.ready
        self.show = sink.show
        self.retract = sink.retract
        self.close = sink.close
        self._sink = sink

    async def finish(
        self,
        part: int,
        text: str,
        handle: str,
        *,
        failed: bool = False,
        buttons: Sequence[Button] = (),
    ) -> str:
        """Note the final text."""
        self.parts[part], self.failed, self.buttons = text, failed, buttons
        return await self._sink.finish(part, text, handle, failed=failed, buttons=buttons)

    async def attach(self, document: Document) -> None:
        """Note the file."""
        self.document = document
        await self._sink.attach(document)
