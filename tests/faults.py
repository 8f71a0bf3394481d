"""What may go wrong with a call on purpose, at every server of the tests.

How a service itself refuses is different everywhere: each server adds a `Fail` of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeAlias, TypeVar

from aiohttp import web

Refusal = TypeVar("Refusal")


@dataclass(frozen=True, slots=True)
class Drop:
    """The connection is cut: before anything is done, or `after` it, so that the answer is lost."""

    after: bool = False


@dataclass(frozen=True, slots=True)
class Hang:
    """Nothing is answered until the event; the effect comes with the answer, or before, `after`."""

    until: asyncio.Event = field(default_factory=asyncio.Event)
    after: bool = False


@dataclass(frozen=True, slots=True)
class Raw:
    """These bytes instead of the answer: before anything is done, or `after` it."""

    content: bytes
    status: int = 200
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    after: bool = False


Fault: TypeAlias = Drop | Hang | Raw | Refusal


def page(title: str, status: int = 502) -> Raw:
    """A page for people where a program awaits an answer, as a proxy sends it."""
    html = f"<!DOCTYPE html><html><head><title>{title}</title></head><body></body></html>"
    return Raw(html.encode(), status, "text/html")


@dataclass(slots=True)
class Planned(Generic[Refusal]):
    """A fault of the next `times` calls of a method ("" for any) in a place ("" for any)."""

    fault: Fault[Refusal]
    method: str
    place: object = ""
    times: int = 1


class Faults(Generic[Refusal]):
    """The faults that are still to come, the oldest first."""

    def __init__(self) -> None:
        self._planned: list[Planned[Refusal]] = []
        self._hanging: list[Hang] = []

    def plan(self, planned: Planned[Refusal]) -> None:
        """One more."""
        self._planned.append(planned)

    def clear(self) -> None:
        """All is well again."""
        self._planned.clear()

    def take(self, method: str, place: object = "") -> Fault[Refusal] | None:
        """The fault of this call."""
        for planned in self._planned:
            if planned.method in {"", method} and planned.place in {"", place}:
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


async def spoilt(
    fault: Drop | Hang | Raw, request: web.Request, answer: Callable[[], Awaitable[web.Response]]
) -> web.Response:
    """What becomes of the answer to a call, which `answer` gives with its effect."""
    answered = await answer() if fault.after else None
    match fault:
        case Drop():
            assert request.transport
            request.transport.abort()
            return answered or web.Response(status=499)
        case Hang():
            await fault.until.wait()
            return answered or await answer()
        case Raw():
            return web.Response(
                body=fault.content,
                status=fault.status,
                content_type=fault.content_type,
                headers=fault.headers,
            )
