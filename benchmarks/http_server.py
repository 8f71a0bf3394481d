"""A server in a process of its own, on one core: ours, or one of two floors.

    python -m benchmarks.http_server memory|relay|tunebot BASE_URL DATABASE

The floors do the least that can be called streaming an answer: one has it in memory, the other
relays the model's. They keep nothing, and take no care of who leaves or reads slowly. The first
line says the address; each line that is read is answered with what the process takes.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse

from adapters.http import Settings, create
from benchmarks.machine import peak, pin, resident
from bot import log
from bot.app import App
from bot.config import Access, Config
from bot.messages import Profile, Provider

PATH = "/api/question"
TOKENS = 60


@dataclass(frozen=True)
class Taken:
    """Processor time in seconds, and MiB of memory, now and at most."""

    cpu: float
    resident: float
    peak: float


def tell() -> None:
    """Answer each line that is read."""
    for _ in sys.stdin:
        print(json.dumps(asdict(Taken(time.process_time(), resident(), peak()))), flush=True)


def event(token: str) -> str:
    """A token as it is streamed."""
    return f"event: delta\ndata: {json.dumps({'delta': token})}\n\n"


async def from_memory(body: dict[str, object]) -> AsyncIterator[str]:  # noqa: ARG001
    """An answer that is there already."""
    for number in range(TOKENS):
        yield event(f" word{number}")


def relayed(base_url: str) -> Callable[[dict[str, object]], AsyncIterator[str]]:
    """An answer that comes from the model."""
    limits = httpx.Limits(max_connections=None)
    client = httpx.AsyncClient(timeout=60, limits=limits, trust_env=False)

    async def stream(body: dict[str, object]) -> AsyncIterator[str]:  # noqa: ARG001
        asked = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Why?"}]}
        sent = {**asked, "stream": True}
        async with client.stream("POST", f"{base_url}/chat/completions", json=sent) as response:
            async for line in response.aiter_lines():
                if line.startswith("data: {"):
                    for choice in json.loads(line[6:])["choices"]:
                        yield event(choice["delta"].get("content") or "")

    return stream


async def serve_floor(stream: Callable[[dict[str, object]], AsyncIterator[str]]) -> None:
    """Serve a floor until the process is ended."""
    app = FastAPI()

    @app.post(PATH)
    async def question(request: Request) -> StreamingResponse:
        return StreamingResponse(stream(await request.json()), media_type="text/event-stream")

    listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
    # asyncio does this only for the sockets that it made by itself.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    host, port = listener.getsockname()
    print(f"http://{host}:{port}/", flush=True)
    config = uvicorn.Config(app, log_level="warning", access_log=False)
    await uvicorn.Server(config).serve([listener])


async def serve_tunebot(base_url: str, database: Path) -> None:
    """Serve the real thing, on a real database."""
    config = Config(
        database=database,
        data_folder=str(database.parent),
        providers={"scripted": Provider("scripted", base_url=base_url)},
        profiles={"assistant": Profile("assistant", "scripted", "gpt-4o-mini", system="Be kind.")},
        access=Access(users=("*",), messages_per_minute=0),
        model_calls=1000,
    )
    settings = Settings(port=0, requests_per_minute=10**9, connections=2000)
    adapter = create("http", settings, {})
    running = asyncio.create_task(App(config, [adapter], environment={}).run())
    listening = asyncio.create_task(adapter.listening.wait())
    await asyncio.wait([running, listening], return_when=asyncio.FIRST_COMPLETED)
    print(adapter.address, flush=True)
    await running


def main() -> None:
    """Serve what the command line says."""
    pin(0)
    kind, base_url, database = sys.argv[1:]
    log.configure("WARNING")
    threading.Thread(target=tell, daemon=True).start()
    if kind == "tunebot":
        asyncio.run(serve_tunebot(base_url, Path(database)))
    else:
        asyncio.run(serve_floor(from_memory if kind == "memory" else relayed(base_url)))


if __name__ == "__main__":
    main()
