"""A job of this machine that a shell leaves alone."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from filelock import FileLock

from bot.local import presence
from bot.local.engine import is_trained
from bot.local.jobs.database import Database
from bot.local.jobs.folder import Folder
from tests.local.api import MODEL
from tests.local.scripted import PATIENCE, STAND_IN, ScriptedLlama

ROWS = [f"how do I open door {n},press {n * 7}" for n in range(20)]
WAITS = (
    "It trains on this machine, so it waits until a tunebot with this configuration runs: "
    "tunebot run, or tunebot finetune follow "
)

Start = Callable[..., Awaitable[Process]]


@pytest.fixture
async def tunebot(tmp_path: Path, llama: ScriptedLlama) -> AsyncIterator[Start]:
    """Starts a tunebot on a folder in which no training begins."""
    del llama  # its environment is that of the processes
    model = tmp_path / f"{MODEL}.gguf"
    model.write_bytes(b"GGUF")
    (tmp_path / "tunebot.toml").write_text(
        f'data_folder = "{tmp_path}"\n[providers.local]\nkind = "local"\nmodel_file = "{model}"\n'
    )
    (tmp_path / "faq.csv").write_text("\n".join(["prompt,completion", *ROWS]) + "\n")
    processes = []

    async def start(*arguments: str) -> Process:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", *arguments),
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": f"{STAND_IN}{os.pathsep}{Path.cwd()}"},
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
        )
        processes.append(process)
        return process

    folder = Folder(tmp_path / "tuning")
    folder.make()
    with FileLock(folder.lock):
        yield start
        for process in processes:
            if process.returncode is None:
                process.kill()
                await process.wait()


async def ended(process: Process) -> tuple[int | None, str]:
    """The exit code, and what was said beside the cards."""
    async with asyncio.timeout(2 * PATIENCE):
        _, err = await process.communicate(b"")
    return process.returncode, err.decode()


async def test_person_is_told_that_it_waits_and_how_it_goes_on(tunebot: Start) -> None:
    start = "finetune", "start", "faq.csv", MODEL, "--yes"
    code, said = await ended(await tunebot(*start, "--detach"))
    assert (code, said.startswith(WAITS)) == (0, True)
    follower = await tunebot("finetune", "follow", "last")
    server = await tunebot("local", "status")
    assert server.stdout is not None
    async with asyncio.timeout(PATIENCE):
        while b"server http" not in (shown := await server.stdout.read()):
            assert b"No server runs" in shown
            server = await tunebot("local", "status")
            assert server.stdout is not None
    follower.send_signal(signal.SIGINT)
    code, said = await ended(follower)
    assert (code, said.startswith(WAITS)) == (130, True)


async def test_where_a_server_runs_the_job_goes_on_there(tunebot: Start) -> None:
    server = await tunebot("local", "serve", "--port", "0")
    assert server.stdout is not None
    async with asyncio.timeout(PATIENCE):
        while b"is fine-tuned at" not in (line := await server.stdout.readline()):
            assert line, "it ended"
    start = "finetune", "start", "faq.csv", MODEL, "--yes", "--detach"
    assert await ended(await tunebot(*start)) == (0, "")


async def test_server_that_trains_another_base_does_not_count(
    tunebot: Start, tmp_path: Path
) -> None:
    start = "finetune", "start", "faq.csv", MODEL, "--yes", "--detach"
    await ended(await tunebot(*start))
    tuning = Folder(tmp_path / "tuning")
    folder = tmp_path / "model"
    folder.mkdir()
    with Database(tuning.database).transaction() as tables:
        job = tables.every_job()[0]
        tables.put_job(replace(job, base=str(folder)))
    for base, counts in (str(tmp_path / "tiny.gguf"), False), ("", False), (str(folder), True):
        server = presence.Server(os.getpid(), "http://127.0.0.1:1/v1", "key", base)
        place = presence.announce(tuning.servers, server)
        assert is_trained(tuning, job.id) is counts
        place.unlink()
    with Database(tuning.database).transaction() as tables:
        tables.put_job(job)
    other = presence.Server(os.getpid(), "http://127.0.0.1:1/v1", "key", str(folder))
    presence.announce(tuning.servers, other)
    assert is_trained(tuning, job.id), "whatever a server trains, it trains files, too"
