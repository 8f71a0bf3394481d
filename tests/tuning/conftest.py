"""A service of fine-tune jobs and a client of it, in a time that the test holds."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from bot.messages import Provider
from bot.tuning.services import services
from bot.tuning.services.openai import OpenAiTuning
from tests.clock import HeldClock
from tests.tuning_server import TuningServer

CHAT = b"".join(
    b'{"messages":[{"role":"user","content":"Q%d"},{"role":"assistant","content":"A%d"}]}\n'
    % (number, number)
    for number in range(10)
)
PAIRS = b"".join(
    b'{"prompt":"Customer: Q%d\\nAgent:","completion":" A%d.\\n"}\n' % (number, number)
    for number in range(10)
)

Services = Callable[..., OpenAiTuning]


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock()


@pytest.fixture
async def tuning(clock: HeldClock) -> AsyncIterator[TuningServer]:
    """OpenAI's surface and the legacy one."""
    async with TuningServer(now=clock.now) as tuning:
        yield tuning


@pytest.fixture
async def azure(clock: HeldClock) -> AsyncIterator[TuningServer]:
    async with TuningServer(azure=True, now=clock.now) as tuning:
        yield tuning


@pytest.fixture
async def service_of(clock: HeldClock) -> AsyncIterator[Services]:
    """Make services whose provider has these fields, closed at the end."""
    async with AsyncExitStack() as stack:

        def make(server: TuningServer, kind: str = "openai", **fields: Any) -> OpenAiTuning:
            usual = {"base_url": server.base_url, "api_key_env": "OPENAI_API_KEY"}
            key = fields.pop("key", server.key)
            provider = Provider("openai", kind=kind, **(usual | fields))  # type: ignore[arg-type]
            made = services({"openai": provider}, {"openai": key}, clock, jitter=lambda: 1.0)
            stack.push_async_callback(made["openai"].aclose)
            return made["openai"]

        yield make


@pytest.fixture
def service(tuning: TuningServer, service_of: Services) -> OpenAiTuning:
    """A client of `tuning` on OpenAI's surface."""
    return service_of(tuning)


@pytest.fixture
def legacy(tuning: TuningServer, service_of: Services) -> OpenAiTuning:
    """A client of `tuning` on the legacy surface."""
    return service_of(tuning, "legacy")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Ten examples of a chat."""
    return written(tmp_path / "support.jsonl", CHAT)


def written(path: Path, content: bytes) -> Path:
    """A file with this content."""
    path.write_bytes(content)
    return path
