"""Whether a model fits, asked before the system ends the process without a word."""

from __future__ import annotations

from pathlib import Path

from bot.local.training.fault import TrainingFault

NEEDED = 6  # bytes for each weight: four for itself, the rest for what passes through
MEMORY = Path("/proc/meminfo")


def need(weights: int) -> None:
    """Raise TrainingFault where so many weights do not fit. Linux tells; others are trusted."""
    needed, free = weights * NEEDED / 1e9, available() / 1e9
    if needed > free:
        raise TrainingFault(
            "out_of_memory",
            f"Training this model takes about {needed:.1f} GB of memory, and {free:.1f} GB are "
            f"free: choose a smaller model, or make room.",
        )


def available() -> float:
    """Bytes that can be had without swapping, as Linux estimates them."""
    if not MEMORY.exists():
        return float("inf")
    lines = MEMORY.read_text(encoding="ascii").splitlines()
    return next(float(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))
