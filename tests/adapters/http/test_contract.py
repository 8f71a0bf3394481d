"""The HTTP adapter keeps the contract of all adapters, before the eyes of who uses the page."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import count
from typing import Any

import httpx
import pytest
from httpx_sse import aconnect_sse

from adapters.http import Http, Settings
from adapters.http.keys import Keys
from bot.messages import (
    Button,
    ConversationId,
    Document,
    IncomingMessage,
    Receipt,
    ReplyTo,
    Said,
)
from bot.ports import Sink
from tests.adapters.contract import AdapterContract
from tests.adapters.fake_core import FakeCore, HeardSink
from tests.adapters.http.stage import ended

ROOM = "/api/page/conversations/room"
WHERE = ConversationId("http", "page:", "room")


@dataclass
class Memory:
    """What the core knows of one reply."""

    parts: dict[tuple[str, int], str] = field(default_factory=dict)
    document: Document | None = None


class RememberedSink(HeardSink):
    """A sink of which a memory holds what was finished, as the core's does."""

    def __init__(self, sink: Sink, memories: dict[str, Memory], key: str) -> None:
        super().__init__(sink)
        self._memories = memories
        self._key = key

    async def finish(
        self,
        part: int,
        text: str,
        handle: str,
        *,
        failed: bool = False,
        buttons: Sequence[Button] = (),
    ) -> str:
        handle = await super().finish(part, text, handle, failed=failed, buttons=buttons)
        self._memories.setdefault(handle, Memory()).parts[handle, part] = text
        return handle

    async def attach(self, document: Document) -> None:
        await super().attach(document)
        self._memories[self._key].document = document


class RememberedHttp(Http):
    """The adapter, with a core's memory of its replies by their keys, which are their ids here."""

    def __init__(self) -> None:
        super().__init__("http", Settings(port=0), Keys({}))
        self.memories: dict[str, Memory] = {}

    def sink(self, to: ReplyTo) -> Sink:
        return RememberedSink(super().sink(to), self.memories, to.key)


class RememberingCore(FakeCore):
    """A core that was started anew: it has nothing but its memories."""

    async def receive(self, message: IncomingMessage) -> Receipt:
        if await self.said(message.conversation, message.question_id):
            return Receipt.DUPLICATE
        return await super().receive(message)

    async def said(self, conversation: ConversationId, question_id: str) -> Said | None:
        assert conversation == WHERE
        assert isinstance(self.adapter, RememberedHttp)
        memory = self.adapter.memories.get(question_id)
        if memory is None:
            return await super().said(conversation, question_id)
        return Said(question_id, "\n\n".join(memory.parts.values()), document=memory.document)


class Words(HTMLParser):
    """The text of HTML."""

    def __init__(self) -> None:
        super().__init__()
        self.text = ""

    def handle_data(self, data: str) -> None:
        self.text += data


class HttpStage:
    """A person who asks through the page, and asks again for what was said while nobody waited."""

    def __init__(self) -> None:
        self.adapter = RememberedHttp()
        self._numbers = count(1)
        self._asking: asyncio.Task[list[str]] | None = None

    def reply(self) -> ReplyTo:
        key = f"turn-{next(self._numbers)}"
        return ReplyTo(WHERE, key, f"mark {key}", "http:page")

    async def listening(self) -> None:
        await self.adapter.listening.wait()

    async def says(self, *texts: str) -> None:
        await self.listening()
        self._asking = asyncio.create_task(self._says(texts))

    async def _says(self, texts: Sequence[str]) -> list[str]:
        return [await self._ask(f"said-{text[1:]}", text) for text in texts]

    async def seen(self) -> str:
        if self._asking:
            return "\n".join(await self._asking)
        async with self._started():
            return "\n".join([await self._ask(key, "again") for key in self.adapter.memories])

    async def files(self) -> dict[str, bytes]:
        found = {}
        async with self._started(), self._client() as client:
            for key, memory in self.adapter.memories.items():
                if memory.document:
                    response = await client.get(f"{ROOM}/documents/{key}")
                    found[memory.document.name] = response.content
        return found

    @asynccontextmanager
    async def _started(self) -> AsyncIterator[None]:
        run = asyncio.create_task(self.adapter.run(RememberingCore(self.adapter)))
        await self.listening()
        try:
            yield
        finally:
            await ended(run)

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self.adapter.address, timeout=10)

    async def _ask(self, question_id: str, text: str) -> str:
        """What stands on the page in the end."""
        blocks: list[str] = []
        body = {"question_id": question_id, "text": text}
        async with (
            self._client() as client,
            aconnect_sse(client, "POST", f"{ROOM}/messages", json=body) as source,
        ):
            async for event in source.aiter_sse():
                data: dict[str, Any] = json.loads(event.data)
                if event.event == "failed":
                    return str(data["message"])
                if data.get("start") is not None:
                    blocks[data["start"] :] = data["html"]
        words = Words()
        words.feed("\n".join(blocks))
        words.close()
        return words.text


@pytest.fixture
async def stage() -> AsyncIterator[HttpStage]:
    stage = HttpStage()
    yield stage
    await stage.adapter.close()


class TestPageKeepsTheContract(AdapterContract):
    """See tests/adapters/contract.py."""
