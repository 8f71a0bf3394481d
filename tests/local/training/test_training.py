"""What a training promises, with a tiny model."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from filelock import FileLock

from bot.local.training import memory, trainer
from bot.local.training.events import Event
from bot.local.training.fault import TrainingFault
from bot.local.training.learning import Examples, Measured
from bot.local.training.model import Llama
from bot.local.training.spec import Spec
from bot.local.training.trainer import train
from tests.local.training.conftest import Train, bytes_tokenizer
from tests.local.training.heard import Killed, adapter, but_resumed, of_type, told
from tests.local.training.tiny import CONTEXT, lines, tiny_llama

RATE = 2.0  # the tiny model learns faster


def test_loss_falls_and_the_answers_are_learned(training: Train) -> None:
    steps = of_type(training(epochs=40, learning_rate_multiplier=RATE), "metrics")
    assert steps[0]["train_loss"] > 3
    assert np.mean([step["train_mean_token_accuracy"] for step in steps[-5:]]) > 0.9


def test_events_are_worded_like_those_of_openai(training: Train, spec: Spec) -> None:
    events = training(validation_file=spec.training_file)
    steps = of_type(events, "metrics")
    assert [step["step"] for step in steps] == list(range(1, 11))
    assert [step["epoch"] for step in steps] == [1] * 5 + [2] * 5
    first, fifth = steps[0], steps[4]
    assert first["message"] == f"Step 1/10: training loss={first['train_loss']:.2f}"
    assert fifth["message"] == (
        f"Step 5/10: training loss={fifth['train_loss']:.2f}, "
        f"validation loss={fifth['full_valid_loss']:.2f}"
    )
    assert [event["message"] for event in of_type(events, "checkpoint")] == [
        "Checkpoint created at step 5",
        "Checkpoint created at step 10",
    ]
    assert events[0]["message"] == (
        "Training with n_epochs=2, batch_size=2, learning_rate_multiplier=1"
    )
    assert events[-1]["message"] == "The job has successfully completed"


def test_time_left_comes_down_to_nothing(training: Train) -> None:
    """Each step takes one second, and a checkpoint one more, of which one is told ahead."""
    left = [step["eta"] for step in of_type(training(epochs=1, batch_size=1), "metrics")]
    assert left == pytest.approx(range(9, -1, -1))


def test_validation_file_is_read_in_turn_and_whole_at_the_end_of_an_epoch(
    training: Train, spec: Spec, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[list[int]] = []
    measure = Examples.measure

    def spy(self: Examples, model: Llama, chosen: list[int], *, learning: bool = False) -> Measured:
        if not learning:
            read.append(chosen)
        return measure(self, model, chosen, learning=learning)

    monkeypatch.setattr(Examples, "measure", spy)
    many = spec.training_file.with_name("many.jsonl")
    many.write_text(spec.training_file.read_text() * 5)
    events = training(training_file=many, validation_file=spec.training_file, batch_size=2)
    steps = [step["step"] for step in of_type(events, "metrics") if "valid_loss" in step]
    assert steps == [10, 20, 25, 30, 40, 50]
    assert read == [[2, 3], [4, 5], [*range(10)], [6, 7], [8, 9], [*range(10)]]


def test_result_file_has_every_step(training: Train, spec: Spec) -> None:
    events = training(validation_file=spec.training_file)
    with Path(events[-1]["results"]).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    steps = of_type(events, "metrics")
    assert [float(row["train_loss"]) for row in rows] == [step["train_loss"] for step in steps]
    assert [bool(row["valid_loss"]) for row in rows] == [False] * 4 + [True] + [False] * 4 + [True]
    assert rows[0].keys() == {
        "step", "train_loss", "train_accuracy", "valid_loss", "valid_mean_token_accuracy",
    }  # fmt: skip


def test_same_seed_gives_the_same_bytes_and_another_does_not(
    training: Train, tmp_path: Path
) -> None:
    first, second, other = (
        training(seed=seed, output=tmp_path / name) for name, seed in (("1", 7), ("2", 7), ("3", 8))
    )
    assert told(first) == told(second)
    assert adapter(first) == adapter(second) != adapter(other)


@pytest.mark.parametrize("last", range(2, 15))
def test_training_killed_at_any_event_goes_on_to_the_same_bytes(
    last: int, training: Train, spec: Spec, tmp_path: Path
) -> None:
    whole = training(validation_file=spec.training_file)
    heard: list[Event] = []

    def tell(event: Event) -> None:
        heard.append(event)
        if len(heard) == last:
            raise Killed

    killed = {"output": tmp_path / "killed", "validation_file": spec.training_file}
    with pytest.raises(Killed):
        train(spec.model_copy(update=killed), tell, bytes_tokenizer)
    rest = training(**killed)
    # Who heard it may have died with it: all that was said is said again.
    assert told(but_resumed(rest)) == told(whole)
    assert adapter(rest) == adapter(whole)
    assert Path(rest[-1]["results"]).read_bytes() == Path(whole[-1]["results"]).read_bytes()


@pytest.mark.parametrize("last", range(1, 6))
def test_training_killed_before_any_file_is_in_place_goes_on_to_the_same_bytes(
    last: int, training: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = training()
    replace, before = Path.replace, iter(range(1, last))

    def die(file: Path, target: Path) -> Path:
        if next(before, None) is None:
            raise Killed
        return replace(file, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", die)
        with pytest.raises(Killed):
            training(output=tmp_path / "killed")
    assert adapter(training(output=tmp_path / "killed")) == adapter(whole)


def test_long_epoch_is_saved_on_its_way(training: Train, spec: Spec, tmp_path: Path) -> None:
    minutes = iter(range(0, 10_000, 61))

    def tell(event: Event) -> None:
        if event.get("step") == 4:
            raise Killed

    with pytest.raises(Killed):
        train(spec, tell, bytes_tokenizer, minutes.__next__)
    rest = training()
    assert of_type(rest, "resumed")[0]["step"] == 3
    assert adapter(rest) == adapter(training(output=tmp_path / "whole"))


def test_training_that_is_done_is_not_done_again(training: Train) -> None:
    first, second = training(), training()
    assert but_resumed(second) == first


def test_last_three_checkpoints_are_kept(training: Train, spec: Spec) -> None:
    training(epochs=5)
    kept = {file.name for file in spec.output.glob("*.gguf")}
    assert kept == {"adapter-15.gguf", "adapter-20.gguf", "adapter-25.gguf"}


@pytest.mark.parametrize("lost", ["identity", "speeds"])
def test_training_that_another_tunebot_left_begins_anew_and_says_so(
    lost: str, training: Train, spec: Spec, tmp_path: Path
) -> None:
    training()
    with np.load(spec.output / "state.npz") as saved:
        arrays = dict(saved)
    state = json.loads(arrays["state"].tobytes())
    state[lost] = "another" if lost == "identity" else None
    arrays["state"] = np.frombuffer(json.dumps(state).encode(), np.uint8)
    np.savez(spec.output / "state.npz", **arrays)
    first, *rest = training()
    assert (first["type"], first["level"]) == ("anew", "warn")
    whole = training(output=tmp_path / "whole")
    assert told(rest) == told(whole)
    assert adapter(rest) == adapter(whole)
    assert of_type(training(), "resumed")


def test_two_processes_do_not_train_in_one_folder(
    training: Train, spec: Spec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainer, "PATIENCE", 0)
    spec.output.mkdir()
    with FileLock(spec.output / ".lock"), pytest.raises(TrainingFault, match="Another process"):
        training()


def test_loss_that_is_no_number_ends_the_training(training: Train) -> None:
    with pytest.raises(TrainingFault, match="smaller learning rate") as fault:
        training(learning_rate_multiplier=1e30)
    assert fault.value.code == "diverged"


def test_long_rows_are_cut_and_rows_without_an_answer_left_out(
    training: Train, tmp_path: Path
) -> None:
    file = lines(
        tmp_path / "long.jsonl",
        {"prompt": "short ->", "completion": " yes"},
        {"prompt": "short ->", "completion": " yes" * 20},
        {"prompt": "long" * 20, "completion": " lost"},
    )
    events = training(training_file=file, longest=16)
    assert [event["message"] for event in events[:2]] == [
        "long.jsonl: 2 rows, the first in line 2, were longer than 16 tokens and cut there.",
        "long.jsonl: 1 row, in line 3, was left out: no answer that is to be learned begins within "
        "the first 16 tokens.",
    ]
    assert [event["level"] for event in events[:2]] == ["warn", "warn"]


def test_no_row_is_longer_than_the_model_reads(training: Train, tmp_path: Path) -> None:
    file = lines(tmp_path / "long.jsonl", {"prompt": "a", "completion": "b" * 1000})
    assert (
        f"longer than {CONTEXT} tokens" in training(training_file=file, longest=512)[0]["message"]
    )


def test_preferred_answers_become_more_likely(training: Train, tmp_path: Path) -> None:
    def pairs() -> Iterator[dict[str, Any]]:
        for each in "abcdef":
            asked = {"messages": [{"role": "user", "content": each}]}
            good, bad = (
                [{"role": "assistant", "content": text}] for text in (each * 3, each.upper())
            )
            yield {"input": asked, "preferred_output": good, "non_preferred_output": bad}

    file = lines(tmp_path / "pairs.jsonl", *pairs())
    events = training(
        training_file=file, validation_file=file, kind="preference", epochs=20,
        learning_rate_multiplier=50.0,
    )  # fmt: skip
    steps = of_type(events, "metrics")
    assert steps[0]["train_loss"] == pytest.approx(np.log(2))
    assert steps[-1]["full_valid_loss"] < 0.3
    assert of_type(events, "hyperparameters")[0]["beta"] == 0.1


def test_weight_of_0_is_as_if_nothing_were_learned(training: Train, tmp_path: Path) -> None:
    def chat(*weights: int) -> dict[str, Any]:
        asked = {"role": "user", "content": "hm?"}
        said = [
            message
            for each, weight in enumerate(weights)
            for message in (
                asked,
                {"role": "assistant", "content": f"answer {each}", "weight": weight},
            )
        ]
        return {"messages": said}

    both, last = (
        training(
            training_file=lines(tmp_path / f"{name}.jsonl", chat(*weights)),
            output=tmp_path / name,
            kind="chat",
        )[1]["train_loss"]
        for name, weights in (("both", (1, 1)), ("last", (0, 1)))
    )
    assert both != last
    with pytest.raises(TrainingFault, match="nothing to learn from"):
        training(
            training_file=lines(tmp_path / "none.jsonl", chat(0, 0)),
            output=tmp_path / "none",
            kind="chat",
        )


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        ({"architecture": "qwen2"}, "its architecture is qwen2"),
        ({"more": ["blk.0.attn_q.bias"]}, "blk.0.attn_q.bias has no place in it"),
    ],
)
def test_model_of_another_kind_is_refused(
    model: dict[str, Any], reason: str, training: Train, tmp_path: Path
) -> None:
    with pytest.raises(TrainingFault, match=reason):
        training(model=tiny_llama(tmp_path / "other.gguf", **model))


def test_model_that_does_not_fit_into_memory_is_refused_before_it_is_read(
    training: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "meminfo").write_text("MemTotal: 99 kB\nMemAvailable:      20 kB\n")
    monkeypatch.setattr(memory, "MEMORY", tmp_path / "meminfo")
    with pytest.raises(
        TrainingFault, match=r"takes about 0\.\d GB of memory, and 0\.0 GB"
    ) as fault:
        training()
    assert fault.value.code == "out_of_memory"


def test_file_that_is_no_model_is_refused(training: Train, spec: Spec) -> None:
    with pytest.raises(TrainingFault, match="is not a GGUF file"):
        training(model=spec.training_file)
