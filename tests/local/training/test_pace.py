"""The time that a training says is left, on clocks that the tests hold."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.local.training.adapter import Adapter
from bot.local.training.events import Event
from bot.local.training.learning import Examples, Measured
from bot.local.training.model import Llama
from bot.local.training.pace import PASS, READING, Left, Pace, Speeds
from bot.local.training.spec import Spec
from bot.local.training.trainer import train
from tests.local.training.conftest import bytes_tokenizer
from tests.local.training.heard import Killed
from tests.local.training.tiny import lines

NEAR = 0.2  # of the time that is really left
EPOCH = 10  # steps
CHECK_IN = 3.0  # seconds
STEPS = st.integers(100, 1000)
EFFORTS = st.sampled_from([[40.0], [20.0, 300.0], [10.0, 10.0, 10.0, 200.0]])
SEEDS = st.integers(0, 1000)
SPEEDS = st.floats(1e-3, 1.0)


class Clock:
    """A clock that stands still until somebody works."""

    def __init__(self) -> None:
        self.now = 1e6

    def __call__(self) -> float:
        return self.now


def efforts_of(pattern: Sequence[float], steps: int) -> list[float]:
    return [pattern[step % len(pattern)] for step in range(steps)]


def errors(
    efforts: Sequence[float], seconds: Sequence[float], known: Speeds | None = None
) -> list[float]:
    """By what part of the time that is really left each step is wrong, for a training that takes
    so many seconds for its steps.
    """
    clock, steps = Clock(), len(efforts)
    pace = Pace(Left(steps, sum(efforts), steps // EPOCH), known or Speeds(), clock)
    true = sum(seconds) + CHECK_IN * (steps // EPOCH)
    found = []
    for step, (effort, took) in enumerate(zip(efforts, seconds, strict=True), start=1):
        clock.now += took
        true -= took
        told = pace.stepped(effort)
        found.append(abs(told - true) / true if true else told)
        if step % EPOCH == 0:
            clock.now += CHECK_IN
            true -= CHECK_IN
            pace.checked_in()
    return found


def after_a_tenth(found: Sequence[float]) -> float:
    """A check-in at the end of just that tenth has been seen by the step after it."""
    return found[len(found) // 10]


@given(EFFORTS, STEPS, SEEDS, SPEEDS)
def test_noise_and_rows_of_unlike_length(
    pattern: list[float], steps: int, seed: int, speed: float
) -> None:
    random, efforts = Random(seed), efforts_of(pattern, steps)
    seconds = [effort * speed * random.uniform(0.75, 1.25) for effort in efforts]
    assert after_a_tenth(errors(efforts, seconds)) < NEAR


@given(EFFORTS, st.integers(300, 1000), SPEEDS, st.floats(0.4, 2.5), st.floats(0, 0.03))
def test_speed_that_changes_early(
    pattern: list[float], steps: int, speed: float, change: float, at: float
) -> None:
    efforts = efforts_of(pattern, steps)
    seconds = [
        effort * speed * (change if step >= at * steps else 1)
        for step, effort in enumerate(efforts)
    ]
    assert after_a_tenth(errors(efforts, seconds)) < NEAR


@given(STEPS, SPEEDS, st.floats(1, 1000), st.integers(0, 10))
def test_one_slow_step(steps: int, speed: float, times: float, slow: int) -> None:
    efforts = efforts_of([40.0], steps)
    seconds = [effort * speed for effort in efforts]
    seconds[slow] *= times
    assert errors(efforts, seconds)[12] < NEAR


@given(STEPS, SPEEDS, st.floats(0.3, 3), st.floats(1, 5), SEEDS)
def test_training_that_goes_on_begins_with_what_it_knew(
    steps: int, speed: float, change: float, first: float, seed: int
) -> None:
    """Its first step is slow, and the machine may be another; on the same one it is right."""
    random, efforts = Random(seed), efforts_of([40.0], steps)
    seconds = [effort * speed * change * random.uniform(0.9, 1.1) for effort in efforts]
    seconds[0] *= first
    found = errors(efforts, seconds, Speeds(speed, CHECK_IN))
    assert found[0] < abs(1 / change - 1) + NEAR
    assert after_a_tenth(found) < NEAR


def test_nothing_is_left_at_the_end() -> None:
    assert errors([40.0] * 30, [2.0] * 30)[-1] <= CHECK_IN


class Simulated:
    """A training whose work is done by turning a clock."""

    def __init__(self, spec: Spec, monkeypatch: pytest.MonkeyPatch) -> None:
        self._spec, self._clock, self._random = spec, Clock(), Random(0)
        self.slower = 1.0
        save = Adapter.save

        def measure(
            examples: Examples, _model: Llama, chosen: Sequence[int], *, learning: bool = False
        ) -> Measured:
            tokens = sum(examples._lengths[each] for each in chosen)
            noise = self._random.uniform(0.9, 1.1)
            self._work((PASS + tokens) / 150 * noise * (1 if learning else READING))
            return Measured(1.0, 0.5)

        def slow_save(adapter: Adapter, path: Path) -> None:
            save(adapter, path)
            self._work(0.7)

        monkeypatch.setattr(Examples, "measure", measure)
        monkeypatch.setattr(Adapter, "save", slow_save)

    def _work(self, seconds: float) -> None:
        self._clock.now += seconds * self.slower

    def errors(self, last: int | None = None) -> list[float]:
        """By what part of what is left, counted at its end, each step is wrong; ended at `last`."""
        told: list[tuple[float, float]] = []

        def tell(event: Event) -> None:
            if event["type"] == "resumed":
                told.clear()  # what was told before is told once more
            if event["type"] == "metrics":
                told.append((self._clock.now, event["eta"]))
                if event["step"] == last:
                    raise Killed

        train(self._spec, tell, bytes_tokenizer, self._clock)
        end = self._clock.now
        return [abs(eta / (end - at) - 1) for at, eta in told if at < end]


def rows(count: int) -> list[dict[str, Any]]:
    """Every third is long."""
    return [
        {"prompt": f"q{each} ->", "completion": f" {'yes ' * (1 + each % 3 // 2 * 30)}\n"}
        for each in range(count)
    ]


@pytest.mark.parametrize("validated", [0, 10, 60])
@pytest.mark.parametrize(("count", "batch_size", "epochs"), [(10, 1, 20), (50, 4, 20), (120, 4, 4)])
def test_whole_training_with_validation_and_checkpoints(
    count: int,
    batch_size: int,
    epochs: int,
    validated: int,
    spec: Spec,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = spec.training_file.parent
    data: dict[str, Any] = {
        "training_file": lines(folder / "rows.jsonl", *rows(count)),
        "validation_file": lines(folder / "held.jsonl", *rows(validated)) if validated else None,
    }
    fields = data | {"batch_size": batch_size, "epochs": epochs}
    found = Simulated(spec.model_copy(update=fields), monkeypatch).errors()
    assert max(found[len(found) // 10 : len(found) // 2]) < NEAR


@pytest.mark.parametrize("slower", [1.0, 3.0])
def test_whole_training_that_goes_on_as_fast_or_slower(
    slower: float, spec: Spec, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = {"training_file": lines(spec.training_file.parent / "rows.jsonl", *rows(50))}
    fields = data | {"batch_size": 4, "epochs": 20}
    simulated = Simulated(spec.model_copy(update=fields), monkeypatch)
    with pytest.raises(Killed):
        simulated.errors(last=100)
    simulated.slower = slower
    found = simulated.errors()
    assert found[0] < abs(1 / slower - 1) + NEAR
    assert max(found[len(found) // 10 : len(found) // 2]) < NEAR
