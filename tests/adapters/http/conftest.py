"""A server on a free port of this machine, with a scripted core behind it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.adapters.fake_core import FakeCore
from tests.adapters.http.stage import Server, serving


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serving() as server:
        yield server


@pytest.fixture
def core(server: Server) -> FakeCore:
    return server.core
