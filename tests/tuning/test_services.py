"""What a service is asked, and what its answers are read as: OpenAI's surface."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.errors import TuningBusy, TuningError
from bot.messages import Provider
from bot.training import Hyperparameters, Job, JobEvent, JobStatus, NewJob
from bot.tuning.graders import grader_of
from bot.tuning.progress import progress_of
from bot.tuning.service import Page, TuningService
from bot.tuning.services import services
from bot.tuning.services.openai import OpenAiTuning
from tests.clock import HeldClock
from tests.tuning.conftest import CHAT, Services, written
from tests.tuning_server import Job as Served
from tests.tuning_server import Raw, Story, TuningServer

MODEL = "gpt-4o-mini"
CREATE = "POST fine_tuning/jobs"


def of(tuning: TuningServer, **fields: Any) -> NewJob:
    """A job to be made from a file that is there."""
    return NewJob(MODEL, tuning.keep("support.jsonl", CHAT).id, **fields)


def served(tuning: TuningServer, job: Job) -> Served:
    """The service's side of a job."""
    return tuning.jobs[job.id]


async def all_events(service: OpenAiTuning, job: Job) -> list[JobEvent]:
    """All events, oldest first, read page by page."""
    page = await service.events(job.id)
    found = list(page.items)
    while page.more:
        page = await service.events(job.id, found[-1].id)
        found += page.items
    return found[::-1]


def test_each_provider_has_a_service_that_is_the_port(clock: HeldClock) -> None:
    kinds: list[Any] = ["openai", "azure", "legacy", "local"]
    made = services({kind: Provider(kind, kind=kind) for kind in kinds}, {}, clock)
    ported: dict[str, TuningService] = dict(made)
    assert list(ported) == kinds


async def test_a_file_goes_up_under_its_name_with_its_progress(
    service: OpenAiTuning, tuning: TuningServer, tmp_path: Path
) -> None:
    content = CHAT * 2000
    path = written(tmp_path / 'a "b" ü.jsonl', content)
    went: list[int] = []
    file = await service.upload(path, path.name, went.append)
    assert (file.name, file.size, file.purpose, file.processed) == (
        'a "b" ü.jsonl',
        len(content),
        "fine-tune",
        True,
    )
    assert tuning.files[file.id].content == content
    assert went == sorted(went)
    assert went[-1] == len(content)
    assert len(went) > 10


async def test_a_file_that_no_service_takes_is_not_sent(
    service: OpenAiTuning, tuning: TuningServer, tmp_path: Path
) -> None:
    path = tmp_path / "large.jsonl"
    with path.open("wb") as file:
        file.truncate(512 * 1024**2 + 1)
    with pytest.raises(TuningError, match=r"large.jsonl has 512 MB, .* 512 MB at most"):
        await service.upload(path, path.name)
    with pytest.raises(TuningError, match=r"gone.jsonl cannot be read: No such file"):
        await service.upload(tmp_path / "gone.jsonl", "gone.jsonl")
    assert not tuning.calls


async def test_a_file_is_ready_once_it_is_read(
    service: OpenAiTuning, tuning: TuningServer, data: Path, clock: HeldClock
) -> None:
    tuning.reading = 60.0
    file = await service.upload(data, data.name)
    assert not file.processed
    clock.advance(61)
    assert (await service.file(file.id)).processed


async def test_a_file_that_cannot_be_read_says_why_and_where(
    service: OpenAiTuning, tmp_path: Path
) -> None:
    path = written(tmp_path / "bad.jsonl", CHAT + b"{oops\n")
    file = await service.file((await service.upload(path, path.name)).id)
    assert not file.processed
    assert file.failure == "Invalid file format. Line 11: not valid JSON."


async def test_files_for_training_are_listed_newest_first(
    service: OpenAiTuning, tuning: TuningServer, clock: HeldClock
) -> None:
    for name in ("one", "two", "three"):
        tuning.keep(name, CHAT)
        clock.advance(1)
    tuning.keep("results", b"", "fine-tune-results")
    assert [file.name for file in await service.files()] == ["three", "two", "one"]
    gone = (await service.files())[0]
    await service.delete_file(gone.id)
    assert gone.id not in tuning.files


@pytest.mark.parametrize("packed", [False, True])
async def test_a_result_file_is_a_table_however_it_comes(
    service: OpenAiTuning, tuning: TuningServer, packed: bool
) -> None:
    tuning.base64_results = packed
    job = await service.create(of(tuning))
    served(tuning, job).step(1, 10, 0.5)
    served(tuning, job).succeeds()
    job = await service.job(job.id)
    table = await service.content(job.result_files[0])
    assert table.startswith(b"step,train_loss,train_accuracy")
    assert b"\n1,0.5," in table


