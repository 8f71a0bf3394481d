"""Which messages are known to stand in a chat, to find one again whose sending was not confirmed.

Telegram has no idempotency key and no way to list a chat. But ids rise, in a supergroup by
themselves and in all other chats together, and an edit tells what stands under an id: nothing,
somebody else's message, or ours. So before a text is sent a second time, the ids that nobody
accounts for are tried with an edit to that very text; not while another text is on its way to that
chat, which might be taken for it.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from dataclasses import dataclass

from adapters.telegram.place import SUPERGROUPS_BELOW

MOST_SEQUENCES = 1000  # remembered
MOST_IDS, MOST_SHARED = 100, 2000  # of a supergroup, and of all other chats together
BEYOND = 3  # ids above the newest known one that are tried
MOST_TRIES = 4  # each costs the chat a call


@dataclass(slots=True)
class Sequence:
    """Messages that are numbered together. Of those up to `forgotten` nothing is known any more."""

    ids: deque[int]
    newest: int = 0
    forgotten: int = 0

    def saw(self, message: int) -> None:
        """A message of that id stands."""
        self.newest = max(self.newest, message)
        if len(self.ids) == self.ids.maxlen:
            self.forgotten = max(self.forgotten, self.ids[0])
        self.ids.append(message)


class Ledger:
    """The ids seen by this process, and how many texts are on their way to each chat."""

    def __init__(self) -> None:
        self._sequences: OrderedDict[int, Sequence] = OrderedDict()
        self._under_way: Counter[int] = Counter()

    def begins(self, chat: int) -> None:
        """A text is on its way to a chat."""
        self._under_way[chat] += 1

    def ends(self, chat: int) -> None:
        """It arrived, or nobody waits for it any more."""
        self._under_way[chat] -= 1
        if not self._under_way[chat]:
            del self._under_way[chat]

    def saw(self, chat: int, message: int) -> None:
        """A message of that id stands in a chat."""
        which = sequence(chat)
        if which not in self._sequences:
            self._sequences[which] = Sequence(deque(maxlen=MOST_IDS if which else MOST_SHARED))
        self._sequences.move_to_end(which)
        self._sequences[which].saw(message)
        if len(self._sequences) > MOST_SEQUENCES:
            self._sequences.popitem(last=False)

    def newest(self, chat: int) -> int:
        """The highest id known of those that are numbered with a chat's; 0 where none is."""
        known = self._sequences.get(sequence(chat))
        return known.newest if known else 0

    def unaccounted(self, chat: int, after: int) -> list[int]:
        """The ids under which a message may stand that was sent when `after` was the newest."""
        known = self._sequences.get(sequence(chat))
        if not after or not known or after < known.forgotten or self._under_way[chat] > 1:
            return []
        ids = set(known.ids)
        beyond = known.newest + BEYOND + 1
        return [each for each in range(after + 1, beyond) if each not in ids][:MOST_TRIES]


def sequence(chat: int) -> int:
    """Which chats number their messages together."""
    return chat if chat < SUPERGROUPS_BELOW else 0
