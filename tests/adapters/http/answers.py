"""Answers that grow as a test says, and clients that ask for them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx

from adapters.http.exchanges import NAME
from bot.messages import ConversationId, IncomingMessage, Person
from bot.ports import Sink
from tests.adapters.fake_core import FakeCore

WHERE = ConversationId(NAME, "group:456", "123")


def question(text: str = "Why?", question_id: str = "q", **more: Any) -> dict[str, Any]:
    """The body of a request."""
    pars = {"user_id": "123", "question": text, "group_id": "456", "question_id": question_id}
    return {"version": "1.0.0", "pars": {**pars, **more}}


def message(text: str = "Why?", question_id: str = "q") -> IncomingMessage:
    """The same, as the core gets it."""
    return IncomingMessage(WHERE, Person(f"{NAME}:123"), text, question_id=question_id)


class Growing:
    """Shows each text that the test gives, and finishes with the last one before `end`."""

    def __init__(self) -> None:
        self.sinks: list[Sink] = []
        self._texts: asyncio.Queue[str | None] = asyncio.Queue()
        self._begun = asyncio.Event()

    async def __call__(self, sink: Sink, message: IncomingMessage) -> None:  # noqa: ARG002
        self.sinks.append(sink)
        self._begun.set()
        text = ""
        while (grown := await self._texts.get()) is not None:
            text = grown
            await sink.show(0, text, "")
            self._texts.task_done()
        await sink.finish(0, text, "")

    async def begun(self) -> None:
        """Return once somebody asked."""
        await asyncio.wait_for(self._begun.wait(), 10)

    async def show(self, text: str) -> None:
        """Show this, now."""
        self._texts.put_nowait(text)
        await self._texts.join()

    def end(self) -> None:
        """Finish."""
        self._texts.put_nowait(None)


class Withdrawals:
    """The questions that are withdrawn from a core, as they are."""

    def __init__(self, core: FakeCore) -> None:
        self._withdraw = core.withdraw
        self._ids: asyncio.Queue[str] = asyncio.Queue()
        core.withdraw = self._note  # type: ignore[method-assign]

    async def _note(self, conversation: ConversationId, question_id: str) -> None:
        await self._withdraw(conversation, question_id)
        self._ids.put_nowait(question_id)

    async def next(self) -> str:
        """The next one."""
        return await asyncio.wait_for(self._ids.get(), 10)


async def events(response: httpx.Response) -> AsyncIterator[tuple[str, Any]]:
    """The events of a stream, without comments."""
    name = ""
    async for line in response.aiter_lines():
        field, _, value = line.partition(": ")
        if field == "event":
            name = value
        elif field == "data":
            yield name, json.loads(value)
