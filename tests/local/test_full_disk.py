"""A disk that is really full: a small one, which a server has for itself."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import openai
import pytest

from bot.local.training import events
from bot.local.training.fault import TrainingFault
from tests.local.api import MODEL, Api, client_of
from tests.local.scripted import ScriptedTrainer
from tests.local.test_api_death import SERVER

APART = ("unshare", "--user", "--map-root-user", "--mount")
MOUNT = 'mount -t tmpfs -o size=4m tmpfs "$1" && printf GGUF > "$2" && shift 2 && exec "$@"'


@pytest.fixture(scope="module", autouse=True)
def _disk_can_be_had() -> None:
    """Skip where no disk can be mounted that only one process sees."""
    try:
        subprocess.run(  # noqa: S603 - our own
            [*APART, "mount", "-t", "tmpfs", "tmpfs", "/mnt"], check=True, capture_output=True
        )
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no disk of its own can be mounted here ({error})")


@pytest.fixture
async def small(tmp_path: Path, llama: Any, trainer: ScriptedTrainer) -> AsyncIterator[Api]:
    """A server on a disk of 4 MB, in a process of its own; `root` is where that process sees it."""
    del llama  # its environment is that of the server's child
    model = tmp_path / f"{MODEL}.gguf"
    given = json.dumps([str(tmp_path), str(model), trainer.command])
    process = await asyncio.create_subprocess_exec(
        *(*APART, "sh", "-c", MOUNT, "sh", str(tmp_path), str(model)),
        *(sys.executable, "-c", SERVER, given),
        stdout=PIPE,
    )
    assert process.stdout is not None
    try:
        base_url, key = json.loads(await process.stdout.readline())
        root = Path(f"/proc/{process.pid}/root", *tmp_path.parts[1:])
        server: Any = SimpleNamespace(base_url=base_url, key=key, root=root)
        async with client_of(server) as api:
            yield api
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def root_of(api: Api) -> Path:
    server: Any = api.server
    root: Path = server.root
    return root


def fill(folder: Path) -> Path:
    """Leave no byte; returns the file to delete."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (1 << 16, 1 << 10, 1):
            try:
                while file.write(bytes(size)):
                    pass
            except OSError:
                continue
    assert os.statvfs(folder).f_bavail == 0
    return ballast


async def test_jobs_are_read_on_a_full_disk_and_what_is_written_is_refused(
    small: Api, trainer: ScriptedTrainer
) -> None:
    file = await small.upload()
    job = await small.create(file)
    run = await trainer.run()
    await run.begins()
    await run.steps(1)
    await small.says(job.id, "Step 1/4")
    ballast = fill(root_of(small))
    for _ in range(3):
        assert (await small.sdk.fine_tuning.jobs.retrieve(job.id)).status == "running"
        assert [each.id async for each in small.sdk.fine_tuning.jobs.list()] == [job.id]
        assert await small.told(job.id)
    for asking in (small.upload(), small.create(file)):
        with pytest.raises(openai.InternalServerError) as refused:
            await asking
        assert (refused.value.status_code, refused.value.code) == (507, "disk_full")
    ballast.unlink()
    await run.steps(2)
    await small.says(job.id, "Step 2/4")


async def test_job_that_finds_the_disk_full_ends_with_that_reason(
    small: Api, trainer: ScriptedTrainer
) -> None:
    job = await small.create()
    run = await trainer.run()
    await run.begins()
    await run.steps(1)
    await small.says(job.id, "Step 1/4")
    fill(root_of(small))
    await run.tells(events.error(TrainingFault("disk_full", "The disk is full.")))
    ended = await small.has(job.id, "failed")
    assert ended.error is not None
    assert ended.error.code == "disk_full"
    assert trainer.waiting == 0
