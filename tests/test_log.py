"""The log, where it cannot be written."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from bot.log import StandardError


def test_line_that_cannot_be_written_disturbs_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = (tmp_path / "log").open("w")
    closed.close()
    log = StandardError()
    for stream in (closed, Unread(), None):
        monkeypatch.setattr(sys, "stderr", stream)
        assert log.write("a line\n") == 7
        log.flush()


class Unread(io.StringIO):
    """The end of a pipe that nobody reads any more."""

    def write(self, _: str) -> int:
        raise BrokenPipeError

    def flush(self) -> None:
        raise BrokenPipeError
