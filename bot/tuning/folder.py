"""The folder of one draft: what a person sent, and what is made of it. Everything here blocks."""

from __future__ import annotations

import re
import shutil
from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath

MOST_NAME = 100  # bytes of a file's name, without its ending
NO_NAME = re.compile(r"[^\w. ()+-]+")


def clear(folder: Path, kept: Collection[Path]) -> None:
    """Delete a folder but for some files in it."""
    with suppress(FileNotFoundError):
        for path in folder.iterdir():
            if path not in kept:
                path.unlink(missing_ok=True)
    with suppress(OSError):  # something stays
        folder.rmdir()


def file_name(name: str) -> str:
    """The name of what a person sent, as a file can have it and a sentence can hold it: no folders,
    no marks, and short enough for what is added to it.
    """
    path = PurePosixPath(name.replace("\\", "/"))
    stem, ending = (NO_NAME.sub("-", part).strip("-.") for part in (path.stem, path.suffix))
    stem = stem.encode()[:MOST_NAME].decode("utf-8", "ignore")
    return f"{stem or 'data'}.{ending}" if 0 < len(ending) < 10 else stem or "data"


def in_a_folder(path: Path) -> None:
    """Make the folder of a file, which only its owner may read."""
    path.parent.mkdir(mode=0o700, parents=True)


def put_lines(lines: Sequence[str], path: Path) -> None:
    """Write lines into a file in a folder of its own, which only its owner may read."""
    in_a_folder(path)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def copied(source: Path, target: Path) -> None:
    """Copy a file into a folder of its own, which only its owner may read."""
    in_a_folder(target)
    shutil.copyfile(source, target)
