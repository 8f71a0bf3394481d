"""How long preparing training data takes, beside the original tool: openai 0.28.1's prepare_data.

    python -m benchmarks.prepare [--quick]

The rows are made anew for each run: about 360 bytes each, one in fifty repeated. Each measurement
is a process of its own that is started, examines the file and writes it with all that is
recommended; its time begins before the start.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import NamedTuple

from benchmarks.machine import heading, table, target

COLUMNS = ("Rows", "Size, MB", "Tool", "Seconds", "Peak, MB", "Rows written")
OURS = """
import sys
from pathlib import Path
from bot.datasets.preparation import Preparation
path = Path(sys.argv[1])
with Preparation(path) as preparation:
    preparation.examine()
    preparation.write(path.parent)
"""
ORIGINAL = """
import sys
from types import SimpleNamespace
from openai.cli import FineTune
FineTune.prepare_data(SimpleNamespace(file=sys.argv[1], quiet=True))
"""
# What a process used at most is said by its parent: Linux counts that of children that ended.
MEASURED = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""
ORACLE = Path(".venv/oracle/bin/python")
MOST_SECONDS, MOST_MB = 16.0, 500.0
TIMES_FASTER, PART_OF_MEMORY = 3.0, 0.2


class Took(NamedTuple):
    """What one run took."""

    seconds: float
    megabytes: float
    rows: int


def make(path: Path, rows: int) -> None:
    """Write rows of prompts and completions."""
    random = Random(rows)
    words = [f"word{random.randrange(10**5)}" for _ in range(3000)]
    with path.open("w", encoding="utf-8") as file:
        for number in range(rows):
            different = number - 1 if number % 50 == 49 else number
            random.seed(different)
            prompt = " ".join(random.choices(words, k=20))
            completion = " ".join(random.choices(words, k=12))
            row = {"prompt": f"{prompt} {different}", "completion": f"{completion} {different}"}
            file.write(json.dumps(row) + "\n")


def measure(python: str | Path, code: str, path: Path) -> Took:
    """Prepare a file in a new process, and delete what it wrote."""
    command = [sys.executable, "-c", MEASURED, str(python), "-c", code, str(path)]
    start = time.monotonic()
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    seconds = time.monotonic() - start
    written = path.with_name(f"{path.stem}_prepared.jsonl")
    with written.open("rb") as file:
        rows = sum(1 for _ in file)
    written.unlink()
    return Took(seconds, int(done.stdout.split()[-1]) * 1024 / 1e6, rows)


def line(rows: int, path: Path, tool: str, took: Took) -> Sequence[str]:
    """A line of the table."""
    size = path.stat().st_size / 1e6
    seconds, memory = f"{took.seconds:.1f}", f"{took.megabytes:.0f}"
    return [f"{rows:,}", f"{size:.0f}", tool, seconds, memory, f"{took.rows:,}"]


def main() -> None:
    """Print the table and the targets."""
    title = heading("benchmarks.prepare", sys.argv[1:])
    quick = "--quick" in sys.argv[1:]
    lines, targets = [], []
    with TemporaryDirectory(dir=".", prefix=".benchmark-") as folder:
        for rows in (20_000,) if quick else (100_000, 400_000, 1_000_000):
            path = Path(folder) / f"{rows}.jsonl"
            make(path, rows)
            ours = measure(sys.executable, OURS, path)
            lines.append(line(rows, path, "tunebot", ours))
            if rows == 1_000_000:
                met = ours.seconds <= MOST_SECONDS and ours.megabytes <= MOST_MB
                found = f"{ours.seconds:.1f} s, {ours.megabytes:.0f} MB"
                goal = f"{MOST_SECONDS:.0f} s and {MOST_MB:.0f} MB for a million rows"
                targets.append(target(goal, found, met=met))
            elif ORACLE.exists():
                theirs = measure(ORACLE.absolute(), ORIGINAL, path)
                lines.append(line(rows, path, "original", theirs))
                faster = theirs.seconds / ours.seconds
                part = ours.megabytes / theirs.megabytes
                met = faster >= TIMES_FASTER and part <= PART_OF_MEMORY
                found = f"{faster:.1f} times faster, {part:.2f} of its memory"
                goal = f"{TIMES_FASTER:.0f} times faster in a fifth of the memory, {rows:,} rows"
                targets.append(target(goal, found, met=met))
            path.unlink()
    print(f"\n{title}\n")
    print(table(COLUMNS, lines))
    print()
    print("\n".join(targets))


if __name__ == "__main__":
    main()
