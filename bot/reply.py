"""A growing answer: its newest snapshot, its parts, and the one writer that shows them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType

import structlog

from bot.errors import DeliveryError, DeliveryRefused
from bot.ports import Clock, Limits, Sink
from bot.segments import Segments

PROGRESS_PAUSE = 1.0  # seconds without progress after a refusal that names no wait

log = structlog.get_logger()


class Reply:
    """The whole text so far, shown by one writer whenever the platform would take it.

    What was skipped between two looks is never shown. Progress may be dropped: the final text goes
    through the outbox, after the writer has ended. `remember` makes new handles durable.
    """

    def __init__(
        self,
        sink: Sink,
        limits: Limits,
        clock: Clock,
        handles: Sequence[str],
        remember: Callable[[Sequence[str]], Awaitable[None]],
    ) -> None:
        self.text = ""
        self.handles = list(handles)
        self._sink = sink
        self._limits = limits
        self._clock = clock
        self._remember = remember
        self._status = ""
        self._segments = Segments(limits)
        self._shown: list[str] = []
        self._changed = asyncio.Event()
        self._writing = asyncio.Lock()

    def grow(self, text: str) -> None:
        """Add to the answer."""
        self.text += text
        self._changed.set()

    def wait(self, status: str) -> None:
        """Show why there is no text yet."""
        self._status = status
        self._changed.set()

    async def tell(self, sentence: str) -> None:
        """Show a sentence below the text, once the writer has ended; dropped if not taken now."""
        parts = Segments(self._limits).of(f"{self.text}\n\n_({sentence})_".lstrip())
        try:
            await self._show(parts)
        except DeliveryError:
            log.info("sentence not shown", reason=sentence)

    async def __aenter__(self) -> Reply:
        if self._limits.progress:
            self._writer = asyncio.create_task(self._write(), name="reply writer")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the writer between two calls to the platform, never inside of one."""
        if not self._limits.progress:
            return
        try:
            async with self._writing:
                self._writer.cancel()
        finally:
            self._writer.cancel()
            await asyncio.wait([self._writer])
        if not self._writer.cancelled() and (bug := self._writer.exception()):
            log.error("progress failed", exc_info=bug)

    async def _write(self) -> None:
        while True:
            await self._changed.wait()
            try:
                await self._sink.ready()
                async with self._writing:
                    self._changed.clear()
                    parts = self._segments.of(self.text)
                    await self._show(parts or [self._status], waiting=not parts)
            except DeliveryRefused:
                return
            except DeliveryError as error:
                await self._clock.sleep(error.retry_after or PROGRESS_PAUSE)
                self._changed.set()

    async def _show(self, parts: Sequence[str], *, waiting: bool = False) -> None:
        """Show the parts that changed since the last look."""
        for part, text in enumerate(parts):
            if not text or self._shown[part : part + 1] == [text]:
                continue
            known = part < len(self.handles)
            old = self.handles[part] if known else ""
            handle = await self._sink.show(part, text, old, waiting=waiting)
            self._shown[part:] = [text]
            if handle and not known:
                self.handles.append(handle)
                await self._remember(self.handles)
