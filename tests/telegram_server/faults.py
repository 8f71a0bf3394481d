"""How Telegram refuses a call on purpose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from tests import faults


@dataclass(frozen=True, slots=True)
class Fail:
    """Refused with a status and a description."""

    status: int
    description: str = ""
    retry_after: int = 0


Fault: TypeAlias = faults.Fault[Fail]
