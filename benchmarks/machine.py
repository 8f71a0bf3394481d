"""What a measurement needs to know of the machine, and how its figures are written down."""

from __future__ import annotations

import os
import platform
import resource
import shlex
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import quantiles

MIB = 1024**2


def pin(core: int) -> None:
    """Keep this process and its threads on one core, where the system can; counted from 0."""
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[core % len(cores)]})


def resident() -> float:
    """The MiB of memory that this process holds now; its peak where the system says no more."""
    statm = Path("/proc/self/statm")
    if not statm.exists():
        return peak()
    return int(statm.read_text().split()[1]) * resource.getpagesize() / MIB


def peak(process: int | str = "self") -> float:
    """The most MiB of memory that a process ever held; only Linux tells it of another one."""
    status = Path(f"/proc/{process}/status")
    if status.exists():  # Linux's ru_maxrss has the peak of the process that started this one
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
        return int(lines["VmHWM"].split()[0]) / 1024
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / MIB if sys.platform == "darwin" else most / 1024


def percentile(values: Sequence[float], percent: int) -> float:
    """The value below which so many percent of them are."""
    return quantiles(values, n=100, method="inclusive")[percent - 1]


def heading(module: str, arguments: Sequence[str]) -> str:
    """The line above a table: the command that makes it, the machine and the day."""
    command = shlex.join(["python", "-m", module, *arguments])
    python = f"{platform.python_implementation()} {platform.python_version()}"
    day = datetime.now(UTC).date().isoformat()
    load = os.getloadavg()[0]  # what else ran just before: below 0.5 on a quiet machine
    return (
        f"`{command}`: {processor()}, {os.cpu_count()} cores, {platform.system()}, {python}, "
        f"{day}, load before {load:.1f}"
    )


def processor() -> str:
    """The processor's name."""
    facts = Path("/proc/cpuinfo")
    lines = facts.read_text().splitlines() if facts.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown; all columns but the first are aligned right."""
    marks = [":--", *["--:"] * (len(columns) - 1)]
    return "\n".join(f"| {' | '.join(line)} |" for line in (columns, marks, *rows))


def target(what: str, found: str, *, met: bool) -> str:
    """A line that says whether a target is reached."""
    return f"- {'✓' if met else '✗'} {what}: {found}"
