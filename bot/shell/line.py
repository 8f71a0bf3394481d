"""Who carries out commands: the tunebot of this process, or another one that has the database."""

from __future__ import annotations

from typing import Protocol

from bot.messages import Said
from bot.shell.words import Typed


class Line(Protocol):
    """A way to a tunebot."""

    @property
    def person(self) -> str:
        """Who asks, as [access] names them."""

    @property
    def beginning(self) -> str:
        """How far a job is that is not made yet, where that is told; else ""."""

    @property
    def untold(self) -> str:
        """What to say of a job that was not made, where nobody was told why."""

    async def ask(self, command: Typed) -> Said:
        """Give a command and wait for what it says. Raises BotError."""

    async def settled(self) -> None:
        """Return when nothing more is told."""
