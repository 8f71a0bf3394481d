"""How far a job is, from the words and the data of its service."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.training import JobEvent
from bot.tuning.progress import MOST_POINTS, Progress, after, progress_of

LEGACY = """Created fine-tune: ft-aJbHcPnuaiQZ3DsUdXYVtVrq
Fine-tune costs $0.03
Fine-tune enqueued
Fine-tune is in the queue. Queue number: 31
Fine-tune is in the queue. Queue number: 30
Fine-tune is in the queue. Queue number: 30
Fine-tune is in the queue. Queue number: 27
Fine-tune started
Completed epoch 1/4
Completed epoch 2/4"""


def event(text: str, at: float = 0.0, **data: Any) -> JobEvent:
    return JobEvent("", at, "info", text, data)


def test_words_of_todays_services_are_understood() -> None:
    progress = progress_of(
        [
            event("Step 1/303: training loss=3.62", 10),
            event("Step 131/303: training loss=0.25, validation loss=0.37", 140),
        ]
    )
    assert (progress.step, progress.steps) == (131, 303)
    assert progress.training == ((1, 3.62), (131, 0.25))
    assert progress.validation == ((131, 0.37),)
    assert progress.share == pytest.approx(131 / 303)
    assert progress.finish() == pytest.approx(140 + 172)


def test_data_goes_before_words() -> None:
    told = event("something new", step=5, total_steps=10, train_loss=0.5, valid_loss=0.75)
    progress = after(Progress(), told)
    assert (progress.step, progress.steps) == (5, 10)
    assert (progress.training, progress.validation) == (((5, 0.5),), ((5, 0.75),))


def test_words_of_the_legacy_services_are_understood() -> None:
    lines = [event(line, 60.0 * i) for i, line in enumerate(LEGACY.splitlines())]
    waiting = progress_of(lines[:7])
    assert (waiting.queue, waiting.cost) == (27, 0.03)
    assert waiting.start() == pytest.approx(360 + 27 * 180 / 4)
    running = progress_of(lines)
    assert (running.queue, running.epoch, running.epochs, running.share) == (None, 2, 4, 0.5)
    assert running.finish() == pytest.approx(540 + 120)


def test_queue_that_gets_longer_is_measured_anew() -> None:
    numbers = [5, 4, 9, 8]
    progress = progress_of(event(f"Queue number: {n}", 10.0 * i) for i, n in enumerate(numbers))
    assert progress.start() == pytest.approx(30 + 80)


def test_step_of_a_checkpoint_is_no_progress() -> None:
    assert progress_of([event("Checkpoint created at step 3")]) == Progress()


def test_steps_told_twice_or_late_change_nothing() -> None:
    first, second = event("Step 1/9: training loss=2", 1), event("Step 2/9: training loss=1", 2)
    assert progress_of([first, second, second, first]) == progress_of([first, second])


def test_estimate_of_the_service_serves_where_nothing_is_measured() -> None:
    assert progress_of([event("Step 1/303: training loss=3")]).finish(500) == 500
    assert Progress().finish() == 0


def test_curve_stays_bounded_and_keeps_its_ends() -> None:
    progress = progress_of(event("", step=i + 1, train_loss=i) for i in range(3 * MOST_POINTS))
    assert len(progress.training) <= MOST_POINTS
    assert progress.training[0] == (1, 0)
    assert progress.training[-1][0] == 3 * MOST_POINTS


anything = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
keys = st.sampled_from(["step", "total_steps", "train_loss", "valid_loss", "epoch", "n_epochs"])


@given(
    st.lists(
        st.builds(
            JobEvent,
            st.text(),
            st.floats(0, 1e10),
            st.just("info"),
            st.text(),
            st.dictionaries(keys, anything),
        )
    )
)
def test_nothing_that_a_service_says_is_an_error(events: list[JobEvent]) -> None:
    progress = progress_of(events)
    assert progress.share is None or 0 <= progress.share <= 1
    assert progress.finish() >= 0
