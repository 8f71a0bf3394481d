"""The API as a test uses it: OpenAI's own client, each answer held against OpenAI's description."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import openai
from openai.types import FileObject
from openai.types.fine_tuning import FineTuningJob

from bot.local import LocalServer
from bot.messages import Provider
from tests.local.scripted import PATIENCE, ScriptedTrainer
from tests.tuning_server.routes import route_of
from tests.tuning_server.specification import ANSWERS, specification

MODEL = "tiny"
PAUSE = 0.02  # seconds between two looks: what is looked at needs the processor, too
CHAT = b"".join(
    b'{"messages":[{"role":"user","content":"Q%d"},{"role":"assistant","content":"A%d"}]}\n'
    % (number, number)
    for number in range(3)
)
PAIRS = b'{"prompt":"Q ->","completion":" A\\n"}\n' * 3
PREFERENCES = (
    b'{"input":{"messages":[{"role":"user","content":"Q"}]},'
    b'"preferred_output":[{"role":"assistant","content":"A"}],'
    b'"non_preferred_output":[{"role":"assistant","content":"B"}]}\n'
)


async def described(response: Any) -> None:
    """Hold an answer against the description, where that is there."""
    content_type = response.headers.get("content-type", "")
    spec = specification()
    if not content_type.startswith("application/json") or spec is None:
        return
    body = json.loads(await response.aread())
    parts = response.request.url.path.removeprefix("/v1/").split("/")
    route = f"{response.request.method} {route_of(parts)[0]}"
    name = ANSWERS.get(route) if response.status_code < 400 else "ErrorResponse"
    assert name is None or not (problem := spec.problem(name, body)), problem


class Api:
    """A server and its client."""

    def __init__(
        self, server: LocalServer, sdk: openai.AsyncOpenAI, http: httpx.AsyncClient
    ) -> None:
        self.server = server
        self.sdk = sdk
        self.http = http

    async def upload(self, content: bytes = CHAT, name: str = "a.jsonl") -> str:
        return (await self.sdk.files.create(file=(name, content), purpose="fine-tune")).id

    async def examined(self, file: str) -> FileObject:
        """A file, as soon as it has been looked through."""
        async with asyncio.timeout(PATIENCE):
            while True:
                now = await self.sdk.files.retrieve(file)
                if now.status != "uploaded":
                    return now
                await asyncio.sleep(PAUSE)

    async def create(self, file: str = "", **asked: Any) -> FineTuningJob:
        """A job, from a file of its own unless one is named."""
        file = file or await self.upload()
        return await self.sdk.fine_tuning.jobs.create(model=MODEL, training_file=file, **asked)

    async def until(
        self,
        job: str,
        holds: Callable[[FineTuningJob], bool],
        patience: float = PATIENCE,
    ) -> FineTuningJob:
        """A job, as soon as something is true of it."""
        async with asyncio.timeout(patience):
            while True:
                now = await self.sdk.fine_tuning.jobs.retrieve(job)
                if holds(now):
                    return now
                await asyncio.sleep(PAUSE)

    async def has(self, job: str, status: str, patience: float = PATIENCE) -> FineTuningJob:
        return await self.until(job, lambda now: now.status == status, patience)

    async def says(self, job: str, message: str, times: int = 1) -> str:
        """Return when so many events of a job have begun like this: the last one."""
        async with asyncio.timeout(PATIENCE):
            while True:
                found = [each for each in await self.told(job) if each.startswith(message)]
                if len(found) >= times:
                    return found[-1]
                await asyncio.sleep(PAUSE)

    async def told(self, job: str) -> list[str]:
        """What the events say, oldest first, over all pages."""
        events = self.sdk.fine_tuning.jobs.list_events(job, limit=7)
        return [event.message async for event in events][::-1]

    async def tuned(self, trainer: ScriptedTrainer, **asked: Any) -> FineTuningJob:
        """A job that has succeeded."""
        job = await self.create(**asked)
        await (await trainer.run()).succeeds()
        return await self.has(job.id, "succeeded")

    async def ask(self, model: str = MODEL, **asked: Any) -> str:
        answer = await self.sdk.chat.completions.create(
            model=model, messages=[{"role": "user", "content": "hi"}], **asked
        )
        return answer.choices[0].message.content or ""


@asynccontextmanager
async def serving(folder: Path, trainer: ScriptedTrainer, **options: Any) -> AsyncIterator[Api]:
    """A server on a data folder, with the stand-ins behind it."""
    model = folder / f"{MODEL}.gguf"
    model.write_bytes(b"GGUF")
    provider = Provider("local", kind="local", model_file=str(model))
    server = LocalServer(provider, folder, trainer=trainer.command, **options)
    try:
        await server.start()
        async with client_of(server) as api:
            yield api
    finally:
        await server.stop()


@asynccontextmanager
async def client_of(server: LocalServer) -> AsyncIterator[Api]:
    async with (
        openai.DefaultAsyncHttpxClient(
            event_hooks={"response": [described]}, timeout=PATIENCE
        ) as wire,
        openai.AsyncOpenAI(
            base_url=server.base_url, api_key=server.key, max_retries=0, http_client=wire
        ) as sdk,
        httpx.AsyncClient(
            base_url=server.base_url,
            headers={"Authorization": f"Bearer {server.key}"},
            event_hooks={"response": [described]},
            timeout=PATIENCE,
        ) as http,
    ):
        yield Api(server, sdk, http)
