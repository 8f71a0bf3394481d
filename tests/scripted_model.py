"""A model server on the loopback that answers as a script says: OpenAI's API, no model.

    python -m tests.scripted_model --tokens 60 --rate 0

Without a script every answer is "You said: " and the last thing that the person said. A token is a
word with the space before it.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any, Self

import click

from tests.ending import accept_no_more
from tests.scripted_wire import (
    LAST,
    ending,
    event,
    framed,
    opening,
    problem,
    response,
    stream_head,
    usage,
    usage_event,
    whole,
)

TOKEN = re.compile(r"\s*\S+|\s+\Z")

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Request:
    """What a client sent. Header names are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any
    content: bytes = b""


@dataclass(frozen=True, slots=True)
class Answer:
    """A streamed answer. Without `text` and `chunks` it is the default reply.

    `hold` stops the stream before its chunk number `hold_at` (-1: before the headers) until the
    event is set; `drop_at` cuts the connection instead of that chunk. `ends` is False for a server
    that leaves the connection open after the last event.
    """

    text: str | None = None
    chunks: Sequence[str] | None = None
    finish: str | None = "stop"
    usage: bool = True
    done: bool = True
    ignore_stops: bool = False
    hold: asyncio.Event | None = None
    hold_at: int = 0
    drop_at: int | None = None
    ends: bool = True


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error. `body` is sent as JSON unless it is text; None makes one in OpenAI's form."""

    status: int
    message: str = "The scripted model refuses."
    code: str | None = None
    type: str = "invalid_request_error"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None


@dataclass(frozen=True, slots=True)
class Raw:
    """Bytes exactly as they are, after headers of status 200.

    `pieces` are written one by one. Without `ends` the connection is cut after them.
    """

    pieces: Sequence[bytes]
    content_type: str = "text/event-stream"
    ends: bool = True
    hold: asyncio.Event | None = None


@dataclass(frozen=True, slots=True)
class Drop:
    """The connection is cut before any header."""


Step = Answer | Refusal | Raw | Drop


