"""Which messages are known to stand in a chat, to find one again whose sending was not confirmed.

Telegram has no idempotency key and no way to list a chat. But ids rise, in a supergroup by
themselves and in all other chats together, and an edit tells what stands under an id: nothing,
somebody else's message, or ours. So before a text is sent a second time, the ids that nobody
accounts for are tried with an edit to that very text.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

SUPERGROUPS_BELOW = -1_000_000_000_000  # their ids; they number their messages by themselves
MOST_CHATS, MOST_IDS = 2000, 300  # remembered
BEYOND = 3  # ids above the newest known one that are tried
MOST_TRIES = 4  # each costs the chat a call


class Ledger:
    """The ids seen by this process, the newest of each chat and of each sequence of numbers."""

    def __init__(self) -> None:
        self._newest: OrderedDict[int, int] = OrderedDict()
        self._seen: OrderedDict[int, OrderedDict[int, int]] = OrderedDict()
        self._threads: OrderedDict[tuple[int, int], int] = OrderedDict()

    def sent(self, chat: int, message: int, thread: int | None) -> None:
        """The bot posted a message, perhaps in a topic."""
        self.saw(chat, message)
        if thread:
            self._threads[chat, message] = thread
            bound(self._threads, MOST_CHATS)

    def thread(self, chat: int, message: int) -> str:
        """The topic of a message that this process posted: a reaction does not tell."""
        return str(self._threads.get((chat, message), ""))

    def saw(self, chat: int, message: int) -> None:
        """A message of that id stands in a chat."""
        self._newest[chat] = max(message, self._newest.pop(chat, 0))
        ids = self._seen.setdefault(sequence(chat), OrderedDict())
        self._seen.move_to_end(sequence(chat))
        ids[message] = chat
        bound(self._newest, MOST_CHATS)
        bound(self._seen, MOST_CHATS)
        bound(ids, MOST_IDS)

    def newest(self, chat: int) -> int:
        """The highest id known in a chat; 0 where none is."""
        return self._newest.get(chat, 0)

    def unaccounted(self, chat: int, after: int) -> list[int]:
        """The ids under which a message may stand that was sent when `after` was the newest."""
        if not after:
            return []
        ids = self._seen.get(sequence(chat)) or OrderedDict[int, int]()
        newest = max(ids, default=after)
        unknown = [each for each in range(after + 1, newest + BEYOND + 1) if each not in ids]
        return unknown[:MOST_TRIES]


def sequence(chat: int) -> int:
    """Which chats number their messages together."""
    return chat if chat < SUPERGROUPS_BELOW else 0


def bound(kept: OrderedDict[Any, Any], most: int) -> None:
    """Forget the oldest of what is more than enough."""
    while len(kept) > most:
        kept.popitem(last=False)
