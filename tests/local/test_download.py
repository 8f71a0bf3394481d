"""Looking at a download does not end it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from bot.local.download import wheels_in


def test_a_folder_that_pip_takes_away_meanwhile_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "model.whl").touch()
    (tmp_path / "pip-unpack").mkdir()
    scandir = os.scandir

    def gone(path: Any) -> Any:
        if str(path).endswith("pip-unpack"):
            raise FileNotFoundError(path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", gone)
    assert wheels_in(tmp_path) == [tmp_path / "model.whl"]
