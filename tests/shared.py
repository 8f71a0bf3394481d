"""Contracts and hostile data that stand beside the checkout where the project is built.

They are not part of it: a test that reads them is skipped where they are not.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parent.parent.parent / "shared"


@cache
def shared(name: str) -> Any:
    """A JSON file of the shared folder."""
    file = FOLDER / name
    if not file.exists():
        pytest.skip(f"../shared/{name} is not here")
    return json.loads(file.read_text(encoding="utf-8"))
