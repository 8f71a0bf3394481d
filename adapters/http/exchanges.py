"""Questions that somebody waits for: requests on one side, the core's sinks on the other.

A request asks, and looks at the newest snapshot of the answer whenever it can; what it skipped it
never sees. What was said in the end comes from `Core.said` alone, also for who joins late, asks
again, or comes after a restart.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from adapters.http.exchange import STOPPING, Exchange, Growth, Key, Unanswered
from bot.messages import Button, Document, IncomingMessage, ReplyTo
from bot.ports import Core

__all__ = ["NAME", "Exchange", "Exchanges", "HttpSink"]

NAME = "http"  # of the adapter: this package is opened by it, from [adapters.http]
PACE = 1 / 30  # seconds between two snapshots: the eye sees no difference, the processor does


class Exchanges:
    """All exchanges in which somebody waits or something grows."""

    def __init__(self) -> None:
        self._exchanges: dict[Key, Exchange] = {}
        self._withdrawing: dict[Key, asyncio.Task[None]] = {}
        self._asking: set[asyncio.Task[None]] = set()
        self._stopping = False

    def __len__(self) -> int:
        return len(self._exchanges)

    @asynccontextmanager
    async def ask(
        self, core: Core, message: IncomingMessage, *, withdraws: bool
    ) -> AsyncIterator[Exchange]:
        """Ask a question, or join those who wait for its answer.

        The id of the question is in the message; its `origin` is ours. When the last request goes
        away before the end, and all of them said that it `withdraws` then, the question is
        withdrawn. Raises AccessDenied, TooFast, StoreError, Unanswered.
        """
        key = (message.conversation, message.question_id)
        while withdrawing := self._withdrawing.get(key):
            await asyncio.wait([withdrawing])
        if self._stopping:
            raise Unanswered(STOPPING)
        exchange = self._exchange(key)
        exchange.requests += 1
        exchange.withdraws &= withdraws
        try:
            await asyncio.shield(self._begun(exchange, core, message))
            yield exchange
        finally:
            exchange.requests -= 1
            self._leave(key, exchange, core)

    def _exchange(self, key: Key) -> Exchange:
        if key not in self._exchanges:
            self._exchanges[key] = Exchange()
        return self._exchanges[key]

    def _begun(
        self, exchange: Exchange, core: Core, message: IncomingMessage
    ) -> asyncio.Task[None]:
        """The task that asks; the first request begins it, or the next if that was refused."""
        task = exchange.asking
        if task is None or (task.done() and task.exception()):
            name = f"ask {message.question_id}"
            task = exchange.asking = asyncio.create_task(exchange.begin(core, message), name=name)
            self._asking.add(task)
            task.add_done_callback(self._asked)
        return task

    def _asked(self, task: asyncio.Task[None]) -> None:
        self._asking.discard(task)
        if not task.cancelled():
            task.exception()  # it is raised to the requests; there may be none left

    def _leave(self, key: Key, exchange: Exchange, core: Core) -> None:
        """A request went away."""
        if exchange.requests or self._exchanges.get(key) is not exchange:
            return
        if exchange.withdraws and not exchange.ended and not self._stopping:
            del self._exchanges[key]
            task = asyncio.create_task(withdraw(key, exchange, core), name=f"withdraw {key[1]}")
            self._withdrawing[key] = task
            task.add_done_callback(lambda _: self._withdrawing.pop(key))
        elif not exchange.open:
            del self._exchanges[key]

    def sink(self, to: ReplyTo) -> HttpSink:
        """A writer for one reply."""
        return HttpSink(self, to)

    def show(self, key: Key, mark: str, growth: Growth) -> None:
        """A snapshot came; it is kept for who asks later, too."""
        exchange = self._exchange(key)
        if exchange.written_by(mark):
            exchange.show(mark, growth)

    def finish(self, key: Key, mark: str) -> None:
        """A final text came."""
        exchange = self._exchanges.get(key)
        if exchange and exchange.written_by(mark):
            exchange.finish(mark)

    def close(self, key: Key, mark: str) -> None:
        """A sink was closed."""
        exchange = self._exchanges.get(key)
        if exchange and exchange.written_by(mark):
            exchange.close(mark)
            if not exchange.requests:
                del self._exchanges[key]

    async def aclose(self) -> None:
        """End all that wait, and withdraw nothing from here on: the next start answers."""
        self._stopping = True
        for exchange in self._exchanges.values():
            exchange.close()
        if tasks := [*self._asking, *self._withdrawing.values()]:
            await asyncio.wait(tasks)


async def withdraw(key: Key, exchange: Exchange, core: Core) -> None:
    """Withdraw a question, once it is known that it was received."""
    if exchange.asking:
        await asyncio.wait([exchange.asking])
    if exchange.receipt:
        await core.withdraw(*key)


class HttpSink:
    """One reply. Nothing stands anywhere but what the core keeps as said."""

    def __init__(self, exchanges: Exchanges, to: ReplyTo) -> None:
        self._exchanges = exchanges
        self._mark, _, question_id = to.origin.partition(" ")
        self._key = (to.conversation, question_id)
        self._handle = to.key
        self._next = 0.0
        self._parts: dict[int, str] = {}

    async def ready(self) -> None:
        """Return when it is time for the next snapshot."""
        await asyncio.sleep(self._next - asyncio.get_running_loop().time())

    async def show(self, part: int, text: str, handle: str, *, waiting: bool = False) -> str:
        """Publish a snapshot to who waits now: a preview, there is nothing to complete."""
        self._next = asyncio.get_running_loop().time() + PACE
        if waiting:
            growth = Growth(waiting=text.strip("_"))
        else:
            self._parts[part] = text
            growth = Growth("\n\n".join(self._parts.values()))
        self._exchanges.show(self._key, self._mark, growth)
        return handle

    async def finish(
        self,
        part: int,  # noqa: ARG002 - what was said is fetched from the core
        text: str,  # noqa: ARG002
        handle: str,
        *,
        failed: bool = False,  # noqa: ARG002
        buttons: Sequence[Button] = (),  # noqa: ARG002 - their commands can be typed
    ) -> str:
        """Say that the core knows now what was said; the reply's key is the handle."""
        self._exchanges.finish(self._key, self._mark)
        return handle or self._handle

    async def retract(self, handle: str) -> None:
        """Nothing stands."""

    async def attach(self, document: Document) -> None:
        """Said has the file."""

    async def close(self) -> None:
        """End the exchange."""
        self._exchanges.close(self._key, self._mark)
