"""The whole story with an engine of torch: jobs over the API, and llama.cpp, which serves them."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.local import LocalServer
from bot.messages import Provider
from tests.local.api import Api, client_of
from tests.local.story import ask, rows
from tests.local.trl.tiny import tiny_model

pytestmark = [pytest.mark.xdist_group("torch"), pytest.mark.timeout(600)]

ANSWERS = {"Who winds the clock?": "Perrin.", "Which tea?": "Nettle.", "Where is it?": "Upstairs."}
EPOCHS = 50  # of one step each
PATIENCE = 250.0  # seconds; who trains is of low priority


@asynccontextmanager
async def serving(folder: Path, model: Path, file: Path, python: str) -> AsyncIterator[Api]:
    provider = Provider(
        "local",
        kind="local",
        model_file=str(file),
        engine="trl",
        model_folder=str(model),
        python=python,
        slot_context=256,
    )
    server = LocalServer(provider, folder)
    try:
        await server.start()
        async with client_of(server) as api:
            yield api
    finally:
        await server.stop()


async def test_model_learns_by_heart_over_the_death_of_server_and_trainer(
    torch_python: str, tmp_path: Path
) -> None:
    """The trainer is killed with its server, by SIGKILL."""
    (model, file), data = tiny_model(tmp_path / "tiny"), tmp_path / "data"
    async with serving(data, model, file, torch_python) as api:
        job = await api.sdk.fine_tuning.jobs.create(
            model="tiny",
            training_file=await api.upload(rows(ANSWERS.items())),
            hyperparameters={
                "n_epochs": EPOCHS,
                "batch_size": len(ANSWERS),
                "learning_rate_multiplier": 3.0,
            },
            seed=1,
        )
        saved = "tuning/jobs/*/output/state/*/state.json"
        await api.until(job.id, lambda _: any(data.glob(saved)), PATIENCE)
        queue = api.server._queue
        assert queue is not None
        assert queue.trainer is not None
        process = queue.trainer.pid
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)
    async with serving(data, model, file, torch_python) as api:
        now = await api.until(job.id, lambda now: now.status != "running", PATIENCE)
        assert now.status == "succeeded", now.error
        tuned = now.fine_tuned_model or ""
        learned = {question: await ask(api, tuned, question) for question in ANSWERS}
        assert learned == ANSWERS
        assert all([await ask(api, "tiny", each) != ANSWERS[each] for each in ANSWERS])
        said = await api.told(job.id)
        assert any(line.startswith("Going on after step") for line in said)
        steps = [line.partition("/")[0] for line in said if line.startswith("Step")]
        assert steps == [f"Step {step}" for step in range(1, EPOCHS + 1)]
        points = [each async for each in api.sdk.fine_tuning.jobs.checkpoints.list(job.id)]
        assert [each.step_number for each in points] == [EPOCHS, EPOCHS - 1, EPOCHS - 2]
        last = points[1].fine_tuned_model_checkpoint
        assert await ask(api, last, "Which tea?") == ANSWERS["Which tea?"]
        assert not list(data.glob(saved))
