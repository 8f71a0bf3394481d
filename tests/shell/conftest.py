"""`tunebot finetune` in a process of its own, and a service of jobs on this machine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.shell.stage import Shell
from tests.tuning_server import TuningServer


@pytest.fixture
async def tuning() -> AsyncIterator[TuningServer]:
    async with TuningServer() as tuning:
        yield tuning


@pytest.fixture
async def shell(tmp_path: Path, tuning: TuningServer) -> AsyncIterator[Shell]:
    shell = Shell(tmp_path, tuning)
    yield shell
    await shell.close()