class ScriptedModel:
    """A server for one test: `async with ScriptedModel() as model: … model.base_url`.

    `script` says what the next requests get, in order; when it is used up, `reply` says it, and
    without it the echo. `key` refuses requests with another. `tokens` lengthens every echo to so
    many; `rate` is in tokens a second and answer, 0 for at once. `requests` has every request that
    came, unless `keep` is False; `disconnects` counts the clients that left before their end.
    Chats of more than `window` tokens, if it is above 0, are refused; `count` counts those of a
    text.
    """

    def __init__(
        self, *, key: str = "", tokens: int = 0, rate: float = 0.0, port: int = 0, keep: bool = True
    ) -> None:
        self.key = key
        self.tokens = tokens
        self.rate = rate
        self.port = port
        self.keep = keep
        self.window = 0
        self.count: Callable[[str], int] = len
        self.transcripts: deque[str] = deque()
        self.models = ["gpt-4o-mini", "gpt-4o", "davinci-002"]
        self.requests: list[Request] = []
        self.steps: deque[Step] = deque()
        self.answers = 0
        self.disconnects = 0
        self.running = 0
        self.max_concurrent = 0
        self.open: set[Connection] = set()
        self._reply: Callable[[Body], str] | None = None
        self._changed = asyncio.Event()
        self._server: asyncio.Server | None = None

    @property
    def base_url(self) -> str:
        """Where OpenAI's API is: ends with /v1."""
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def bodies(self) -> list[Any]:
        """The bodies of all requests that were kept."""
        return [request.body for request in self.requests if request.method == "POST"]

    def reply(self, reply: str | Callable[[Body], str]) -> None:
        """Answer this from now on, or what this makes of the request's body."""
        self._reply = reply if callable(reply) else lambda _body: reply

    def script(self, *steps: Step) -> None:
        """Answer the next requests so, one step each."""
        self.steps.extend(steps)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Return when the condition holds; looked at as clients come, are served and leave."""
        while not condition():
            self._changed.clear()
            await self._changed.wait()

    def changed(self) -> None:
        """Wake those who wait in `until`."""
        self._changed.set()

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: Connection(self), "127.0.0.1", self.port, backlog=4096
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        await accept_no_more(self._server)
        self._server.close()
        tasks = [connection.task for connection in self.open if connection.task]
        for connection in list(self.open):
            connection.abort()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.until(lambda: not self.open)
        await self._server.wait_closed()

    def answer_to(self, body: Body) -> str:
        """The text that a request without a script gets."""
        if self._reply:
            return self._reply(body)
        return f"You said: {last_words(body)}"


class Connection(asyncio.Protocol):
    """One client. Requests on a connection come one after the other."""

    def __init__(self, model: ScriptedModel) -> None:
        self.model = model
        self.task: asyncio.Task[None] | None = None
        self.buffer = bytearray()
        self.transport: asyncio.Transport
        self.paced: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.model.open.add(self)
        self.model.changed()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self.model.open.discard(self)
        if self.paced:
            self.paced.cancel()
            self.paced = None
            self._left()
        elif self.task and not self.task.done():
            self.task.cancel()
            self._left()
        self.model.changed()

    def _left(self) -> None:
        self.model.disconnects += 1
        self.model.running -= 1

    def abort(self) -> None:
        """Cut the connection, as a crash would."""
        self.transport.abort()

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self.buffer[:end].decode("latin-1").split("\r\n")
        method, path, _version = head[0].split(" ")
        fields = (line.partition(":") for line in head[1:])
        headers = {name.lower(): value.strip() for name, _colon, value in fields}
        length = int(headers.get("content-length", "0"))
        if len(self.buffer) < end + 4 + length:
            return
        content = bytes(self.buffer[end + 4 : end + 4 + length])
        del self.buffer[: end + 4 + length]
        try:
            body = json.loads(content) if content else None
        except ValueError:
            body = None
        request = Request(method, path, headers, body, bytes(content))
        if self.model.keep:
            self.model.requests.append(request)
        self._answer(request)
        self.model.changed()

    def _answer(self, request: Request) -> None:
        """Say at once what needs no waiting; the rest is a task of this connection."""
        model = self.model
        path = request.path.partition("?")[0]
        if problem := refusal(model, request, path):
            self.transport.write(problem)
        elif path.endswith("/audio/transcriptions"):
            self.transport.write(response(200, {"text": model.transcripts.popleft()}))
        elif path.endswith("/models"):
            listed = [{"id": name, "object": "model", "owned_by": "test"} for name in model.models]
            self.transport.write(response(200, {"object": "list", "data": listed}))
        else:
            model.running += 1
            model.max_concurrent = max(model.max_concurrent, model.running)
            chat = path.endswith("/chat/completions")
            step = model.steps.popleft() if model.steps else Answer()
            if step == Answer() and not model.rate:
                self.transport.write(b"".join(stream(model, request.body, step, chat)))
                self._finished()
            elif step == Answer():
                self._pace(iter(stream(model, request.body, step, chat)))
            else:
                self.task = asyncio.create_task(self._play(step, request, chat), name="script")

    def _finished(self) -> None:
        self.model.answers += 1
        self.model.running -= 1
        self.model.changed()

    def _pace(self, parts: Iterator[bytes]) -> None:
        """Write the next part now, and each other when its time has come."""
        self.paced = None
        if part := next(parts, b""):
            self.transport.write(part)
            again = partial(self._pace, parts)
            self.paced = asyncio.get_running_loop().call_later(1 / self.model.rate, again)
        else:
            self._finished()

    async def _play(self, step: Step, request: Request, chat: bool) -> None:
        match step:
            case Drop():
                self.abort()
            case Refusal():
                self.transport.write(refused(step))
            case Raw():
                self.transport.write(stream_head(step.content_type))
                for piece in step.pieces:
                    self.transport.write(framed(piece) if piece else b"")
                    await asyncio.sleep(0)
                await self._held(step.hold)
                self.transport.write(LAST) if step.ends else self.transport.close()
            case Answer():
                for at, part in enumerate(stream(self.model, request.body, step, chat)):
                    # Part 0 is the headers; chunk number n is part n + 1.
                    if at - 1 == step.hold_at:
                        await self._held(step.hold)
                    if at - 1 == step.drop_at:
                        self.transport.close()
                        break
                    self.transport.write(part)
                    await asyncio.sleep(0)
        self._finished()

    async def _held(self, hold: asyncio.Event | None) -> None:
        if hold:
            await hold.wait()


def last_words(body: Body) -> str:
    """What the person said last: the last message, or a prompt's last line that is no separator."""
    if "messages" in body:
        content = body["messages"][-1].get("content") or ""
        return content if isinstance(content, str) else json.dumps(content)
    lines = str(body.get("prompt", "")).splitlines()
    return next(
        (line for line in reversed(lines) if line and not line.endswith((":", ">", "#"))), ""
    )


def roles(body: Mapping[str, list[Mapping[str, str]]]) -> list[tuple[str, str]]:
    """The messages of a chat request as pairs."""
    return [(message["role"], message["content"]) for message in body["messages"]]


