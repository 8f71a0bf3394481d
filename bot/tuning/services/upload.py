"""A file on its way to a service."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from bot.errors import TuningError

# https://platform.openai.com/docs/api-reference/files/create
LARGEST = 512 * 1024**2


class Upload:
    """A file that is read from the disk piece by piece, as httpx sends it; `on_progress` hears how
    many bytes went so far. Raises TuningError for one that cannot be read or that no service takes.
    """

    def __init__(self, path: Path, name: str, on_progress: Callable[[int], None]) -> None:
        try:
            self.size = path.stat().st_size
            self._file = path.open("rb")
        except OSError as error:
            raise TuningError(f"{name} cannot be read: {error.strerror}.") from None
        self._on_progress = on_progress
        self._sent = 0
        if self.size > LARGEST:
            self._file.close()
            raise TuningError(
                f"{name} has {self.size / 1024**2:,.0f} MB, and a service takes 512 MB at most:"
                " leave examples out."
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def fileno(self) -> int:
        """The file for the system, from which httpx knows the length."""
        return self._file.fileno()

    def read(self, size: int = -1) -> bytes:
        """The next piece, once the one before has gone."""
        self._on_progress(self._sent)
        piece = self._file.read(size)
        self._sent += len(piece)
        return piece
