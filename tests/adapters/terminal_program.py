"""A program with the terminal adapter and a scripted core, for tests on a real pseudo-terminal.

SIGUSR1 is the test's nudge: "hold" finishes its answer, "notice" sends a text nobody asked for.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import suppress

from adapters.terminal import Settings, create
from bot.errors import StoreBusy
from bot.messages import Document, IncomingMessage, ReplyTo
from bot.ports import Sink
from tests.adapters.fake_core import FakeCore

NASTY = (
    "\x1b]0;pwned\x07\x1b[31mred\x1b[0m \x9b5A &#8238;&#27;[2J <http://a/%1B[2Jb> [bold]kept[/bold]"
)


class Script:
    """Answers by the first word of the message."""

    def __init__(self) -> None:
        settings = Settings(history_file=sys.argv[1], greeting="Moin.")
        self.adapter = create("terminal", settings, {})
        self.core = FakeCore(self.adapter, self.answer)
        self._nudged = asyncio.Event()
        self._notices: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGUSR1, self._nudged.set)
        task = asyncio.current_task()
        assert task
        loop.add_signal_handler(signal.SIGTERM, task.cancel)
        with suppress(asyncio.CancelledError):
            await self.adapter.run(self.core)

    async def answer(self, sink: Sink, message: IncomingMessage) -> None:
        match message.text.partition(" ")[0]:
            case "hold":
                await sink.show(0, "growing", "")
                await self._nudge()
                await sink.finish(0, "grown", "")
            case "slow":
                await sink.show(0, "growing", "")
                await self.core.stopped.wait()
                await sink.finish(0, "stopped by you", "")
            case "deaf":
                await sink.show(0, "growing", "")
                await asyncio.Event().wait()
            case "notice":
                task = asyncio.create_task(self._notice(message), name="notice")
                self._notices.add(task)
                await sink.finish(0, "noted", "")
            case "fail":
                self.core.failures.append(StoreBusy("The database is busy."))
                await sink.finish(0, "armed", "")
            case "nasty":
                await sink.show(0, NASTY, "")
                await sink.finish(0, f"{NASTY}\n\nend of it", "")
            case _:
                await sink.show(0, "You", "")
                await sink.finish(0, f"You said `{message.text!r}`", "")

    async def _notice(self, message: IncomingMessage) -> None:
        await self._nudge()
        sink = self.adapter.sink(ReplyTo(message.conversation, "notice"))
        await sink.show(0, "Your job", "")
        await sink.finish(0, "Your **job** is ready", "")
        await sink.attach(Document("loss.png", "image/png", b"picture"))
        await sink.close()

    async def _nudge(self) -> None:
        await self._nudged.wait()
        self._nudged.clear()


async def main() -> None:
    """Run it; with "deaf" answers left over, asyncio.run cancels them."""
    await Script().run()


if __name__ == "__main__":
    asyncio.run(main())
