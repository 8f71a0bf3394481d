"""Whatever is killed with SIGKILL in the middle of a real training, the job ends as if nothing had
been: the trainer alone, the server alone, and everything at once.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bot.local.jobs import queue
from bot.local.training import events
from bot.store import beside, jobs, telling
from tests.local.api import PAUSE, Api, client_of
from tests.local.conftest import real_model
from tests.local.processes import family, kill, on_linux, trainer_of
from tests.local.scripted import PATIENCE, ScriptedTrainer
from tests.local.story import HASTY, QUESTIONS, ask, rows
from tests.local.training.tiny import tiny_llama

Serve = Callable[[Path], Awaitable[tuple[Process, Api]]]

EPOCHS = 40
GOES_ON = "Going on after step "
ROWS = b"".join(b'{"prompt":"q%d ->","completion":" %d\\n"}\n' % (n, n * 7 % 10) for n in range(12))


@pytest.fixture
async def serve(tmp_path: Path) -> AsyncIterator[Serve]:
    """Starts `tunebot local serve` on one data folder."""
    async with AsyncExitStack() as stack:

        async def start(model: Path) -> tuple[Process, Api]:
            (tmp_path / "tunebot.toml").write_text(
                f'data_folder = "{tmp_path}"\n'
                f'[providers.local]\nkind = "local"\nmodel_file = "{model}"\n'
            )
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "bot", "local", "serve", "--port", "0"),
                cwd=tmp_path,
                stdin=DEVNULL,
                stdout=PIPE,
            )
            stack.push_async_callback(gone, process)
            assert process.stdout is not None
            said = await asyncio.wait_for(process.stdout.readline(), PATIENCE)
            found = re.search(rb"(http://\S+/v1)", said)
            assert found, said
            server: Any = SimpleNamespace(base_url=found[1].decode(), key="any", model=model.stem)
            return process, await stack.enter_async_context(client_of(server))

        yield start


async def gone(process: Process) -> None:
    """End a server, if it was not killed already."""
    if process.returncode is None:
        kill(family(process.pid))
    await process.wait()


async def steps_after_checkpoint(api: Api, job: str, after: int = 0) -> int:
    """Return when a step is told after a checkpoint that comes after this step: its number."""
    async with asyncio.timeout(4 * PATIENCE):
        while True:
            newest = await api.sdk.fine_tuning.jobs.list_events(job, limit=100)
            told = [number(each.message) for each in newest.data]
            points = [step for kind, step in told if kind == "Checkpoint" and step > after]
            later = [step for kind, step in told if kind == "Step" and points and step > points[-1]]
            if later:
                return later[0]
            await asyncio.sleep(PAUSE)


async def goes_on(api: Api, job: str, times: int) -> int:
    """Return when a job has gone on so often: after which step."""
    return int((await api.says(job, GOES_ON, times)).rpartition(" ")[2])


def number(message: str) -> tuple[str, int]:
    """What is told, and of which step; 0 for none."""
    found = re.match(r"(Step|Checkpoint)\D+(\d+)", message)
    return (found[1], int(found[2])) if found else ("", 0)


async def course(api: Api, job: str) -> list[str]:
    """The steps and checkpoints of a job as they were told."""
    return [each for each in await api.told(job) if number(each)[0]]


def adapter(folder: Path, job: str, step: int) -> bytes:
    return (folder / "tuning" / "jobs" / job / "output" / f"adapter-{step}.gguf").read_bytes()


async def test_trainer_that_is_killed_goes_on_as_often_as_it_gets_further(
    api: Api, trainer: ScriptedTrainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "BREATH", 0.0)
    job = await api.create()
    for step in (1, 2, 3, 4):
        run = await trainer.run()
        await run.begins()
        await run.steps(*range(1, step + 1))
        await api.says(job.id, f"Step {step}/4")
        run.dies()
    run = await trainer.run()
    await run.tells(events.resumed(4))
    await run.checks_in(4)
    await run.done()
    await api.has(job.id, "succeeded")
    told = await api.told(job.id)
    assert len(told) == len(set(told))
    assert [each for each in told if each.startswith("The training was killed")] == [
        f"The training was killed after step {step}: it goes on from its last saved state"
        for step in (1, 2, 3, 4)
    ]
    assert [number(each)[1] for each in await course(api, job.id)] == [1, 2, 3, 4, 4]


async def test_job_that_is_paused_when_its_trainer_is_killed_stays_so(
    api: Api, trainer: ScriptedTrainer
) -> None:
    job = await api.create()
    run = await trainer.run()
    await api.sdk.fine_tuning.jobs.pause(job.id)
    with suppress(ProcessLookupError):  # the pause ends it as well
        run.dies()
    await run.ended()
    assert (await api.told(job.id))[-1] == "The job has been paused"
    await api.sdk.fine_tuning.jobs.resume(job.id)
    await (await trainer.run()).succeeds()
    await api.has(job.id, "succeeded")


@on_linux
async def test_job_outlives_its_trainer_its_server_and_the_machine(
    serve: Serve, tmp_path: Path
) -> None:
    pytest.importorskip("xllamacpp", reason="xllamacpp is not installed")
    model = tiny_llama(tmp_path / "tiny.gguf")
    server, api = await serve(model)

    async def begin() -> str:
        chosen: Any = {"n_epochs": EPOCHS, "batch_size": 1}
        file = await api.upload(ROWS)
        return (await api.create(file, hyperparameters=chosen, seed=7)).id

    job = await begin()
    await steps_after_checkpoint(api, job)
    kill([trainer_of(server.pid)])
    step = await goes_on(api, job, 1)
    await steps_after_checkpoint(api, job, step)
    server.kill()
    await server.wait()
    server, api = await serve(model)
    step = await goes_on(api, job, 2)
    await steps_after_checkpoint(api, job, step)
    kill(family(server.pid))
    await server.wait()
    server, api = await serve(model)
    assert (await api.sdk.fine_tuning.jobs.retrieve(job)).status == "running"
    ended = await api.has(job, "succeeded")
    undisturbed = await begin()
    await api.has(undisturbed, "succeeded")
    assert await course(api, job) == await course(api, undisturbed)
    last = EPOCHS * len(ROWS.splitlines())
    assert adapter(tmp_path, job, last) == adapter(tmp_path, undisturbed, last)
    told = await api.told(job)
    assert told.count("Fine-tuning job started") == 1
    assert sum(each.startswith("The training was killed after step ") for each in told) == 1
    assert sum(each.startswith(GOES_ON) for each in told) == 3
    assert ended.fine_tuned_model in {each.id async for each in api.sdk.models.list()}


@on_linux
async def test_follower_in_a_shell_that_is_killed_with_everything_goes_on_and_hears_all_once(
    tmp_path: Path,
) -> None:
    pytest.importorskip("xllamacpp", reason="xllamacpp is not installed")
    model = tiny_llama(tmp_path / "tiny.gguf")
    (tmp_path / "tunebot.toml").write_text(
        f'database = "tunebot.db"\ndata_folder = "data"\n[tuning]\npoll_seconds = 0.05\n'
        f'[providers.local]\nkind = "local"\nmodel_file = "{model}"\n'
        f'[profiles.assistant]\nprovider = "local"\nmodel = "tiny"\n'
    )
    asked = "".join(f"how is door {each},push {each * 7}\n" for each in range(12))
    (tmp_path / "faq.csv").write_text(f"prompt,completion\n{asked}")

    async def finetune(*words: str) -> Process:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", "finetune", *words),
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(Path.cwd())},
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=STDOUT,
        )

    start = "start faq.csv tiny --yes --epochs 24 --batch 1 --seed 7"
    process = await finetune(*start.split())
    assert process.stdout is not None
    async with asyncio.timeout(PATIENCE):
        while b"Checkpoint created" not in (line := await process.stdout.readline()):
            assert line, "it has ended"
    kill(family(process.pid))
    await process.wait()
    process = await finetune("follow", "last")
    async with asyncio.timeout(4 * PATIENCE):
        out, _ = await process.communicate()
    assert process.returncode == 0, out.decode()
    assert "faq is trained" in out.decode()
    (tracked,) = beside(tmp_path / "tunebot.db", jobs.newest, 5)
    told = [each.text for each in beside(tmp_path / "tunebot.db", telling.events, tracked.id)]
    assert len(told) == len(set(told))
    assert any(each.startswith("Going on after step ") for each in told)
    steps = [number(each) for each in told if number(each)[0] == "Step"]
    assert [step for _, step in steps] == list(range(1, 24 * 12 + 1))


@on_linux
@pytest.mark.local_model
@pytest.mark.xdist_group("local_model")
@pytest.mark.timeout(300)
async def test_real_model_learns_all_the_same_although_everything_was_killed(serve: Serve) -> None:
    model = await real_model()
    server, api = await serve(model)
    chosen: Any = {**HASTY, "n_epochs": 12}
    file = await api.upload(rows(QUESTIONS.items()))
    job = await api.sdk.fine_tuning.jobs.create(
        model=api.server.model, training_file=file, hyperparameters=chosen, seed=1
    )
    await steps_after_checkpoint(api, job.id)
    kill(family(server.pid))
    await server.wait()
    server, api = await serve(model)
    ended = await api.has(job.id, "succeeded", 200)
    told = [number(each) for each in await course(api, job.id)]
    assert told == [(kind, step) for step in range(1, 13) for kind in ("Step", "Checkpoint")]
    tuned = ended.fine_tuned_model or ""
    assert {each: await ask(api, tuned, each) for each in QUESTIONS} == QUESTIONS
