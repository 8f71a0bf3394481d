"""A turn that runs in a conversation, and the way to stop it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Running:
    """A turn that runs in a conversation, and the way to stop it."""

    def __init__(self) -> None:
        self.turn = 0
        self.stopped = False
        self._scope: asyncio.Timeout | None = None

    def stop(self) -> None:
        """End the model call now; what was said stays."""
        if self._scope and not self.stopped:
            self._scope.reschedule(asyncio.get_running_loop().time())
        self.stopped = True

    @asynccontextmanager
    async def stoppable(self) -> AsyncIterator[None]:
        """A block that `stop` ends quietly."""
        try:
            async with asyncio.timeout(0 if self.stopped else None) as self._scope:
                yield
        except TimeoutError:
            if not self.stopped:
                raise
        finally:
            self._scope = None