@pytest.mark.parametrize("content", [b"", b"step", b"step\n1\n", CHAT, b"\xff\x00,", b"YWJj"])
async def test_what_is_no_encoded_table_is_left_as_it_is(
    service: OpenAiTuning, tuning: TuningServer, content: bytes
) -> None:
    assert await service.content(tuning.keep("f", content).id) == content


async def test_a_job_is_made_as_it_is_wanted(service: OpenAiTuning, tuning: TuningServer) -> None:
    validation = tuning.keep("validation.jsonl", CHAT).id
    wanted = of(
        tuning,
        validation_file=validation,
        hyperparameters=Hyperparameters(3, 8, 0.5, 0.1),
        suffix="support",
        seed=7,
        metadata={"tunebot_request": "r1"},
        wandb="support-bot",
    )
    job = await service.create(wanted)
    assert tuning.called(CREATE)[0].body == {
        "model": MODEL,
        "training_file": wanted.training_file,
        "validation_file": validation,
        "method": {
            "type": "supervised",
            "supervised": {
                "hyperparameters": {
                    "n_epochs": 3,
                    "batch_size": 8,
                    "learning_rate_multiplier": 0.5,
                }
            },
        },
        "suffix": "support",
        "seed": 7,
        "metadata": {"tunebot_request": "r1"},
        "integrations": [{"type": "wandb", "wandb": {"project": "support-bot"}}],
    }
    assert job == Job(
        job.id,
        MODEL,
        JobStatus.VALIDATING,
        said="validating_files",
        created_at=1_800_000_000.0,
        training_file=wanted.training_file,
        validation_file=validation,
        hyperparameters=Hyperparameters(3, 8, 0.5),
        suffix="support",
        seed=7,
        metadata={"tunebot_request": "r1"},
    )


async def test_what_is_not_wanted_is_not_sent(service: OpenAiTuning, tuning: TuningServer) -> None:
    wanted = of(tuning)
    await service.create(wanted)
    assert tuning.called(CREATE)[0].body == {
        "model": MODEL,
        "training_file": wanted.training_file,
    }


async def test_preference_training_has_its_beta(
    service: OpenAiTuning, tuning: TuningServer
) -> None:
    chosen = Hyperparameters(beta=0.1)
    job = await service.create(of(tuning, method="dpo", hyperparameters=chosen))
    assert (job.method, job.hyperparameters.beta) == ("dpo", 0.1)


async def test_reinforcement_training_has_its_grader(
    service: OpenAiTuning, tuning: TuningServer
) -> None:
    grader = grader_of("equals:answer")
    wanted = of(
        tuning, method="reinforcement", grader=grader, hyperparameters=Hyperparameters(2, beta=0.1)
    )
    job = await service.create(wanted)
    assert (job.method, job.hyperparameters.epochs) == ("reinforcement", 2)
    assert tuning.job.asked["method"] == {
        "type": "reinforcement",
        "reinforcement": {"grader": grader, "hyperparameters": {"n_epochs": 2}},
    }


async def test_reinforcement_training_without_a_grader_is_not_asked_for(
    service: OpenAiTuning, tuning: TuningServer
) -> None:
    with pytest.raises(TuningError, match="needs a grader"):
        await service.create(of(tuning, method="reinforcement"))
    assert not tuning.calls


async def test_this_machine_grades_no_answers(service_of: Services, tuning: TuningServer) -> None:
    local = service_of(tuning, "local")
    with pytest.raises(TuningError, match="cannot train by reinforcement: choose supervised or"):
        await local.create(of(tuning, method="reinforcement", grader=grader_of("equals:answer")))
    assert not tuning.calls


async def test_a_server_that_does_not_know_methods_is_told_hyperparameters(
    service: OpenAiTuning, tuning: TuningServer
) -> None:
    tuning.knows_method = False
    wanted = of(tuning, hyperparameters=Hyperparameters(2))
    for _ in range(2):
        assert (await service.create(wanted)).hyperparameters.epochs == 2
    first, *others = [call.body for call in tuning.called(CREATE)]
    assert "method" in first
    assert (
        others
        == [
            {
                "model": MODEL,
                "training_file": wanted.training_file,
                "hyperparameters": {"n_epochs": 2},
            }
        ]
        * 2
    )
    assert len(tuning.jobs) == 2


