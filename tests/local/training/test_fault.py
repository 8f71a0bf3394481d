"""What the person reads when a training ends."""

from __future__ import annotations

import errno

import pytest

from bot.local.training.fault import TrainingFault, fault_of


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (TrainingFault("busy", "Busy."), "busy", "Busy."),
        (MemoryError(), "out_of_memory", "too little free memory"),
        (OSError(errno.ENOSPC, "No space left"), "disk_full", "make room and start it again"),
        (FileNotFoundError(errno.ENOENT, "No such file", "a.jsonl"), "file_error", "a.jsonl: No"),
        (ModuleNotFoundError(name="gguf"), "not_installed", "pip install 'tunebot"),
        (ZeroDivisionError("by 0"), "internal_error", "ZeroDivisionError: by 0"),
    ],
)
def test_error_is_told_with_what_to_do(error: Exception, code: str, words: str) -> None:
    fault = fault_of(error)
    assert fault.code == code
    assert words in fault.message
