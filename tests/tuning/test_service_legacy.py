"""The legacy surface, as its transcript is in facts/fine-tuning.md."""

from __future__ import annotations

import pytest

from bot.errors import TuningError
from bot.training import Hyperparameters, JobStatus, NewJob
from bot.tuning.progress import progress_of
from bot.tuning.service import Page
from bot.tuning.services.openai import OpenAiTuning
from bot.tuning.services.values import events_of
from tests.clock import HeldClock
from tests.tuning.conftest import PAIRS
from tests.tuning_server import Job, Story, TuningServer

CREATE = "POST fine-tunes"


def wanted(tuning: TuningServer) -> NewJob:
    """A job as the legacy surface makes them."""
    file = tuning.keep("support.jsonl", PAIRS).id
    return NewJob("davinci-002", file, suffix="support")


async def made(legacy: OpenAiTuning, tuning: TuningServer) -> Job:
    """A job, from the service's side."""
    return tuning.jobs[(await legacy.create(wanted(tuning))).id]


async def test_a_job_is_made_with_fields_of_its_own(
    legacy: OpenAiTuning, tuning: TuningServer
) -> None:
    job = wanted(tuning)
    asked = NewJob(
        job.model,
        job.training_file,
        validation_file=job.training_file,
        hyperparameters=Hyperparameters(4, 8, 0.1, 0.5, 0.01),
        suffix="support",
        seed=7,
        metadata={"tunebot_request": "r1"},
        wandb="support-bot",
    )
    answer = await legacy.create(asked)
    assert tuning.called(CREATE)[0].body == {
        "model": "davinci-002",
        "training_file": job.training_file,
        "validation_file": job.training_file,
        "n_epochs": 4,
        "batch_size": 8,
        "learning_rate_multiplier": 0.1,
        "prompt_loss_weight": 0.01,
        "suffix": "support",
    }
    assert (answer.status, answer.said) == (JobStatus.QUEUED, "pending")
    assert answer.training_file == answer.validation_file == job.training_file
    assert answer.hyperparameters == Hyperparameters(4, 8, 0.1, None, 0.01)


async def test_the_transcript_is_read_oldest_first_once_each(
    legacy: OpenAiTuning, tuning: TuningServer, clock: HeldClock
) -> None:
    tuning.story = Story(steps=8, epochs=4, queue=(31, 30, 30, 12), pace=1)
    job = await made(legacy, tuning)
    clock.advance(1000)
    page = await legacy.events(job.id)
    assert not page.more
    told = [event.text for event in reversed(page.items)]
    model = (await legacy.job(job.id)).fine_tuned_model
    assert told == [
        f"Created fine-tune: {job.id}",
        "Fine-tune costs $0.03",
        "Fine-tune enqueued",
        "Fine-tune is in the queue. Queue number: 31",
        "Fine-tune is in the queue. Queue number: 30",
        "Fine-tune is in the queue. Queue number: 30",
        "Fine-tune is in the queue. Queue number: 12",
        "Fine-tune started",
        "Completed epoch 1/4",
        "Completed epoch 2/4",
        "Completed epoch 3/4",
        "Completed epoch 4/4",
        f"Uploaded model: {model}",
        f"Uploaded result file: {job.result_files[0]}",
        "Fine-tune succeeded",
    ]
    progress = progress_of(reversed(page.items))
    assert (progress.epoch, progress.epochs, progress.cost) == (4, 4, 0.03)
    ended = await legacy.job(job.id)
    assert ended.status is JobStatus.SUCCEEDED
    assert ended.result_files == tuple(job.result_files)
    assert (await legacy.content(ended.result_files[0])).startswith(b"step,")


async def test_ids_of_events_stay_while_more_happens(
    legacy: OpenAiTuning, tuning: TuningServer
) -> None:
    job = await made(legacy, tuning)
    for number in (31, 31, 31):  # in one second
        job.queues(number)
    before = [event.id for event in (await legacy.events(job.id)).items]
    job.queues(31)
    job.runs()
    after = [event.id for event in (await legacy.events(job.id)).items]
    assert after[2:] == before
    assert len(set(after)) == len(after)
    assert [event.id for event in (await legacy.events(job.id, after[1])).items] == before


async def test_events_have_the_same_ids_in_either_order() -> None:
    told = [{"created_at": at, "message": "Queue number: 3"} for at in (1, 1, 2)]
    oldest_first = events_of(told, newest_first=False)
    assert events_of(told[::-1], newest_first=True) == oldest_first
    assert [event.at for event in oldest_first] == [2, 1, 1]


async def test_events_are_read_where_the_job_does_not_hold_them(
    legacy: OpenAiTuning, tuning: TuningServer
) -> None:
    tuning.inline_events = False
    job = await made(legacy, tuning)
    job.runs()
    told = [event.text for event in (await legacy.events(job.id)).items]
    assert told == ["Fine-tune started", f"Created fine-tune: {job.id}"]


async def test_jobs_are_listed_newest_first_and_none_has_metadata(
    legacy: OpenAiTuning, tuning: TuningServer, clock: HeldClock
) -> None:
    first = await made(legacy, tuning)
    clock.advance(10)
    second = await made(legacy, tuning)
    assert [job.id for job in (await legacy.jobs()).items] == [second.id, first.id]
    assert await legacy.jobs(metadata={"tunebot_request": "r1"}) == Page(())


async def test_what_the_surface_does_not_have_is_not_asked_for(
    legacy: OpenAiTuning, tuning: TuningServer
) -> None:
    for call, said in (
        (legacy.pause("ft-1"), "cannot pause the fine-tune job ft-1: cancelling is all it can."),
        (legacy.resume("ft-1"), "cannot resume the fine-tune job ft-1."),
        (legacy.create(NewJob("m", "f", method="dpo")), "cannot train by dpo: choose supervised."),
        (
            legacy.create(NewJob("m", "f", method="reinforcement")),
            "cannot train by reinforcement: choose supervised.",
        ),
    ):
        with pytest.raises(TuningError) as raised:
            await call
        assert str(raised.value) == f"The provider openai {said}"
    assert await legacy.checkpoints("ft-1") == Page(())
    assert not tuning.calls


async def test_a_job_is_cancelled_and_its_model_deleted(
    legacy: OpenAiTuning, tuning: TuningServer
) -> None:
    job = await made(legacy, tuning)
    assert (await legacy.cancel(job.id)).status is JobStatus.CANCELLED
    other = await made(legacy, tuning)
    other.succeeds()
    await legacy.delete_model((await legacy.job(other.id)).fine_tuned_model)
    assert not tuning.tuned