async def test_303_steps_are_read_in_order_over_pages(
    service: OpenAiTuning, tuning: TuningServer, clock: HeldClock
) -> None:
    tuning.story = Story()
    job = await service.create(of(tuning))
    clock.advance(10_000)
    events = await all_events(service, job)
    steps = [event.data["step"] for event in events if "step" in event.data]
    assert steps == list(range(1, 304))
    assert len({event.id for event in events}) == len(events)
    assert [event.at for event in events] == sorted(event.at for event in events)
    assert events[-1].text == "The job has successfully completed"
    assert tuning.counts["GET fine_tuning/jobs/{id}/events"] == -(-len(events) // 20)
    assert progress_of(events).step == 303


@pytest.mark.parametrize("length", [0, 1, 19, 20, 21, 40, 41])
@pytest.mark.parametrize("knows_after", [True, False])
async def test_pages_end_where_a_server_does_not_say_so(
    service: OpenAiTuning, tuning: TuningServer, length: int, knows_after: bool
) -> None:
    tuning.tells_more, tuning.knows_after = False, knows_after
    job = await service.create(of(tuning))
    served(tuning, job).events.clear()
    for number in range(length):
        served(tuning, job).tell(f"{number}")
    told = [event.text for event in await all_events(service, job)]
    reached = length if knows_after else min(length, 20)
    assert told == [str(number) for number in range(length - reached, length)]


async def test_checkpoints_have_clean_names_and_numbers(
    service: OpenAiTuning, tuning: TuningServer
) -> None:
    job = await service.create(of(tuning))
    for step in range(1, 13):
        served(tuning, job).checkpoint(step, 0.25)
    served(tuning, job).checkpoints[-1]["fine_tuned_model_checkpoint"] += "\n"
    first = await service.checkpoints(job.id)
    second = await service.checkpoints(job.id, first.items[-1].id)
    found = [*first.items, *second.items]
    assert [each.step for each in found] == list(range(12, 0, -1))
    assert (len(first.items), first.more, second.more) == (10, True, False)
    assert found[0].model.endswith(":ckpt-step-12")
    assert found[0].metrics == {"step": 12.0, "train_loss": 0.25}


async def test_a_job_goes_through_all_that_happens_to_it(
    service: OpenAiTuning, tuning: TuningServer
) -> None:
    made = await service.create(of(tuning, suffix="support"))
    job = served(tuning, made)
    seen = []
    for happens in (job.queues, job.runs, job.pauses, job.resumes, job.succeeds):
        happens()
        seen.append((await service.job(made.id)).status.value)
    assert seen == ["queued", "running", "paused", "running", "succeeded"]
    ended = await service.job(made.id)
    assert ended.fine_tuned_model.startswith("ft:gpt-4o-mini:acme:support:")
    assert ended.trained_tokens > 0
    assert ended.finished_at
    assert not ended.failure


async def test_pausing_and_cancelling_are_answered_with_the_job(
    service: OpenAiTuning, tuning: TuningServer
) -> None:
    job = await service.create(of(tuning))
    served(tuning, job).runs()
    assert (await service.pause(job.id)).status is JobStatus.PAUSED
    assert (await service.resume(job.id)).status is JobStatus.RUNNING
    assert (await service.cancel(job.id)).status is JobStatus.CANCELLED
    with pytest.raises(TuningError, match=r"refuses to cancel .* already completed"):
        await service.cancel(job.id)


async def test_a_failure_names_the_line(service: OpenAiTuning, tuning: TuningServer) -> None:
    job = await service.create(of(tuning))
    served(tuning, job).fails("missing role.", line=17)
    failed = await service.job(job.id)
    assert failed.status is JobStatus.FAILED
    assert "Line 17: missing role." in failed.failure


async def test_a_healthy_job_with_an_error_of_nulls_is_healthy(
    service: OpenAiTuning, tuning: TuningServer
) -> None:
    tuning.healthy_errors = True
    job = await service.create(of(tuning))
    served(tuning, job).runs()
    seen = await service.job(job.id)
    assert (seen.status, seen.failure) == (JobStatus.RUNNING, "")


async def test_jobs_are_listed_by_pages(service: OpenAiTuning, tuning: TuningServer) -> None:
    wanted = of(tuning)
    made = [(await service.create(wanted)).id for _ in range(21)]
    first = await service.jobs()
    second = await service.jobs(first.items[-1].id)
    assert [job.id for job in (*first.items, *second.items)] == made[::-1]
    assert (first.more, second.more) == (True, False)


@pytest.mark.parametrize("filters", [True, False])
async def test_a_job_is_found_by_its_metadata_also_where_a_server_does_not_filter(
    service: OpenAiTuning, tuning: TuningServer, filters: bool
) -> None:
    tuning.filters_metadata = filters
    wanted = of(tuning)
    ours = await service.create(replace(wanted, metadata={"a": "1", "tunebot_request": "r1"}))
    for _ in range(25):
        await service.create(wanted)
    found = await service.jobs(metadata={"tunebot_request": "r1"})
    assert [job.id for job in found.items] == [ours.id]
    assert await service.jobs(metadata={"tunebot_request": "r2"}) == Page([])


async def test_a_server_without_metadata_has_no_job_with_any(
    service: OpenAiTuning, tuning: TuningServer
) -> None:
    tuning.keeps_metadata = False
    await service.create(of(tuning, metadata={"tunebot_request": "r1"}))
    assert await service.jobs(metadata={"tunebot_request": "r1"}) == Page([])
    assert len((await service.jobs()).items) == 1


async def test_models_say_when_they_end_and_go_when_told(
    service: OpenAiTuning, tuning: TuningServer
) -> None:
    job = await service.create(of(tuning))
    served(tuning, job).succeeds()
    name = (await service.job(job.id)).fine_tuned_model
    ends = {model.id: model.shutdown for model in await service.models()}
    assert ends["davinci-002"] == ""
    assert ends[name] == ends[MODEL] == "2027-01-14"
    await service.delete_model(name)
    assert name not in tuning.tuned


async def test_a_model_with_a_slash_in_its_name_is_one_model(
    service: OpenAiTuning, tuning: TuningServer
) -> None:
    tuning.trainable["meta/llama 3?"] = None
    job = await service.create(replace(of(tuning), model="meta/llama 3?"))
    served(tuning, job).succeeds()
    await service.delete_model((await service.job(job.id)).fine_tuned_model)
    assert not tuning.tuned


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ("validating_files", JobStatus.VALIDATING),
        ("pending", JobStatus.QUEUED),
        ("notRunning", JobStatus.QUEUED),
        ("Running", JobStatus.RUNNING),
        ("pausing", JobStatus.RUNNING),
        ("paused", JobStatus.PAUSED),
        ("resuming", JobStatus.RUNNING),
        ("canceled", JobStatus.CANCELLED),
        ("cancelled", JobStatus.CANCELLED),
        ("dreaming", JobStatus.UNKNOWN),
        (None, JobStatus.UNKNOWN),
    ],
)
async def test_a_status_is_read_whatever_a_server_calls_it(
    service: OpenAiTuning, tuning: TuningServer, said: str | None, status: JobStatus
) -> None:
    text = f'"{said}"' if said else "null"
    tuning.fails("GET fine_tuning/jobs/{id}", Raw(b'{"id":"j","status":%b}' % text.encode()))
    job = await service.job("j")
    assert job.status is status
    assert job.said == (said or "")
    assert not job.status.is_end or said in {"canceled", "cancelled"}


