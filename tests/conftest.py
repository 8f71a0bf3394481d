"""What most tests start from: a scripted model, and a bot that asks it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import settings

from bot import log
from tests.fakes import Bot, configuration, running
from tests.scripted_model import ScriptedModel

log.configure("WARNING")
# How long an example takes says more of a busy machine than of the code.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")


@pytest.fixture
async def model() -> AsyncIterator[ScriptedModel]:
    async with ScriptedModel() as model:
        yield model


@pytest.fixture
async def bot(model: ScriptedModel, tmp_path: Path) -> AsyncIterator[Bot]:
    async with running(configuration(tmp_path, model.base_url)) as bot:
        yield bot