def refused(step: Refusal) -> bytes:
    """An error in OpenAI's form, unless the step brings its own body."""
    error = {"message": step.message, "type": step.type, "param": None, "code": step.code}
    body = {"error": error} if step.body is None else step.body
    return response(step.status, body, step.headers)


def refusal(model: ScriptedModel, request: Request, path: str) -> bytes | None:
    """What OpenAI says about a request that it does not take; None when it takes it."""
    sent = request.headers.get("api-key") or request.headers.get("authorization", "")
    if model.key and sent.removeprefix("Bearer ") != model.key:
        return refused(Refusal(401, f"Incorrect API key: {sent[-4:]}.", "invalid_api_key"))
    if request.method == "GET" and path.endswith("/models"):
        return None
    if path.endswith("/audio/transcriptions"):
        return None if model.transcripts else refused(Refusal(500, "Nothing is scripted."))
    if request.method != "POST" or not path.endswith(("/chat/completions", "/completions")):
        return refused(Refusal(404, f"Invalid URL ({request.method} {path})"))
    if not isinstance(request.body, dict):
        return refused(Refusal(400, "We could not parse the JSON body of your request."))
    wrong = problem(request.body, chat=path.endswith("/chat/completions"))
    return refused(Refusal(400, wrong)) if wrong else over_window(model, request.body)


def over_window(model: ScriptedModel, body: Body) -> bytes | None:
    """What OpenAI says about a chat of more tokens than the window."""
    said = (message["content"] for message in body.get("messages", ()))
    if not model.window or sum(map(model.count, said)) <= model.window:
        return None
    too_long = f"This model's maximum context length is {model.window} tokens."
    return refused(Refusal(400, too_long, code="context_length_exceeded"))


def spoken(model: ScriptedModel, body: Body, step: Answer) -> tuple[list[str], str | None]:
    """The tokens of an answer and why it ends, after stop sequences and max_tokens."""
    text = step.text if step.text is not None else None
    chunks = list(step.chunks) if step.chunks is not None else None
    if chunks is None:
        chunks = TOKEN.findall(model.answer_to(body) if text is None else text)
        if text is None and len(chunks) < model.tokens:
            chunks += filler(model.tokens - len(chunks))
    stops = body.get("stop") or ()
    if stops and not step.ignore_stops:
        whole = "".join(chunks)
        ends = [whole.find(stop) for stop in ([stops] if isinstance(stops, str) else stops) if stop]
        if cuts := [end for end in ends if end >= 0]:
            chunks = upto(chunks, min(cuts))
    most = body.get("max_completion_tokens") or body.get("max_tokens")
    if isinstance(most, int) and len(chunks) > most:
        return chunks[:most], "length"
    return chunks, step.finish


@lru_cache
def filler(count: int) -> list[str]:
    """So many more words."""
    return [f" word{number}" for number in range(count)]


def upto(chunks: list[str], end: int) -> list[str]:
    """The chunks of the first `end` characters."""
    kept = []
    for chunk in chunks:
        if end <= 0:
            break
        kept.append(chunk[:end])
        end -= len(chunk)
    return kept


def stream(model: ScriptedModel, body: Body, step: Answer, chat: bool) -> list[bytes]:
    """The headers, then one part a chunk, then what ends the answer."""
    chunks, finish = spoken(model, body, step)
    name = str(body["model"])
    counted = usage(body, len(chunks))
    if not body.get("stream"):
        return [whole(name, chunks, finish, counted, chat)]
    parts = [stream_head("text/event-stream"), *(event(chat, name, chunk) for chunk in chunks)]
    tail = ending(chat, name, finish) if finish else b""
    if step.usage and (body.get("stream_options") or {}).get("include_usage"):
        tail += usage_event(chat, name, counted["prompt_tokens"], counted["completion_tokens"])
    if step.done:
        tail += framed(b"data: [DONE]\n\n")
    if chat:
        parts[0] += opening(name)
    return [*parts, tail + (LAST if step.ends else b"")]


async def serve(model: ScriptedModel) -> None:
    """Say where the server is and run until the process is ended."""
    async with model:
        click.echo(model.base_url)
        await asyncio.get_running_loop().create_future()


@click.command()
@click.option("--port", default=0, help="0 takes any free one.")
@click.option("--tokens", default=60, help="Tokens of an answer.")
@click.option("--rate", default=0.0, help="Tokens a second and answer; 0 sends all at once.")
def main(port: int, tokens: int, rate: float) -> None:
    """Serve scripted answers; the first line says the base URL."""
    try:
        asyncio.run(serve(ScriptedModel(port=port, tokens=tokens, rate=rate, keep=False)))
    except KeyboardInterrupt:
        return


if __name__ == "__main__":
    main()
