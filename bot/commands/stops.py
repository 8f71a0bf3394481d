"""What a conversation waits for that may end at any moment: /stop ends it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from bot.errors import CommandError
from bot.messages import ConversationId

T = TypeVar("T")


class Stopped(CommandError):
    """Somebody said /stop."""


class Stops:
    """The work under way, one in a conversation at a time: commands there wait for each other."""

    def __init__(self) -> None:
        self._scopes: dict[ConversationId, asyncio.Timeout] = {}

    async def run(self, where: ConversationId, work: Awaitable[T]) -> T:
        """What a work returns. It is cancelled, and Stopped raised, when somebody says /stop: so
        nothing that must not be done by half belongs into it.
        """
        scope = self._scopes[where] = asyncio.timeout(None)
        try:
            async with scope:
                return await work
        except TimeoutError:
            if not scope.expired():
                raise
            raise Stopped("Stopped.") from None
        finally:
            del self._scopes[where]

    def stop(self, where: ConversationId) -> bool:
        """End the work of a conversation; False when there is none."""
        scope = self._scopes.get(where)
        if scope and not scope.expired():
            scope.reschedule(asyncio.get_running_loop().time())
        return scope is not None
