"""What was said in a conversation, as the page shows it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from bot.messages import ConversationId, Ending, Role, Turn
from bot.ports import Core

PAGE = 40  # turns that the page asks for at a time


class Item(NamedTuple):
    """A question, or an answer with everything that continued it."""

    turn: Turn

    @property
    def key(self) -> str:
        """The key of the answer's newest part, which is the one that feedback is about."""
        return f"turn-{self.turn.id}"


async def shown(core: Core, where: ConversationId, before: int) -> tuple[list[Item], int]:
    """The newest items, before a turn unless it is 0; and the turn before which there are more, 0
    where there are none.
    """
    turns = list(await core.history(where, before, PAGE))
    earlier = len(turns) == PAGE
    while earlier and turns and turns[0].continues:  # its beginning is on the page before
        more = await core.history(where, turns[0].id, PAGE)
        turns[:0] = more
        earlier = len(more) == PAGE
    return items(turns), turns[0].id if earlier and turns else 0


def items(turns: Sequence[Turn]) -> list[Item]:
    """Turns without the answers that were asked for again, and answers with their rests."""
    found: list[Item] = []
    for turn in turns:
        if turn.ending is Ending.REPLACED:
            continue
        if turn.continues and found and found[-1].turn.role is Role.ASSISTANT:
            text = found[-1].turn.text + turn.text
            found[-1] = Item(turn._replace(text=text))
        else:
            found.append(Item(turn))
    return found
