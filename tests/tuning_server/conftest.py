"""A service whose time stands still."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.clock import HeldClock
from tests.tuning_server import TuningServer


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock()


@pytest.fixture
async def tuning(clock: HeldClock) -> AsyncIterator[TuningServer]:
    async with TuningServer(now=clock.now) as tuning:
        yield tuning


@pytest.fixture
async def client(tuning: TuningServer) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Authorization": f"Bearer {tuning.key}"}
    async with httpx.AsyncClient(base_url=tuning.base_url, headers=headers) as client:
        yield client
