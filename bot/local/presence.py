"""Which servers run on a data folder: a file for each, which its owner alone may read."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Server:
    """A server that runs, or one that was killed and could not say that it ended. `base` is what it
    trains, a file or a folder; "" for nothing.
    """

    process: int
    base_url: str
    key: str
    base: str = ""


def announce(folder: Path, server: Server) -> Path:
    """Say that a server runs; returns the file to delete at its end. Raises OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{server.process}-{server.base_url.rpartition(':')[2].split('/')[0]}.json"
    partial = path.with_suffix(".partial")
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(asdict(server), file)
    partial.replace(path)
    return path


def servers(folder: Path) -> Iterator[Server]:
    """The servers whose processes live; the files of others are deleted."""
    for path in sorted(folder.glob("*.json")):
        try:
            server = Server(**json.loads(path.read_bytes()))
            os.kill(server.process, 0)
        except PermissionError:
            continue  # somebody else's
        except (OSError, TypeError, ValueError):
            with suppress(OSError):  # somebody else's folder, or a faster process
                path.unlink()
        else:
            yield server
