"""How Slack refuses a call on purpose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from tests import faults


@dataclass(frozen=True, slots=True)
class Fail:
    """Refused with `error` and, where it is Slack's server that breaks, a `status`. A `retry_after`
    makes it a 429 with that header, in seconds.
    """

    error: str = "internal_error"
    status: int = 200
    retry_after: int = 0


Fault: TypeAlias = faults.Fault[Fail]
