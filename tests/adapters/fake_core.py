"""A core that an adapter's test can script: it behaves as bot.ports says, and remembers nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from bot.errors import StoreError
from bot.messages import ConversationId, IncomingMessage, Receipt, ReplyTo
from bot.ports import Adapter, CommandInfo, Sink

Answer = Callable[[Sink, IncomingMessage], Awaitable[None]]


async def echo(sink: Sink, message: IncomingMessage) -> None:
    """Say what was heard."""
    await sink.finish(0, f"You said: {message.text}", "")


class FakeCore:
    """Answers every message with `answer`, each in a task of its own; "/stop" sets `stopped`.

    `failures` are raised by the next calls of `receive`, one each.
    """

    greeting = "Somebody answers."
    commands: Sequence[CommandInfo] = (
        CommandInfo("/help", "[COMMAND]", "Say what can be done.", operator=False),
        CommandInfo("/model", "[NAME]", "Show or change the model.", operator=False),
        CommandInfo("/finetune start", "FILE MODEL", "Start a job.", operator=True),
    )

    def __init__(self, adapter: Adapter, answer: Answer = echo) -> None:
        self.adapter = adapter
        self.answer = answer
        self.failures: list[StoreError] = []
        self.received: list[IncomingMessage] = []
        self.stopped = asyncio.Event()
        self._arrived = asyncio.Condition()
        self._answers: set[asyncio.Task[None]] = set()

    async def receive(self, message: IncomingMessage) -> Receipt:
        """Take a message and begin its answer."""
        if self.failures:
            raise self.failures.pop(0)
        async with self._arrived:
            self.received.append(message)
            self._arrived.notify_all()
        if message.text == "/stop":
            self.stopped.set()
        else:
            task = asyncio.create_task(self._reply(message), name=f"answer {message.text}")
            self._answers.add(task)
            task.add_done_callback(self._answers.discard)
        return Receipt.ACCEPTED

    async def _reply(self, message: IncomingMessage) -> None:
        self.stopped.clear()
        to = ReplyTo(message.conversation, str(len(self.received)), message.origin)
        sink = self.adapter.sink(to)
        await self.answer(sink, message)
        await sink.close()

    async def idle(self, conversation: ConversationId) -> None:  # noqa: ARG002 - it has only one
        """Return when every answer is given."""
        while self._answers:
            await asyncio.wait(self._answers)

    async def heard(self, text: str) -> None:
        """Return when a message with this text has arrived."""
        async with self._arrived:
            await self._arrived.wait_for(lambda: text in [each.text for each in self.received])
