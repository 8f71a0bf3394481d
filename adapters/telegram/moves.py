"""Groups that became supergroups: to Telegram another chat, to its people the same one."""

from __future__ import annotations

from bot.ports import Core


class Moves:
    """Which chat became which. What is learned before there is a core is told to it later.

    `name` is the adapter's.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._to: dict[int, int] = {}
        self._from: dict[int, int] = {}
        self._core: Core | None = None

    def now(self, chat: int) -> int:
        """The chat that a chat is now."""
        return self._to.get(chat, chat)

    def before(self, chat: int) -> int:
        """The chat that a chat was."""
        return self._from.get(chat, chat)

    def learn(self, chat: int, to: int) -> bool:
        """Note that a chat is another one now; True if that is new."""
        new = self._to.get(chat) != to
        self._to[chat], self._from[to] = to, chat
        return new

    async def carry(self, chat: int) -> None:
        """Take what is remembered of a chat to where it is now."""
        if self._core:
            await self._core.move(self._name, str(chat), str(self._to[chat]))

    async def begin(self, core: Core) -> None:
        """There is a core."""
        self._core = core
        for chat in list(self._to):
            await self.carry(chat)