@pytest.mark.parametrize(
    ("field", "read"),
    [
        ('"hyperparameters": null', Hyperparameters()),
        ('"hyperparameters": {"n_epochs": "auto", "batch_size": null}', Hyperparameters()),
        ('"hyperparameters": {"n_epochs": "4", "batch_size": 8.0}', Hyperparameters(4, 8)),
        ('"hyperparameters": {"learning_rate_multiplier": 1e999}', Hyperparameters()),
        ('"method": {"type": "dpo", "dpo": null}', Hyperparameters()),
        ('"method": null, "hyperparameters": {"n_epochs": 2}', Hyperparameters(2)),
    ],
)
async def test_hyperparameters_are_read_however_they_are_written(
    service: OpenAiTuning, tuning: TuningServer, field: str, read: Hyperparameters
) -> None:
    content = b'{"estimated_finish": 0, "finished_at": null, "new_field": [], %b}' % field.encode()
    tuning.fails("GET fine_tuning/jobs/{id}", Raw(content))
    job = await service.job("j")
    assert (job.id, job.hyperparameters) == ("j", read)
    assert job.estimated_finish == job.finished_at == 0.0


async def test_local_training_is_busy_until_its_server_runs(
    tuning: TuningServer, service_of: Services
) -> None:
    service = service_of(tuning, "local")
    with pytest.raises(TuningBusy, match="on this machine is not ready yet"):
        await service.models()
    service.connect(tuning.base_url, tuning.key)
    assert await service.models()
