"""What the errors of torch and its friends mean for the person."""

from __future__ import annotations

from bot.local.training import fault
from bot.local.training.fault import TrainingFault

INSTALL = "install the extra with pip install 'tunebot[local-gpu]'"

# None of these has a type or a number of its own. torch writes its files through inline_container.
FULL = "No space left on device", "Disk quota exceeded", "inline_container"
NO_MEMORY = "out of memory", "can't allocate memory", "ALLOC_FAILED"


def fault_of(error: Exception) -> TrainingFault:
    """The fault that an exception means; see `bot.local.training.fault.fault_of`."""
    said = str(error)
    if isinstance(error, ModuleNotFoundError):
        return TrainingFault("not_installed", f"{error.name} is not installed: {INSTALL}.")
    if isinstance(error, RuntimeError) and any(each in said for each in NO_MEMORY):
        where = "The GPU" if "CUDA" in said else "This machine"
        return TrainingFault(
            "out_of_memory",
            f"{where} has too little free memory for this training: end what else uses it, or "
            f"choose shorter rows or a smaller model.",
        )
    if any(each in said for each in FULL):
        return fault.disk_full()
    return fault.fault_of(error)
