"""Where a message came from and where its answer goes: the adapter's own note, kept by the core."""

from __future__ import annotations

import json
from dataclasses import dataclass

from bot.messages import ReplyTo


@dataclass(slots=True)
class Place:
    """A chat, perhaps a topic in it, and the message that is answered, 0 where there is none."""

    chat: int
    thread: int | None = None
    message: int = 0

    @property
    def private(self) -> bool:
        """Whether it is a chat with one person: only groups have negative ids."""
        return self.chat > 0

    def origin(self) -> str:
        """The note for an IncomingMessage."""
        return json.dumps({"message": self.message})


def place_of(to: ReplyTo) -> Place:
    """Where a reply goes; one that answers nobody has no origin."""
    where = to.conversation
    message = json.loads(to.origin).get("message", 0) if to.origin else 0
    return Place(int(where.channel), int(where.thread) if where.thread else None, message)
