"""The process where torch is not: what it says then needs none of it."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from bot.local.training.spec import Spec


def run(file: Path) -> list[dict[str, Any]]:
    command = [sys.executable, "-P", "-m", "bot.local.trl", "--beside", "base.gguf", str(file)]
    done = subprocess.run(command, stdout=subprocess.PIPE, timeout=60, check=False)  # noqa: S603
    assert done.returncode == 1
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.skipif(find_spec("torch") is not None, reason="torch is installed here")
def test_missing_package_is_named_with_the_extra(tmp_path: Path) -> None:
    spec = Spec(model=tmp_path, training_file=tmp_path, kind="chat", output=tmp_path / "output")
    file = tmp_path / "spec.json"
    file.write_text(spec.model_dump_json())
    (error,) = run(file)
    assert (error["type"], error["code"]) == ("error", "not_installed")
    assert error["message"].endswith("install the extra with pip install 'tunebot[local-gpu]'.")


def test_spec_that_is_none_is_told(tmp_path: Path) -> None:
    file = tmp_path / "spec.json"
    file.write_text("{}")
    (error,) = run(file)
    assert error["code"] == "invalid_spec"
