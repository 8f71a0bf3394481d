"""What the tests of the local provider share."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest


@pytest.fixture
def bare_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An interpreter without any installed package, neither pip nor xllamacpp."""
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S "$@"\n')
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
