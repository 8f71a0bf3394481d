"""sqlite-utils without numpy, which it imports wherever that is installed: 12 MiB, and nothing here
stores numpy's numbers. To be imported before anything of sqlite-utils.
"""

from __future__ import annotations

import sys

if "numpy" not in sys.modules:
    sys.modules["numpy"] = None  # type: ignore[assignment]  # as the import system marks the absent
    import sqlite_utils as sqlite_utils  # noqa: PLC0414  for what it does to sys.modules

    del sys.modules["numpy"]
