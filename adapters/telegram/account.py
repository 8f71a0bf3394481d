"""What all that one bot writes has in common."""

from __future__ import annotations

from dataclasses import dataclass, field

from adapters.telegram.api import Api
from adapters.telegram.ledger import Ledger
from adapters.telegram.pacer import Pacer
from bot.ports import Clock


@dataclass(slots=True)
class Account:
    """One bot at Telegram. `drafts` is False once a server has none.

    `trouble` is why nothing comes in just now, a sentence; `moved` tells where a group went that
    became a supergroup.
    """

    api: Api
    pacer: Pacer
    ledger: Ledger
    clock: Clock
    drafts: bool = True
    trouble: str = ""
    moved: dict[int, int] = field(default_factory=dict)
