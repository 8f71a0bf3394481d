"""How a service of fine-tune jobs refuses a call on purpose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

from tests import faults
from tests.faults import Drop


@dataclass(frozen=True, slots=True)
class Fail:
    """Refused with a status; before anything is done, or `after` it."""

    status: int
    message: str = "The server had an error while processing your request."
    code: str | None = None
    retry_after: float | None = None
    after: bool = False


Fault: TypeAlias = faults.Fault[Fail]
KINDS = {"drop": Drop, "fail": Fail}  # those that a control interface can name


def fault_named(kind: str, **fields: Any) -> Fault:
    """A fault by its name."""
    made: Fault = KINDS[kind](**fields)
    return made
