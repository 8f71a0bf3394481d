"""What the tests of training with torch share: one process that has it, and tiny models."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import IO, Any, cast

import pytest

from bot.local.training.spec import Spec
from tests.local.training.tiny import lines
from tests.local.trl.tiny import tiny_model

ENVIRONMENT = Path(__file__).parents[3] / ".venv" / "torch"
TORCH = ENVIRONMENT / "bin" / "python"
PATIENCE = 100  # seconds

Events = list[dict[str, Any]]


@pytest.fixture(scope="session")
def torch_python() -> str:
    """The interpreter that has torch; the test is skipped where there is none."""
    if not (ENVIRONMENT / "ready").exists():
        pytest.skip("there is no environment with torch: the Makefile says how it is made")
    return str(TORCH)


class Laboratory:
    """tests/local/trl/laboratory.py, seen from a test."""

    def __init__(self, process: subprocess.Popen[str], models: Path) -> None:
        self._process = process
        self.models = models
        self._made: dict[str, tuple[Path, Path]] = {}
        self._numbers = count()

    def ask(self, experiment: str, **given: Any) -> Any:
        orders, answers = cast(IO[str], self._process.stdin), cast(IO[str], self._process.stdout)
        number = next(self._numbers)
        orders.write(json.dumps([number, experiment, given], default=str) + "\n")
        orders.flush()
        while line := answers.readline():
            answered, found = json.loads(line)
            if answered == number:  # and not what a test that timed out has asked
                return found
        raise AssertionError("the laboratory has died: its complaint is above")

    def model(self, kind: str = "llama") -> tuple[Path, Path]:
        """The folder and the GGUF file of a model."""
        if kind not in self._made:
            self._made[kind] = tiny_model(self.models / kind, kind)
        return self._made[kind]

    def train(self, spec: Spec, beside: Path | None = None, **given: Any) -> Events:
        """The events of a training."""
        told: Events = self.ask(
            "training", spec=spec.model_dump(mode="json"), beside=beside, **given
        )
        return told


@pytest.fixture(scope="session")
def laboratory(torch_python: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laboratory]:
    command = [torch_python, "-P", str(Path(__file__).with_name("laboratory.py"))]
    with subprocess.Popen(  # noqa: S603 - our own
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield Laboratory(process, tmp_path_factory.mktemp("models"))
        cast(IO[str], process.stdin).close()
        process.wait(PATIENCE)


@pytest.fixture
def spec(laboratory: Laboratory, tmp_path: Path) -> Spec:
    return spec_in(laboratory, tmp_path)


@pytest.fixture(scope="session")
def whole(laboratory: Laboratory, tmp_path_factory: pytest.TempPathFactory) -> Events:
    """The events of a training that nobody disturbed."""
    spec = spec_in(laboratory, tmp_path_factory.mktemp("whole"))
    return laboratory.train(spec, laboratory.model()[1])


def spec_in(laboratory: Laboratory, folder: Path) -> Spec:
    """Ten questions and answers, two epochs of five steps."""
    rows = [{"prompt": f"q{each} ->", "completion": f" {each * 7 % 10}\n"} for each in range(10)]
    return Spec(
        model=laboratory.model()[0],
        training_file=lines(folder / "training.jsonl", *rows),
        kind="completion",
        epochs=2,
        batch_size=2,
        rank=4,
        output=folder / "output",
    )
