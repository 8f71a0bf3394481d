"""Why a training cannot go on."""

from __future__ import annotations

import errno

from bot.local.unavailable import INSTALL


class TrainingFault(Exception):
    """The end of a training: a sentence for the person who started it.

    `code` is for programs, `line` is the line of the data file, counted from 1, where there is one.
    It leaves the process as an event of type "error".
    """

    def __init__(self, code: str, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.line = line


def fault_of(error: Exception) -> TrainingFault:
    """The fault that an exception means for the person; "internal_error" where that is unknown."""
    if isinstance(error, TrainingFault):
        return error
    if isinstance(error, MemoryError):
        return TrainingFault(
            "out_of_memory",
            "This machine has too little free memory for this training: choose a smaller model or "
            "shorter rows.",
        )
    if isinstance(error, ModuleNotFoundError):
        return TrainingFault("not_installed", f"{error.name} is not installed: {INSTALL}.")
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return disk_full()
    if isinstance(error, OSError) and error.filename is not None:
        return TrainingFault("file_error", f"{error.filename}: {error.strerror}.")
    return TrainingFault("internal_error", f"{type(error).__name__}: {error}")


def disk_full() -> TrainingFault:
    return TrainingFault("disk_full", "The disk is full: make room and start it again.")
