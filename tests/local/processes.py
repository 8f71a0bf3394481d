"""Processes that a test kills as the system would."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import pytest

on_linux = pytest.mark.skipif(
    not Path("/proc/self/stat").exists(), reason="processes are found in /proc"
)


def family(process: int) -> list[int]:
    """A process and all that it started, and those started."""
    parents = {
        int(stat.parent.name): int(parent) for stat in Path("/proc").glob("[0-9]*/stat")
        if (parent := parent_in(stat))
    }  # fmt: skip
    found = [process]
    for each in found:
        found += [child for child, parent in parents.items() if parent == each]
    return found


def parent_in(stat: Path) -> str:
    """The parent that /proc/PID/stat names; "" for a process that has just ended."""
    try:
        return stat.read_text().rpartition(")")[2].split()[1]
    except OSError:
        return ""


def trainer_of(server: int) -> int:
    """The process in which a server trains."""
    (found,) = (
        each
        for each in family(server)
        if b"bot.local.training" in Path(f"/proc/{each}/cmdline").read_bytes()
    )
    return found


def kill(processes: Iterable[int]) -> None:
    """SIGKILL at one moment, as far as they can tell: none sees another die."""
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for each in processes:
            with suppress(ProcessLookupError):
                os.kill(each, number)
