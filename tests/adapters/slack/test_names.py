"""People are called by their names, and no message waits long for one."""

from __future__ import annotations

import asyncio

import pytest

from adapters.slack import names as module
from adapters.slack.names import FRESH, MOST_ASKED, UNKNOWN, Names
from bot.errors import DeliveryError
from tests.clock import HeldClock


class Directory:
    """Knows everybody; `asked` has whom it was asked for, while `closed` it answers nobody."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.open = asyncio.Event()
        self.open.set()
        self.fails = False

    async def name(self, user: str) -> str:
        """What somebody is called."""
        self.asked.append(user)
        await self.open.wait()
        if self.fails:
            raise DeliveryError("Slack is out of reach.")
        return f"Name of {user}"


async def test_name_is_asked_for_once_and_again_when_it_is_old() -> None:
    directory, clock = Directory(), HeldClock()
    names = Names(directory.name, clock)
    assert await names.of(["U1", "U1"]) == {"U1": "Name of U1"}
    assert await names.of(["U1"]) == {"U1": "Name of U1"}
    assert directory.asked == ["U1"]
    clock.advance(FRESH + 1)
    await names.of(["U1"])
    assert directory.asked == ["U1", "U1"]


async def test_nobody_waits_long_and_the_name_is_there_the_next_time() -> None:
    directory = Directory()
    directory.open.clear()
    names = Names(directory.name, HeldClock(), wait=0.01)
    assert await names.of(["U1"]) == {}
    assert await names.of(["U1"]) == {}
    assert directory.asked == ["U1"]
    directory.open.set()
    assert await names.of(["U1"]) == {"U1": "Name of U1"}
    await names.close()


async def test_failure_leaves_the_old_name_and_is_not_repeated_at_once() -> None:
    directory, clock = Directory(), HeldClock()
    names = Names(directory.name, clock)
    await names.of(["U1"])
    directory.fails = True
    clock.advance(FRESH + 1)
    assert await names.of(["U1", "U2"]) == {"U1": "Name of U1"}
    assert await names.of(["U1", "U2"]) == {"U1": "Name of U1"}
    assert len(directory.asked) == 3
    directory.fails = False
    clock.advance(UNKNOWN + 1)
    assert await names.of(["U2"]) == {"U2": "Name of U2"}


async def test_only_so_many_are_asked_for_at_a_time() -> None:
    names = Names(Directory().name, HeldClock())
    assert len(await names.of(f"U{number}" for number in range(50))) == MOST_ASKED


async def test_only_so_many_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 2)
    directory = Directory()
    names = Names(directory.name, HeldClock())
    for user in ("U1", "U2", "U3", "U1"):
        await names.of([user])
    assert directory.asked == ["U1", "U2", "U3", "U1"]


async def test_nothing_is_asked_any_more_once_it_is_closed() -> None:
    directory, before = Directory(), asyncio.all_tasks()
    directory.open.clear()
    names = Names(directory.name, HeldClock(), wait=0.01)
    await names.of(["U1"])
    await names.close()
    assert asyncio.all_tasks() == before
