"""What may go wrong with a call on purpose."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Drop:
    """The connection is cut: before anything is done, or `after` it, so that the answer is lost."""

    after: bool = False


@dataclass(frozen=True, slots=True)
class Fail:
    """Refused with a status; before anything is done, or `after` it."""

    status: int
    message: str = "The server had an error while processing your request."
    code: str | None = None
    retry_after: float | None = None
    after: bool = False


@dataclass(frozen=True, slots=True)
class Raw:
    """These bytes instead of the answer; the effect is there nevertheless, unless not `after`."""

    content: bytes
    status: int = 200
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    after: bool = True


@dataclass(frozen=True, slots=True)
class Hang:
    """Nothing is answered until the event; the effect comes with the answer, or before, `after`."""

    until: asyncio.Event = field(default_factory=asyncio.Event)
    after: bool = False


Fault = Drop | Fail | Raw | Hang
KINDS = {"drop": Drop, "fail": Fail}  # those that a control interface can name


@dataclass(slots=True)
class Planned:
    """A fault of the next `times` calls "METHOD route", "" for any."""

    fault: Fault
    call: str
    times: int


class Faults:
    """The faults that are still to come, the oldest first."""

    def __init__(self) -> None:
        self._planned: list[Planned] = []
        self._hanging: list[Hang] = []

    def plan(self, planned: Planned) -> None:
        """One more."""
        self._planned.append(planned)

    def clear(self) -> None:
        """All is well again."""
        self._planned.clear()

    def take(self, call: str) -> Fault | None:
        """The fault of this call."""
        for planned in self._planned:
            if planned.call in {"", call}:
                planned.times -= 1
                if not planned.times:
                    self._planned.remove(planned)
                if isinstance(planned.fault, Hang):
                    self._hanging.append(planned.fault)
                return planned.fault
        return None

    def release(self) -> None:
        """Let go everything that hangs."""
        for hang in self._hanging:
            hang.until.set()


def fault_named(kind: str, **fields: Any) -> Fault:
    """A fault by its name."""
    made: Fault = KINDS[kind](**fields)
    return made
