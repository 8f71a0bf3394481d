"""What all that one bot writes has in common."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.telegram.api import Api
from adapters.telegram.ledger import Ledger
from adapters.telegram.moves import Moves
from adapters.telegram.pacer import Pacer
from bot.ports import Clock


@dataclass(slots=True)
class Account:
    """One bot at Telegram. `drafts` is False once a server has none, `stoppable` once it has them
    without a Stop button. `trouble` is why nothing comes in just now, a sentence.
    """

    api: Api
    pacer: Pacer
    ledger: Ledger
    moves: Moves
    clock: Clock
    drafts: bool = True
    stoppable: bool = True
    trouble: str = ""
