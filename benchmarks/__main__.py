"""All figures of the README: `python -m benchmarks [--quick]`."""

import subprocess
import sys

FIGURES = {  # and what makes each quick
    "turns": ("--quick",),
    "http": ("--quick",),
    "telegram": ("--quick",),
    "slack": ("--quick",),
    "store": ("--quick",),
    "floor": ("--quick",),
    "prepare": ("--quick",),
    "training": ("--quick",),
    "beside": ("--rounds", "1"),
    "trl": ("--rows", "4"),
    "tuning": ("--jobs", "20", "--seconds", "10"),
}

# Each in a process of its own: what one keeps to a core, and the memory it took, is not the next's.
for figure, quickly in FIGURES.items():
    options = quickly if "--quick" in sys.argv[1:] else ()
    subprocess.run([sys.executable, "-m", f"benchmarks.{figure}", *options], check=True)
