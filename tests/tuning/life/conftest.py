"""A service of fine-tune jobs without a key, in a time that the test holds."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.clock import StoppedClock
from tests.tuning_server import TuningServer


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
async def tuning(clock: StoppedClock) -> AsyncIterator[TuningServer]:
    async with TuningServer(key="", now=clock.now) as tuning:
        yield tuning
