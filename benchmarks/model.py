"""A model server that says when it was asked: the first token of an answer is that time.

    python -m benchmarks.model --tokens 60 --gap 0

`time.monotonic_ns` is one clock for all processes of a machine. The server runs on the second core
and only copies bytes that were made before, so that it is never what is measured.
"""

from __future__ import annotations

import asyncio
import re
import time
from functools import partial

import click

from benchmarks.machine import pin
from tests.scripted_wire import LAST, ending, event, framed, opening, stream_head, usage_event

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
NAME = "gpt-4o-mini"
PROMPT_TOKENS = 1000
DONE = framed(b"data: [DONE]\n\n")


class Connection(asyncio.Protocol):
    """One client, whose requests come one after the other. One event, and one write, a token."""

    def __init__(self, tokens: int, gap: float) -> None:
        self._gap = gap
        self._buffer = b""
        self._transport: asyncio.Transport
        self._before = stream_head("text/event-stream") + opening(NAME)
        end = ending(True, NAME, "stop") + usage_event(True, NAME, PROMPT_TOKENS, tokens)
        words = [event(True, NAME, f" word{number}") for number in range(1, tokens)]
        self._after = [*words, end + DONE + LAST]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, _, body = self._buffer.partition(b"\r\n\r\n")
        length = LENGTH.search(head)
        if length and len(body) >= int(length[1]):
            self._buffer = b""
            self._answer()

    def _answer(self) -> None:
        first = self._before + event(True, NAME, str(time.monotonic_ns()))
        if self._gap:
            self._transport.write(first)
            self._later(0)
        else:
            self._transport.write(first + b"".join(self._after))

    def _later(self, at: int) -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(self._gap, partial(self._write, at))

    def _write(self, at: int) -> None:
        self._transport.write(self._after[at])
        if at + 1 < len(self._after):
            self._later(at + 1)


async def serve(tokens: int, gap: float) -> None:
    """Say where the server is and run until the process is ended."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(tokens, gap), "127.0.0.1", 0, backlog=4096)
    port = server.sockets[0].getsockname()[1]
    click.echo(f"http://127.0.0.1:{port}/v1")
    await server.serve_forever()


@click.command()
@click.option("--tokens", default=60, help="Tokens of an answer.")
@click.option("--gap", default=0.0, help="Seconds between tokens; 0 sends all at once.")
def main(tokens: int, gap: float) -> None:
    """Serve answers; the first line says the base URL."""
    pin(1)
    asyncio.run(serve(tokens, gap))


if __name__ == "__main__":
    main()
