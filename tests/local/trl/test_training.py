"""What a training with torch promises, with tiny models."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bot.local.training.spec import Spec
from bot.local.training.trainer import train
from tests.local.training.conftest import bytes_tokenizer
from tests.local.training.heard import adapter, but_resumed, of_type, told
from tests.local.training.llama_cpp import llama_cpp, random_prompt
from tests.local.training.tiny import SPECIAL, TEMPLATE, VOCABULARY, Bytes, lines
from tests.local.trl.conftest import Events, Laboratory
from tests.local.trl.tiny import tiny_model, tokenizer

pytestmark = pytest.mark.xdist_group("torch")

RATE = 5.0  # the tiny model learns faster


@pytest.mark.parametrize("kind", ["llama", "mistral", "qwen2", "qwen3"])
def test_llama_cpp_says_what_peft_says(kind: str, laboratory: Laboratory, spec: Spec) -> None:
    folder, file = laboratory.model(kind)
    events = laboratory.train(
        spec.model_copy(update={"model": folder, "learning_rate_multiplier": RATE}), file
    )
    saved = spec.output / "state" / "checkpoint-10"
    prompts = [random_prompt(length, len(VOCABULARY)) for length in (1, 7, 60)]
    theirs: dict[str, list[list[float]]] = {
        name: laboratory.ask("probabilities", folder=folder, adapter=name, prompts=prompts)
        for name in ("", str(saved))
    }
    with llama_cpp(file, Path(events[-1]["adapter"])) as served:
        for scale, name in enumerate(theirs):
            for prompt, expected in zip(prompts, theirs[name], strict=True):
                found = served.next(prompt, float(scale))
                assert list(found.values()) == pytest.approx(
                    [expected[token] for token in found], abs=2e-3
                )
    base, tuned = theirs.values()
    assert np.abs(np.subtract(base, tuned)).max() > 1


@pytest.mark.parametrize("kind", ["completion", "chat"])
def test_first_step_measures_what_the_other_engine_measures(
    kind: str, laboratory: Laboratory, spec: Spec, tmp_path: Path
) -> None:
    rows: list[dict[str, Any]] = [
        {"prompt": "short ->", "completion": " yes"},
        {"prompt": "a longer one ->", "completion": " no, or perhaps"},
    ]
    if kind == "chat":
        rows = [chat(1, 1), chat(0, 1), chat(1)]
    changed = {
        "kind": kind,
        "training_file": lines(tmp_path / "rows.jsonl", *rows),
        "batch_size": len(rows),
        "epochs": 1,
    }
    file = laboratory.model()[1]
    ours = laboratory.train(spec.model_copy(update=changed), file)
    theirs: list[Any] = []
    other = {**changed, "model": file, "output": tmp_path / "other"}
    train(spec.model_copy(update=other), theirs.append, bytes_tokenizer)
    for key in "train_loss", "train_mean_token_accuracy":
        assert of_type(ours, "metrics")[0][key] == pytest.approx(
            of_type(theirs, "metrics")[0][key], abs=1e-3
        )
    assert ours[-1]["trained_tokens"] == theirs[-1]["trained_tokens"]


def chat(*weights: int) -> dict[str, Any]:
    asked = {"role": "user", "content": "hm?"}
    said = [
        message
        for each, weight in enumerate(weights)
        for message in (asked, {"role": "assistant", "content": f"answer {each}", "weight": weight})
    ]
    return {"messages": said}


def test_tokens_are_those_of_the_server(laboratory: Laboratory) -> None:
    messages = [{"role": "user", "content": "naïve?"}]
    text = "<|im_start|>user\nhéllo ->"
    tokens, written, begun = laboratory.ask(
        "tokens", folder=laboratory.model()[0], text=text, messages=messages
    )
    assert tokens == Bytes().tokens(text, start=True)
    assert written == Bytes().prompt(messages, [], answer=False)
    assert begun == Bytes().prompt(messages, [], answer=True)


def test_events_are_those_of_the_other_engine(laboratory: Laboratory, spec: Spec) -> None:
    file = laboratory.model()[1]
    ours = laboratory.train(spec.model_copy(update={"validation_file": spec.training_file}), file)
    other = {"model": file, "output": spec.output.with_name("other")}
    theirs: list[Any] = []
    train(
        spec.model_copy(update={**other, "validation_file": spec.training_file}),
        theirs.append,
        bytes_tokenizer,
    )
    assert [(event["type"], event.keys()) for event in ours] == [
        (event["type"], event.keys()) for event in theirs
    ]
    steps = of_type(ours, "metrics")
    assert [step["step"] for step in steps] == list(range(1, 11))
    assert [step["epoch"] for step in steps] == [1] * 5 + [2] * 5
    assert [step["learning_rate"] for step in steps] == pytest.approx(
        [step["learning_rate"] for step in of_type(theirs, "metrics")]
    )
    assert steps[4]["message"] == (
        f"Step 5/10: training loss={steps[4]['train_loss']:.2f}, "
        f"validation loss={steps[4]['full_valid_loss']:.2f}"
    )
    assert steps[-1]["eta"] <= 1 < steps[0]["eta"]  # the last checkpoint is still to come
    with Path(ours[-1]["results"]).open(encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table))
    assert [float(row["train_loss"]) for row in rows] == [step["train_loss"] for step in steps]


@pytest.mark.parametrize(
    ("last", "tick", "resumed"), [(4, 1.0, []), (9, 1.0, [5]), (13, 1.0, [10]), (5, 61.0, [3])]
)
def test_training_that_is_killed_goes_on_to_the_same_bytes(
    last: int,
    tick: float,
    resumed: list[int],
    laboratory: Laboratory,
    spec: Spec,
    whole: Events,
) -> None:
    """After an event; with the longer tick every step is saved."""
    file = laboratory.model()[1]
    heard = laboratory.train(spec, file, last=last, tick=tick)
    rest = laboratory.train(spec, file)
    assert told(heard) == told(whole)[:last]
    assert told(but_resumed(rest)) == told(whole)
    assert [event["step"] for event in of_type(rest, "resumed")] == resumed
    assert adapter(rest) == adapter(whole)


def test_checkpoint_that_was_not_written_to_its_end_does_not_count(
    laboratory: Laboratory, spec: Spec, whole: Events
) -> None:
    half = spec.output / "state" / "checkpoint-5"
    half.mkdir(parents=True)
    (half / "optimizer.pt").write_bytes(b"half")
    again = laboratory.train(spec, laboratory.model()[1])
    assert not of_type(again, "resumed")
    assert told(again) == told(whole)


def test_training_that_is_done_is_not_done_again(laboratory: Laboratory, spec: Spec) -> None:
    first, second = (laboratory.train(spec) for _ in range(2))
    assert of_type(second, "resumed")[0]["step"] == 10
    assert but_resumed(second) == first


def test_training_that_is_another_begins_anew_and_says_so(
    laboratory: Laboratory, spec: Spec
) -> None:
    laboratory.train(spec)
    other = spec.model_copy(update={"seed": 1})
    first, *rest = laboratory.train(other)
    assert (first["type"], first["level"]) == ("anew", "warn")
    assert of_type(rest, "metrics")[0]["step"] == 1
    assert not of_type(rest, "resumed")
    assert of_type(laboratory.train(other), "resumed")[0]["step"] == 10


def test_adapters_without_a_gguf_file_are_folders_of_peft(
    laboratory: Laboratory, spec: Spec
) -> None:
    done = laboratory.train(spec.model_copy(update={"epochs": 4}))[-1]
    kept = sorted(path for path in spec.output.iterdir() if path.name.startswith("adapter"))
    assert [path.name for path in kept] == ["adapter-10", "adapter-15", "adapter-20"]
    assert {path.name for path in Path(done["adapter"]).iterdir()} == {
        "adapter_config.json", "adapter_model.safetensors",
    }  # fmt: skip


def test_preferred_answers_become_more_likely(
    laboratory: Laboratory, spec: Spec, tmp_path: Path
) -> None:
    def pairs() -> Iterator[dict[str, Any]]:
        for each in "abcdef":
            asked = {"messages": [{"role": "user", "content": each}]}
            good, bad = (
                [{"role": "assistant", "content": text}] for text in (each * 3, each.upper())
            )
            yield {"input": asked, "preferred_output": good, "non_preferred_output": bad}

    file = lines(tmp_path / "pairs.jsonl", *pairs())
    changed = {
        "training_file": file,
        "validation_file": file,
        "kind": "preference",
        "epochs": 8,
        "learning_rate_multiplier": 20.0,
    }
    events = laboratory.train(spec.model_copy(update=changed), laboratory.model()[1])
    steps = of_type(events, "metrics")
    assert steps[0]["train_loss"] == pytest.approx(np.log(2))
    assert steps[-1]["full_valid_loss"] < 0.3
    assert of_type(events, "hyperparameters")[0]["beta"] == 0.1
    gguf = laboratory.model()[1]
    asked = Bytes().tokens(Bytes().prompt([{"role": "user", "content": "a"}], [], True), True)
    with llama_cpp(gguf, Path(events[-1]["adapter"])) as served:
        (good,), (bad,) = (Bytes().tokens(letter, start=False) for letter in "aA")
        preferred = [served.next(asked, scale) for scale in (0.0, 1.0)]
    margins = [each.get(good, -50.0) - each.get(bad, -50.0) for each in preferred]
    assert margins[1] > margins[0]


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        ({"model": "{folder}/missing"}, "invalid_model", "missing is not a folder."),
        ({"model": "{folder}"}, "invalid_model", "cannot read a language model from"),
        ({"learning_rate_multiplier": 1e30}, "diverged", "smaller learning rate"),
        ({"training_file": "{folder}/bad.jsonl"}, "invalid_file", "Line 2 of bad.jsonl"),
    ],
)
def test_fault_is_told_with_its_code(
    change: dict[str, Any], code: str, said: str, laboratory: Laboratory, spec: Spec, tmp_path: Path
) -> None:
    (tmp_path / "bad.jsonl").write_text('{"prompt": "a", "completion": "b"}\n{}\n')
    changed = {
        key: Path(each.format(folder=tmp_path)) if isinstance(each, str) else each
        for key, each in change.items()
    }
    fault = laboratory.train(spec.model_copy(update=changed), laboratory.model()[1])[-1]
    assert (fault["type"], fault["code"]) == ("error", code)
    assert said in fault["message"]
    assert fault["line"] == (2 if code == "invalid_file" else None)


@pytest.mark.parametrize(
    ("deed", "code", "said"),
    [
        ("memory_of_the_machine", "out_of_memory", "This machine has too little"),
        ("memory_of_the_model", "out_of_memory", "takes about"),
        ("memory_of_the_gpu", "out_of_memory", "The GPU has too little"),
        ("memory_of_a_library_of_the_gpu", "out_of_memory", "The GPU has too little"),
        ("disk_of_torch", "disk_full", "The disk is full"),
    ],
)
def test_what_is_used_up_is_told(deed: str, code: str, said: str, laboratory: Laboratory) -> None:
    laboratory.model()
    found = laboratory.ask("fault", deed=deed, folder=laboratory.models)
    assert found[0] == code
    assert said in found[1]


def test_gguf_file_of_another_model_is_refused(laboratory: Laboratory) -> None:
    code, message = laboratory.ask(
        "conversion", folder=laboratory.model()[0], beside=laboratory.model("qwen2")[1]
    )
    assert code == "unsupported_model"
    assert "qwen2.gguf is a qwen2 model, and model_folder holds a llama model" in message


def test_no_code_of_a_folder_is_run(laboratory: Laboratory, spec: Spec, tmp_path: Path) -> None:
    folder = tmp_path / "evil"
    folder.mkdir()
    ran = tmp_path / "ran"
    (folder / "evil.py").write_text(f"open({str(ran)!r}, 'w')\nclass Evil: pass\n")
    classes = {"AutoConfig": "evil.Evil", "AutoModelForCausalLM": "evil.Evil"}
    (folder / "config.json").write_text(json.dumps({"model_type": "evil", "auto_map": classes}))
    (folder / "model.safetensors").write_bytes(b"")
    fault = laboratory.train(spec.model_copy(update={"model": folder}))[-1]
    assert fault["code"] == "invalid_model"
    assert not ran.exists()


def test_token_that_begins_a_text_is_there_once(laboratory: Laboratory, tmp_path: Path) -> None:
    """Where the tokenizer writes it and the template does, too."""
    folder, _ = tiny_model(tmp_path / "tiny")
    first = {"SpecialToken": {"id": SPECIAL[0], "type_id": 0}}
    sequences = [{"Sequence": {"id": each, "type_id": 0}} for each in "AB"]
    settings = tokenizer() | {
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [first, sequences[0]],
            "pair": [first, *sequences],
            "special_tokens": {SPECIAL[0]: {"id": SPECIAL[0], "ids": [0], "tokens": [SPECIAL[0]]}},
        }
    }
    (folder / "tokenizer.json").write_text(json.dumps(settings))
    (folder / "chat_template.jinja").write_text(SPECIAL[0] + TEMPLATE)
    messages = [{"role": "user", "content": "hm?"}]
    tokens, written, _ = laboratory.ask("tokens", folder=folder, text="hm", messages=messages)
    assert tokens == [0, *Bytes().tokens("hm", start=False)]
    assert written == Bytes().prompt(messages, [], answer=False)
