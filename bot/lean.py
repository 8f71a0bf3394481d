"""structlog and httpx without rich, which they import wherever it is installed: 3 MiB, and nothing
here shows tracebacks in colours or uses httpx's own command. To be imported before either.
"""

from __future__ import annotations

import sys

ABSENT = ("pygments", "rich")

if not {*ABSENT, "httpx", "structlog"} & sys.modules.keys():
    # As the import system marks what is not there.
    sys.modules.update(dict.fromkeys(ABSENT))  # type: ignore[arg-type]
    import httpx as httpx  # noqa: PLC0414  for what it does to sys.modules
    import structlog as structlog  # noqa: PLC0414

    for name in ABSENT:
        del sys.modules[name]
