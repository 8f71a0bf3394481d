"""The memory of a process."""

from __future__ import annotations

import os
from pathlib import Path


def resident(process: int) -> int:
    """Bytes of a process that are in memory; 0 where the system does not say, as on macOS."""
    try:
        pages = int(Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1])
    except (OSError, IndexError, ValueError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")
