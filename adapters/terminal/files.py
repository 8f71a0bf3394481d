"""Documents, saved where the program was started."""

from __future__ import annotations

from itertools import count
from pathlib import Path, PurePosixPath

from adapters.terminal.text import clean
from bot.messages import Document


def safe_name(name: str) -> str:
    """The last part of a name, which is neither hidden nor a path nor too long for a disk."""
    last = clean(name).replace("\\", "/").replace("\n", " ").rstrip("/").rpartition("/")[2]
    path = PurePosixPath(last.strip().lstrip(".") or "file")
    # 255 bytes is what a file system takes; four bytes a character leave room for " (1)".
    return path.stem[:50] + path.suffix[:10]


def save(document: Document, folder: Path) -> Path:
    """Write the document under its name, or under "name (1).ext" where that is taken.

    Raises OSError.
    """
    name = PurePosixPath(safe_name(document.name))
    for number in count():
        path = folder / (f"{name.stem} ({number}){name.suffix}" if number else str(name))
        try:
            with path.open("xb") as file:
                file.write(document.content)
        except FileExistsError:
            continue
        return path
    raise AssertionError  # count() has no end
