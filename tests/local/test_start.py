"""Starts that fail, each with its sentence. xllamacpp is a stand-in where its failure is meant."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from bot.errors import LocalUnavailable
from bot.local import LocalServer
from bot.local.child import failure
from bot.local.generations import Generations
from bot.local.serving import cores, pause
from bot.messages import Provider


@pytest.fixture
def provider(tmp_path: Path) -> Provider:
    """A file that begins as a GGUF file does, and is none."""
    path = tmp_path / "broken.gguf"
    path.write_bytes(b"GGUF" + bytes(100))
    return Provider(name="local", kind="local", model_file=str(path))


async def refusal(provider: Provider, start_timeout: float = 60.0) -> str:
    server = LocalServer(provider, Path(provider.model_file).parent, start_timeout)
    with pytest.raises(LocalUnavailable) as refused:
        await server.start()
    assert not server.alive
    await server.stop()
    sentence = str(refused.value)
    assert sentence.startswith("Local mode is not available here: ")
    assert sentence.endswith("configure a provider: see [providers] in config.example.toml.")
    assert "\n" not in sentence
    return sentence


@pytest.mark.usefixtures("bare_python")
async def test_extra_that_is_not_installed_is_said(provider: Provider) -> None:
    assert await refusal(provider) == (
        "Local mode is not available here: the package xllamacpp is not installed; install the "
        "extra with pip install 'tunebot[local]', or configure a provider: see [providers] in "
        "config.example.toml."
    )


async def test_file_that_llama_cpp_refuses_is_said_in_its_words(provider: Provider) -> None:
    pytest.importorskip("xllamacpp")
    assert "llama.cpp says: " in await refusal(provider)


@pytest.mark.parametrize(
    ("stand_in", "sentence"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGILL)", "the processor lacks"),
        ("import os; os.abort()", "the child process ended with status -6 (it said nothing)"),
        ("raise ImportError('GLIBC_2.28 not found')", "ImportError: GLIBC_2.28 not found"),
        ("", "module 'xllamacpp' has no attribute 'CommonParams'"),
    ],
)
async def test_machine_without_llama_cpp_is_told_why(
    stand_in: str,
    sentence: str,
    provider: Provider,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "xllamacpp.py").write_text(stand_in)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert sentence in await refusal(provider)


async def test_load_that_takes_too_long_is_ended(
    provider: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "xllamacpp.py").write_text("import threading; threading.Event().wait()")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert "did not load within 0.5 seconds" in await refusal(provider, start_timeout=0.5)


async def test_key_is_seen_neither_in_arguments_nor_in_the_environment(
    provider: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = tmp_path / "seen.json"
    (tmp_path / "xllamacpp.py").write_text(
        "import json, os, sys\n"
        f"open({str(seen)!r}, 'w').write(json.dumps([sys.orig_argv, dict(os.environ)]))\n"
        "raise ImportError('seen')"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    server = LocalServer(provider, tmp_path)
    with pytest.raises(LocalUnavailable) as refused:
        await server.start()
    await server.stop()
    assert isinstance(server._served, Generations)
    for key in (server.key, server._served._settings.key):
        assert key not in seen.read_text()
        assert key not in str(refused.value)
    assert json.loads(seen.read_text())[1]["PYTHONPATH"] == str(tmp_path)


def test_first_error_of_llama_cpp_is_the_one_that_is_said() -> None:
    said = (
        "0.00.002.100 I srv          init: initializing ...\n"
        "0.00.002.375 E srv         start: couldn't bind HTTP server socket, port: 8125\n"
        "0.00.002.511 E srv          init: exiting due to HTTP server error\n"
    )
    error = failure({"error": "RuntimeError: Failed to init server"}, 1, said)
    assert "says: couldn't bind HTTP server socket, port: 8125; configure" in str(error)


def test_restarts_are_at_once_then_later_and_later() -> None:
    assert [pause(deaths) for deaths in (0, 1, 2, 3, 5, 6, 60)] == [0, 1, 2, 4, 16, 30, 30]


def test_threads_are_the_cores_that_this_process_may_use() -> None:
    assert 1 <= cores() <= min(os.cpu_count() or 1, 8)
