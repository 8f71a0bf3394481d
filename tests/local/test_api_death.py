"""The server and the training are killed with SIGKILL, both or one, and nothing is lost."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bot.local.training import events
from tests.local.api import MODEL, Api, client_of
from tests.local.scripted import Run, ScriptedTrainer

SERVER = """
import asyncio, json, pathlib, sys
from bot import log
from bot.local import LocalServer
from bot.messages import Provider
log.configure("ERROR")
async def main():
    folder, model, trainer = json.loads(sys.argv[1])
    provider = Provider("local", kind="local", model_file=model)
    server = LocalServer(provider, pathlib.Path(folder), trainer=trainer)
    await server.start()
    print(json.dumps([server.base_url, server.key]), flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""


@asynccontextmanager
async def living(
    folder: Path, trainer: ScriptedTrainer, script: str = SERVER, log: int | None = None
) -> AsyncIterator[tuple[Process, Api]]:
    """A server in a process of its own, which is killed at the end if it was not before. Its log
    goes to the file `log`.
    """
    model = folder / f"{MODEL}.gguf"
    model.write_bytes(b"GGUF")
    given = json.dumps([str(folder), str(model), trainer.command])
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", script, given), stdout=PIPE, stderr=log
    )
    assert process.stdout is not None
    try:
        base_url, key = json.loads(await process.stdout.readline())
        server: Any = SimpleNamespace(base_url=base_url, key=key)
        async with client_of(server) as api:
            yield process, api
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def begun(api: Api, trainer: ScriptedTrainer) -> tuple[str, Run]:
    """A job in its second epoch."""
    job = await api.create(hyperparameters={"n_epochs": 2})
    run = await trainer.run()
    await run.begins()
    await run.steps(1, 2)
    await run.checks_in(2)
    await run.steps(3)
    async with asyncio.timeout(30):
        while not any(line.startswith("Step 3/") for line in await api.told(job.id)):
            pass
    return job.id, run


async def goes_on(run: Run) -> None:
    """What the training says after its death: what was told since its last state, and the rest."""
    await run.begins()
    await run.tells(events.resumed(2))
    await run.checks_in(2)
    await run.steps(3, 4)
    await run.checks_in(4)
    await run.done()


async def whole(api: Api, job: str) -> None:
    """The job has ended well, and everything was told once."""
    ended = await api.has(job, "succeeded")
    told = await api.told(job)
    assert len(told) == len(set(told))
    steps = [line for line in told if line.startswith(("Step", "Checkpoint"))]
    assert [line.split(":")[0] for line in steps] == [
        "Step 1/4",
        "Step 2/4",
        "Checkpoint created at step 2",
        "Step 3/4",
        "Step 4/4",
        "Checkpoint created at step 4",
    ]
    assert await api.ask(ended.fine_tuned_model or "") == "adapter-4.gguf says hi"


@pytest.mark.usefixtures("llama")
@pytest.mark.parametrize("trainer_dies", [True, False])
async def test_job_goes_on_after_the_death_of_the_server(
    trainer_dies: bool, tmp_path: Path, trainer: ScriptedTrainer
) -> None:
    async with living(tmp_path, trainer) as (server, api):
        job, run = await begun(api, trainer)
        if trainer_dies:
            os.kill(run.process, signal.SIGSTOP)  # so that it cannot be heard dying before
        server.kill()
        await server.wait()
    os.kill(run.process, signal.SIGKILL)
    await run.ended()
    async with living(tmp_path, trainer) as (_, api):
        await goes_on(await trainer.run())
        await whole(api, job)


@pytest.mark.usefixtures("llama")
async def test_trainer_that_outlives_its_server_is_waited_for(
    tmp_path: Path, trainer: ScriptedTrainer
) -> None:
    async with living(tmp_path, trainer) as (server, api):
        job, _ = await begun(api, trainer)
        server.kill()
        await server.wait()
    async with living(tmp_path, trainer) as (_, api):
        busy = await trainer.run()
        fault: Any = {"type": "error", "level": "error", "message": "busy", "code": "busy"}
        await busy.tells({**fault, "line": None})
        await busy.ended()
        assert (await api.sdk.fine_tuning.jobs.retrieve(job)).status == "running"
        await goes_on(await trainer.run())
        await whole(api, job)


@pytest.mark.usefixtures("llama")
async def test_another_server_takes_the_queue_over(
    tmp_path: Path, trainer: ScriptedTrainer
) -> None:
    async with (
        living(tmp_path, trainer) as (server, api),
        living(tmp_path, trainer) as (_, other),
    ):
        job, run = await begun(api, trainer)
        assert trainer.waiting == 0
        server.kill()
        os.kill(run.process, signal.SIGKILL)
        await goes_on(await trainer.run())
        await whole(other, job)


@pytest.mark.usefixtures("llama")
async def test_jobs_run_where_nobody_reads_the_log_any_more(
    tmp_path: Path, trainer: ScriptedTrainer
) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    talkative = SERVER.replace('"ERROR"', '"INFO"')
    async with living(tmp_path, trainer, talkative, writer) as (_, api):
        os.close(writer)
        await api.tuned(trainer)
        await api.tuned(trainer)
