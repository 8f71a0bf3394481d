"""Fine-tune jobs over OpenAI's client; the training is a stand-in that speaks its lines."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import openai
import pytest

from bot.local.jobs import queue
from bot.local.training import events
from bot.local.training.fault import TrainingFault
from tests.local.api import CHAT, MODEL, PAIRS, PREFERENCES, Api, serving
from tests.local.scripted import ScriptedTrainer


async def test_whole_story_is_told_to_openais_client(api: Api, trainer: ScriptedTrainer) -> None:
    sdk = api.sdk
    file = await sdk.files.create(file=("faq.jsonl", CHAT), purpose="fine-tune")
    assert (file.status, file.filename, file.bytes) == ("uploaded", "faq.jsonl", len(CHAT))
    assert (await api.examined(file.id)).status == "processed"
    job = await api.create(file.id, suffix="Support Desk", seed=7, metadata={"team": "a"})
    assert (job.status, job.fine_tuned_model, job.error) == ("queued", None, None)
    assert job.method is not None
    assert job.method.type == "supervised"
    run = await trainer.run()
    assert (run.spec["kind"], run.spec["seed"], run.spec["epochs"]) == ("chat", 7, None)
    assert Path(run.spec["training_file"]).read_bytes() == CHAT
    await run.begins()
    await run.steps(1, 2)
    now = await api.until(job.id, lambda job: bool(job.estimated_finish))
    assert now.status == "running"
    assert now.method is not None
    assert now.method.supervised is not None
    chosen = now.method.supervised.hyperparameters
    assert chosen is not None
    assert (chosen.n_epochs, chosen.batch_size, chosen.learning_rate_multiplier) == (2, 1, 1)
    await run.checks_in(2)
    await run.steps(3, 4)
    await run.checks_in(4)
    await run.done()
    ended = await api.has(job.id, "succeeded")
    name = ended.fine_tuned_model or ""
    assert name == f"ft:{MODEL}:local:support-desk:{job.id[6:14]}"
    assert (ended.trained_tokens, ended.estimated_finish) == (1000, None)
    assert ended.finished_at
    assert await api.told(job.id) == [
        f"Created fine-tuning job: {job.id}",
        f"Validated training file: {file.id}",
        "Files validated, moving job to queued state",
        "Fine-tuning job started",
        "Training with n_epochs=2, batch_size=1, learning_rate_multiplier=1",
        "Step 1/4: training loss=3.00",
        "Step 2/4: training loss=1.50",
        "Checkpoint created at step 2",
        "Step 3/4: training loss=1.00",
        "Step 4/4: training loss=0.75",
        "Checkpoint created at step 4",
        f"New fine-tuned model created: {name}",
        "The job has successfully completed",
    ]
    points = [each async for each in sdk.fine_tuning.jobs.checkpoints.list(job.id)]
    assert [each.step_number for each in points] == [4, 2]
    assert points[1].fine_tuned_model_checkpoint == f"{name}:ckpt-step-2"
    assert points[1].metrics.train_loss == 1.5
    (results,) = ended.result_files
    assert (await sdk.files.content(results)).text.startswith("step,train_loss\n1,")
    assert [each.id async for each in sdk.fine_tuning.jobs.list(metadata={"team": "a"})] == [job.id]
    assert not [each async for each in sdk.fine_tuning.jobs.list(metadata={"team": "b"})]
    models = [each.id async for each in sdk.models.list()]
    assert models == [MODEL, name, f"{name}:ckpt-step-4", f"{name}:ckpt-step-2"]
    assert (await sdk.models.retrieve(name)).owned_by == "local"
    assert await api.ask(name) == "adapter-4.gguf says hi"
    assert await api.ask(f"{name}:ckpt-step-2") == "adapter-2.gguf says hi"
    assert await api.ask() == "base says hi"
    assert (await sdk.models.delete(name)).deleted
    with pytest.raises(openai.NotFoundError, match="does not exist"):
        await api.ask(name)
    with pytest.raises(openai.NotFoundError, match="does not exist"):
        await api.ask(f"{name}:ckpt-step-4")
    assert not (run.output / "state.npz").exists()


async def test_preferences_are_learned_by_dpo(api: Api, trainer: ScriptedTrainer) -> None:
    file = await api.upload(PREFERENCES)
    method: Any = {"type": "dpo", "dpo": {"hyperparameters": {"beta": 0.2, "n_epochs": 3}}}
    job = await api.create(file, validation_file=file, method=method)
    run = await trainer.run()
    assert (run.spec["kind"], run.spec["beta"], run.spec["epochs"]) == ("preference", 0.2, 3)
    assert Path(run.spec["validation_file"]).read_bytes() == PREFERENCES
    await run.succeeds()
    ended = await api.has(job.id, "succeeded")
    assert ended.method is not None
    assert ended.method.type == "dpo"
    assert ended.method.dpo is not None
    assert ended.method.dpo.hyperparameters is not None
    assert ended.method.dpo.hyperparameters.beta == 0.1


async def test_deprecated_hyperparameters_are_taken(api: Api, trainer: ScriptedTrainer) -> None:
    await api.create(await api.upload(PAIRS), hyperparameters={"n_epochs": 5, "batch_size": "auto"})
    spec = (await trainer.run()).spec
    assert (spec["kind"], spec["epochs"], spec["batch_size"]) == ("completion", 5, None)


async def test_jobs_run_one_at_a_time_and_hear_their_place(
    api: Api, trainer: ScriptedTrainer
) -> None:
    first, second, third = [(await api.create()).id for _ in range(3)]
    run = await trainer.run()
    assert [await last_event(api, job) for job in (second, third)] == [
        "Files validated, moving job to queued state. Queue number: 1",
        "Files validated, moving job to queued state. Queue number: 2",
    ]
    assert trainer.waiting == 0
    await run.succeeds()
    await api.has(first, "succeeded")
    assert (await last_event(api, third)).endswith("Queue number: 1")
    run = await trainer.run()
    await api.sdk.fine_tuning.jobs.cancel(second)
    await run.ended()
    assert (await trainer.run()).output.parent.name == third
    listed = [job.id async for job in api.sdk.fine_tuning.jobs.list(limit=1)]
    assert listed == [third, second, first]


async def last_event(api: Api, job: str) -> str:
    return (await api.told(job))[-1]


async def test_cancelled_job_ends_its_training_and_keeps_its_checkpoints(
    api: Api, trainer: ScriptedTrainer
) -> None:
    job = await api.create()
    run = await trainer.run()
    await run.begins()
    await run.checks_in(2)
    await api.until(job.id, lambda now: bool(now.hyperparameters.n_epochs == 2))
    async with asyncio.timeout(30):
        while "Checkpoint created at step 2" not in await api.told(job.id):
            pass
    cancelled = await api.sdk.fine_tuning.jobs.cancel(job.id)
    assert cancelled.status == "cancelled"
    await run.ended()
    (point,) = [each async for each in api.sdk.fine_tuning.jobs.checkpoints.list(job.id)]
    assert await api.ask(point.fine_tuned_model_checkpoint) == "adapter-2.gguf says hi"
    with pytest.raises(openai.BadRequestError, match="Cannot cancel a job that is cancelled"):
        await api.sdk.fine_tuning.jobs.cancel(job.id)


async def test_job_that_is_cancelled_while_it_waits_leaves_no_copy_of_its_data(
    api: Api, trainer: ScriptedTrainer, tmp_path: Path
) -> None:
    await api.create()
    await trainer.run()
    waiting = (await api.create()).id
    data = tmp_path / "tuning" / "jobs" / waiting / "training"
    assert data.exists()
    await api.sdk.fine_tuning.jobs.cancel(waiting)
    assert not data.exists()


async def test_job_whose_file_has_gone_is_not_made(api: Api, tmp_path: Path) -> None:
    file = await api.upload()
    await api.examined(file)
    (tmp_path / "tuning" / "files" / file).unlink()
    with pytest.raises(openai.BadRequestError, match="not there any more: upload it again"):
        await api.create(file)
    assert not [each async for each in api.sdk.fine_tuning.jobs.list()]
    assert not list((tmp_path / "tuning" / "jobs").iterdir())


async def test_paused_job_goes_on_where_it_was_and_tells_nothing_twice(
    api: Api, trainer: ScriptedTrainer
) -> None:
    job = await api.create()
    run = await trainer.run()
    await run.begins()
    await run.steps(1, 2)
    await api.until(job.id, lambda now: bool(now.estimated_finish))
    paused: Any = await api.http.post(f"/fine_tuning/jobs/{job.id}/pause")
    assert paused.json()["status"] == "paused"
    await run.ended()
    await api.http.post(f"/fine_tuning/jobs/{job.id}/resume")
    again = await trainer.run()
    assert again.spec == run.spec
    await again.begins()
    await again.tells(events.resumed(1))
    await again.steps(2, 3, 4)
    await again.checks_in(4)
    await again.done()
    await api.has(job.id, "succeeded")
    told = await api.told(job.id)
    assert len(told) == len(set(told))
    assert [line for line in told if line.startswith("Step")] == [
        f"Step {step}/4: training loss={3 / step:.2f}" for step in (1, 2, 3, 4)
    ]


async def test_training_that_begins_anew_has_its_steps_and_checkpoints_told_again(
    api: Api, trainer: ScriptedTrainer
) -> None:
    job = await api.create()
    run = await trainer.run()
    await run.begins(9)
    await run.steps(1, 2, 3)
    await run.checks_in(3)
    await api.says(job.id, "Checkpoint created at step 3")
    run.dies()
    again = await trainer.run()
    await again.tells(events.anew())
    await again.succeeds()
    await api.has(job.id, "succeeded")
    told = await api.told(job.id)
    after = told[told.index(events.anew()["message"]) :]
    assert "Training with n_epochs=2, batch_size=1, learning_rate_multiplier=1" in after
    assert [line for line in after if line.startswith("Step")] == [
        f"Step {step}/4: training loss={3 / step:.2f}" for step in (1, 2, 3, 4)
    ]
    points = [each async for each in api.sdk.fine_tuning.jobs.checkpoints.list(job.id)]
    assert [each.step_number for each in points] == [4, 2]


async def test_only_the_newest_checkpoints_whose_adapters_are_kept_are_listed(
    api: Api, trainer: ScriptedTrainer
) -> None:
    job = await api.create()
    run = await trainer.run()
    await run.begins()
    for step in (1, 2, 3, 4):
        await run.steps(step)
        await run.checks_in(step)
    await run.done()
    await api.has(job.id, "succeeded")
    points = [each async for each in api.sdk.fine_tuning.jobs.checkpoints.list(job.id, limit=2)]
    assert [each.step_number for each in points] == [4, 3, 2]


@pytest.mark.parametrize(
    ("code", "line", "param"),
    [
        ("invalid_file", 3, "training_file"),
        ("out_of_memory", None, None),
        ("disk_full", None, None),
    ],
)
async def test_training_that_gives_up_says_why(
    code: str, line: int | None, param: str | None, api: Api, trainer: ScriptedTrainer
) -> None:
    job = await api.create()
    run = await trainer.run()
    await run.tells(events.error(TrainingFault(code, "It cannot be done.", line)))
    await run.exits(1)
    ended = await api.has(job.id, "failed")
    assert ended.error is not None
    assert (ended.error.code, ended.error.message) == (code, "It cannot be done.")
    assert ended.error.param == param
    events_ = (await api.sdk.fine_tuning.jobs.list_events(job.id)).data
    assert (events_[0].level, events_[0].data) == ("error", {"code": code, "line": line})


async def test_training_that_is_killed_again_and_again_at_one_step_ran_out_of_memory(
    api: Api, trainer: ScriptedTrainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "BREATH", 0.0)
    job = await api.create()
    for _ in range(3):
        run = await trainer.run()
        await run.begins()
        await run.steps(1)
        await api.says(job.id, "Step 1/4: training loss=3.00")
        run.dies()
    ended = await api.has(job.id, "failed")
    assert trainer.waiting == 0
    assert ended.error is not None
    assert ended.error.code == "out_of_memory"
    assert "memory ran out" in ended.error.message


async def test_training_that_dies_fails_with_its_last_words(
    api: Api, trainer: ScriptedTrainer
) -> None:
    job = await api.create()
    await (await trainer.run()).exits(3, "Traceback\nValueError: no such thing\n")
    ended = await api.has(job.id, "failed")
    assert ended.error is not None
    assert ended.error.code == "trainer_died"
    assert "(status 3; ValueError: no such thing)" in ended.error.message


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (CHAT + b"{}\n[1]\n", "Line 4: this is no chat example as those before it. Line 5: this"),
        (b'{"messages": []}\n', "Line 1: there are no messages"),
        (
            b"no JSON\n" * 9,
            "Line 5: this is no JSON (Expecting value, character 1). 4 more lines are wrong.",
        ),
        (PAIRS + b'{"prompt": "a", "completion": 3}', "Line 4: `completion` is not a text"),
        (b"\n\n", "The file is empty"),
        (b'{"text": "a"}', "Line 1: there is neither `messages`"),
        (PREFERENCES + b'{"input": {}}', "Line 2: "),
        (
            b'{"messages": [{"role": "user", "content": "1 + 1?"}], "answer": "2"}',
            "Line 1: this is a question to be graded, and this machine learns from answers only.",
        ),
    ],
)
async def test_bad_lines_are_named_before_there_is_a_job(
    content: bytes, sentence: str, api: Api
) -> None:
    file = await api.upload(content)
    with pytest.raises(openai.BadRequestError) as refused:
        await api.create(file)
    told = await api.sdk.files.retrieve(file)
    assert told.status == "error"
    assert sentence in (told.status_details or "")
    assert sentence in str(refused.value)
    assert (refused.value.code, refused.value.param) == ("invalid_training_file", "training_file")
    assert not (await api.sdk.fine_tuning.jobs.list()).data


def method(type_: str, told: str) -> dict[str, Any]:
    return {"type": type_, told: {"hyperparameters": {"n_epochs": 3}}}


@pytest.mark.parametrize(
    ("asked", "param", "sentence"),
    [
        ({"model": "gpt-4o-mini"}, "model", f"Models available for fine-tuning: {MODEL}."),
        ({"training_file": "file-none"}, "training_file", "invalid training_file: file-none"),
        ({"hyperparameters": {"n_epochs": 51}}, "hyperparameters.n_epochs", "less than or equal"),
        ({"hyperparameters": {"n_epochs": "x"}}, "hyperparameters.n_epochs", "valid integer"),
        ({"suffix": ""}, "suffix", "at least 1 character"),
        ({"seed": -1}, "seed", "greater than or equal to 0"),
        ({"metadata": {"a": 1}}, "metadata.a", "valid string"),
        ({"colour": 1}, "colour", "Unrecognized request argument supplied: colour"),
        ({"method": {"type": "reinforcement"}}, "method.type", "'supervised' or 'dpo'"),
        ({"method": {"type": "dpo"}}, "training_file", "which method 'dpo' cannot learn from"),
        ({"method": method("supervised", "dpo")}, "method.dpo", "leave 'dpo' out"),
        ({"method": method("dpo", "supervised")}, "method.supervised", "or make it the type"),
        ({"integrations": [{"type": "wandb"}]}, "integrations", "reports to no other"),
    ],
)
async def test_job_that_cannot_be_is_refused_by_name(
    asked: dict[str, Any], param: str, sentence: str, api: Api
) -> None:
    body = {"model": MODEL, "training_file": await api.upload(), **asked}
    response = await api.http.post("/fine_tuning/jobs", json=body)
    error = response.json()["error"]
    assert (response.status_code, error["param"]) == (400, param)
    assert sentence in error["message"]


async def test_nulls_of_the_description_are_taken(api: Api) -> None:
    nulls = dict.fromkeys(("suffix", "seed", "validation_file", "metadata", "integrations"))
    body = {"model": MODEL, "training_file": await api.upload(), **nulls}
    assert (await api.http.post("/fine_tuning/jobs", json=body)).status_code == 200


async def test_jobs_without_metadata_are_found(api: Api) -> None:
    bare, empty = await api.create(), await api.create(metadata={})
    await api.create(metadata={"team": "a"})
    found = await api.http.get("/fine_tuning/jobs", params={"metadata": "null"})
    assert [job["id"] for job in found.json()["data"]] == [empty.id, bare.id]
    refused = await api.http.get("/fine_tuning/jobs", params={"metadata": "team"})
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, "metadata")


async def test_what_is_not_there_is_not_found(api: Api) -> None:
    for path in ("fine_tuning/jobs/ftjob-1", "fine_tuning/jobs/ftjob-1/events", "files/file-1"):
        assert (await api.http.get(path)).status_code == 404
    assert (await api.http.post("fine_tuning/jobs/ftjob-1/cancel")).status_code == 404
    assert (await api.http.get("models/ft:none")).status_code == 404
    job = await api.create()
    for path in (f"fine_tuning/jobs/{job.id}/events", "fine_tuning/jobs", "files"):
        response = await api.http.get(path, params={"after": "no-such-id"})
        assert (response.status_code, response.json()["error"]["param"]) == (400, "after")
    response = await api.http.get("fine_tuning/jobs", params={"limit": 0})
    assert (response.status_code, response.json()["error"]["param"]) == (400, "limit")


async def test_file_may_be_deleted_as_soon_as_the_job_is_made(
    api: Api, trainer: ScriptedTrainer
) -> None:
    await api.create()
    run = await trainer.run()
    waiting = await api.upload(PAIRS, "später/früh \u202e.jsonl")
    second = await api.create(waiting)
    await api.sdk.files.delete(waiting)
    await run.succeeds()
    lent = Path((await trainer.run()).spec["training_file"])
    assert lent.read_bytes() == PAIRS
    assert lent.parent.parent.name == second.id
    assert lent.suffix == ".jsonl"


@pytest.mark.usefixtures("llama")
async def test_interrupted_job_goes_on_at_the_next_start(
    tmp_path: Path, trainer: ScriptedTrainer
) -> None:
    async with serving(tmp_path, trainer) as api:
        job = await api.create()
        run = await trainer.run()
        await run.begins()
        await run.steps(1)
        await api.until(job.id, lambda now: bool(now.estimated_finish))
    await run.ended()
    async with serving(tmp_path, trainer) as api:
        assert (await api.sdk.fine_tuning.jobs.retrieve(job.id)).status == "running"
        again = await trainer.run()
        await again.succeeds()
        await api.has(job.id, "succeeded")
        told = await api.told(job.id)
        assert len(told) == len(set(told)) == 13


@pytest.mark.usefixtures("llama")
async def test_two_servers_share_one_queue(tmp_path: Path, trainer: ScriptedTrainer) -> None:
    async with (
        serving(tmp_path, trainer) as runs,
        serving(tmp_path, trainer, trains=False) as other,
    ):
        job = await other.create()
        run = await trainer.run()
        await other.sdk.fine_tuning.jobs.cancel(job.id)
        await run.ended()
        assert (await runs.sdk.fine_tuning.jobs.retrieve(job.id)).status == "cancelled"
