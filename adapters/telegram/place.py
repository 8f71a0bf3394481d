"""Where a message came from and where its answer goes: the adapter's own notes."""

from __future__ import annotations

import json
from dataclasses import dataclass

from bot.messages import ReplyTo

SUPERGROUPS_BELOW = -1_000_000_000_000  # their ids; they number their messages by themselves


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
        return json.dumps({"message": handle_of(self.chat, self.message)})

    def go_to(self, chat: int) -> None:
        """The chat is another one now, in which no message has the number that it had."""
        if chat != self.chat:
            self.chat, self.message = chat, 0


def place_of(to: ReplyTo) -> Place:
    """Where a reply goes; one that answers nobody has no origin."""
    where = to.conversation
    place = Place(int(where.channel), int(where.thread) if where.thread else None)
    if to.beneath:
        place.message = message_of(to.beneath, place.chat)
    elif to.origin and not place.private:  # there is nobody else whom it may answer
        place.message = message_of(str(json.loads(to.origin).get("message", "")), place.chat)
    return place


def handle_of(chat: int, message: int) -> str:
    """The note of a message of the bot. A group may become a supergroup, which is another chat and
    numbers anew: so its id stands there, too.
    """
    return f"{chat}:{message}" if SUPERGROUPS_BELOW <= chat < 0 else str(message)


def message_of(handle: str, chat: int) -> int:
    """The message of a handle; 0 for none, and for one in another chat than this."""
    where, _, message = handle.rpartition(":")
    return int(message or 0) if where in {"", str(chat)} else 0
