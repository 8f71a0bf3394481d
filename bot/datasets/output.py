"""The files that a preparation writes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from itertools import compress, count
from pathlib import Path
from typing import BinaryIO

from bot.datasets.pairs import OTHER
from bot.errors import DatasetError

PREPARED = "_prepared"
MOST_STEM = 180  # bytes of a file's name that are kept; file systems take 255


def free_names(folder: Path, stem: str, *, split: bool) -> list[Path]:
    """The first names under which nothing exists: `X_prepared.jsonl`, or the two for a split."""
    stem = stem.encode()[:MOST_STEM].decode(errors="ignore")
    endings = ("_train", "_valid") if split else ("",)
    for number in count():
        again = f" ({number})" if number else ""
        names = [folder / f"{stem}{PREPARED}{ending}{again}.jsonl" for ending in endings]
        if not any(name.exists() for name in names):
            return names
    raise AssertionError  # count never ends


def write_parts(names: Sequence[Path], batches: Iterable[tuple[bytes, bytes]]) -> list[int]:
    """Write batches of whole lines, the first part to the first file, the second to the second, and
    give the files' sizes in bytes. A file appears when it is whole. Raises DatasetError where the
    disk does not take them.
    """
    parts = [name.with_name(f".{name.name}.part") for name in names]
    try:
        with ExitStack() as stack:
            files: list[BinaryIO] = [stack.enter_context(part.open("wb")) for part in parts]
            for batch in batches:
                for file, lines in zip(files, batch, strict=False):
                    file.write(lines)
        for part, name in zip(parts, names, strict=True):
            part.replace(name)
    except OSError as error:
        raise DatasetError(f"The prepared file cannot be written: {error.strerror}.") from error
    finally:
        for part in parts:
            part.unlink(missing_ok=True)
    return [name.stat().st_size for name in names]


def parted(
    lines: Iterable[list[bytes]], marks: bytes, progress: Callable[[float], None]
) -> Iterator[tuple[bytes, bytes]]:
    """Lines in two parts: those that are not marked by a 1, and those that are."""
    begin = 0
    for batch in lines:
        valid = marks[begin : begin + len(batch)]
        begin += len(batch)
        if 1 in valid:
            train = b"".join(compress(batch, valid.translate(OTHER)))
            yield train, b"".join(compress(batch, valid))
        else:
            yield b"".join(batch), b""
        progress(begin / len(marks))
