"""The card of a job."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bot.training import Job, JobEvent, JobStatus
from bot.tuning.card import Shown, bar, card_text, sparkline
from bot.tuning.progress import Progress, progress_of

JOB = Job("ftjob-1", "gpt-4o-mini", JobStatus.RUNNING, "running", created_at=1000.0)


def steps(*losses: float) -> Progress:
    return progress_of(
        JobEvent("", 10.0 * i, "info", f"Step {i}/10: training loss={loss}")
        for i, loss in enumerate(losses, 1)
    )


def test_running_job_shows_bar_step_time_left_and_loss() -> None:
    text = card_text(Shown(JOB, steps(4, 3, 2, 1, 0.5), "support", cost="about $1.20"), now=60.0)
    assert text.splitlines() == [
        "🏃 **support** · gpt-4o-mini · running  ",
        "`ftjob-1`  ",
        "`████████░░░░░░░░` 50% · step 5/10 · 40 s left  ",
        "Training loss 0.5 `█▆▄▂▁`  ",
        "Cost: about $1.20",
    ]


def test_queued_job_shows_its_place() -> None:
    events = [JobEvent("", at, "info", f"Queue number: {n}") for at, n in ((0, 9), (60, 6))]
    text = card_text(Shown(replace(JOB, status=JobStatus.QUEUED), progress_of(events), "x"), 60.0)
    assert "Queue number 6, about 2 min until it starts" in text


def test_ended_job_shows_what_came_of_it() -> None:
    good = replace(
        JOB,
        status=JobStatus.SUCCEEDED,
        finished_at=1109.0,
        trained_tokens=12_345,
        fine_tuned_model="ft:gpt-4o-mini:acme::1",
    )
    text = card_text(Shown(good, steps(1), "support"), 5000.0)
    assert "Took 1 min 49 s" in text
    assert "Tokens trained: 12,345" in text
    assert "Model: `ft:gpt-4o-mini:acme::1`" in text
    bad = replace(JOB, status=JobStatus.FAILED, failure="line 20: invalid schema")
    assert "It failed: line 20: invalid schema" in card_text(Shown(bad, Progress(), "x"), 0.0)


def test_status_that_nobody_knows_is_shown_as_it_was_said() -> None:
    job = replace(JOB, status=JobStatus.UNKNOWN, said="warming_up")
    assert card_text(Shown(job, Progress(), "x"), 0.0).splitlines()[0].endswith("warming_up  ")


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=500))
def test_sparkline_fits_whatever_the_values(values: list[float]) -> None:
    line = sparkline(values)
    assert len(line) == min(len(values), 16)


@given(st.floats(0, 1))
def test_bar_has_its_width(share: float) -> None:
    assert len(bar(share)) == 16
