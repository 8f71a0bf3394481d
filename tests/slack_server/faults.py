"""What may go wrong with a call on purpose."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Drop:
    """The connection is cut: before anything is done, or `after` it, so that the answer is lost."""

    after: bool = False


@dataclass(frozen=True, slots=True)
class Fail:
    """Refused with `error` and, from a proxy, a `status`; or with a page titled `html`, or any
    `body`, in the place of an answer. A `retry_after` makes it a 429 with that header, in seconds.
    """

    error: str = "internal_error"
    status: int = 200
    retry_after: int = 0
    html: str = ""
    body: str = ""
    content_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class Hang:
    """Nothing is answered until the event; the effect comes with the answer, or before, `after`."""

    until: asyncio.Event = field(default_factory=asyncio.Event)
    after: bool = False


Fault = Drop | Fail | Hang


@dataclass(slots=True)
class Planned:
    """A fault of the next `times` calls of a method ("" for any) in a channel ("" for any)."""

    fault: Fault
    method: str
    channel: str
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

    def take(self, method: str, channel: str) -> Fault | None:
        """The fault of this call."""
        for planned in self._planned:
            if planned.method in {"", method} and planned.channel in {"", channel}:
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
