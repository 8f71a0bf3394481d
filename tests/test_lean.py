"""A start takes no more memory than what runs needs."""

from __future__ import annotations

import subprocess
import sys

HEAVY = {
    *("gguf", "matplotlib", "numpy", "openpyxl", "prompt_toolkit", "pygments", "rich"),
    *("slack_bolt", "slack_sdk", "telegram", "torch", "xllamacpp"),
}


def test_start_imports_nothing_that_only_some_bots_need() -> None:
    program = f"import sys, bot.cli; print({HEAVY} & set(sys.modules))"
    found = subprocess.run(  # noqa: S603 - our own
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert found.stdout == "set()\n"
