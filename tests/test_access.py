"""Who is let in, and how often."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.access import Access
from bot.config import Access as Rules
from bot.errors import AccessDenied, TooFast
from bot.messages import Person
from bot.store import Store
from tests.clock import HeldClock

ANN, BOB, EVE = Person("fake:ann"), Person("fake:bob"), Person("other:eve")


@pytest.fixture
def access(tmp_path: Path) -> Access:
    rules = Rules(users=("fake:*",), messages_per_minute=2)
    return Access(rules, Store(tmp_path / "bot.db", HeldClock()))


def test_a_stranger_is_told_who_can_let_them_in(access: Access) -> None:
    with pytest.raises(AccessDenied, match="adding 'other:eve' to users"):
        access.admit(EVE, 0.0, at_once=True)


def test_more_than_fit_into_a_minute_wait_for_the_next(access: Access) -> None:
    for second in (10.0, 20.0):
        access.admit(ANN, second)
        access.count(ANN.id, second)
    with pytest.raises(TooFast, match="again in 31 s"):
        access.admit(ANN, 29.5)
    access.admit(BOB, 29.5)
    access.admit(ANN, 60.0)


def test_what_is_done_at_once_is_never_too_fast(access: Access) -> None:
    for _ in range(2):
        access.count(ANN.id, 0.0)
    access.admit(ANN, 0.0, at_once=True)
