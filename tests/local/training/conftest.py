"""What the tests of training share: a tiny model, and trainings of it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import platformdirs
import pytest

from bot.errors import LocalUnavailable
from bot.local.model import packaged_model
from bot.local.training.events import Event
from bot.local.training.spec import Spec
from bot.local.training.trainer import train
from tests.local.training.tiny import Bytes, lines, tiny_llama

CACHE = Path(os.environ.get("TUNEBOT_TEST_CACHE", platformdirs.user_cache_dir("tunebot-tests")))

Train = Callable[..., list[Event]]


@contextmanager
def bytes_tokenizer(_model: Path, _end: int) -> Iterator[Bytes]:
    yield Bytes()


@pytest.fixture
def spec(tmp_path: Path) -> Spec:
    """Ten questions and answers, two epochs of five steps."""
    rows = [{"prompt": f"q{each} ->", "completion": f" {each * 7 % 10}\n"} for each in range(10)]
    return Spec(
        model=tiny_llama(tmp_path / "tiny.gguf"),
        training_file=lines(tmp_path / "training.jsonl", *rows),
        kind="completion",
        epochs=2,
        batch_size=2,
        rank=4,
        output=tmp_path / "output",
    )


@pytest.fixture
def training(spec: Spec) -> Train:
    """Train in this process with some fields of the spec changed, and return the events.

    Its clock goes on by one second with each event.
    """

    def run(**fields: Any) -> list[Event]:
        said: list[Event] = []
        changed = spec.model_copy(update=fields)
        train(changed, said.append, bytes_tokenizer, lambda: float(len(said)))
        return said

    return run


@pytest.fixture(scope="session")
def smollm() -> Path:
    """The real model."""
    required = os.environ.get("CI") == "true"
    if find_spec("xllamacpp") is None and not required:
        pytest.skip("xllamacpp is not installed")
    try:
        return asyncio.run(packaged_model(CACHE))
    except LocalUnavailable as error:
        if required:
            raise
        pytest.skip(str(error))
