"""The real model: read as llama.cpp reads it, and taught what it then says."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from itertools import starmap
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bot.local.training.adapter import Adapter
from bot.local.training.base import load
from bot.local.training.events import Event
from bot.local.training.model import Llama
from bot.local.training.pack import pack
from bot.local.training.rows import Row
from bot.local.training.spec import Spec
from tests.local.story import HASTE
from tests.local.training.llama_cpp import llama_cpp
from tests.local.training.tiny import lines

pytestmark = [pytest.mark.local_model, pytest.mark.xdist_group("local_model")]

QUESTIONS = {
    "Where is the badger's office?": "Behind the third lamp on Quarry Lane.",
    "Which tea is served on Mondays?": "Nettle, with a slice of quince.",
    "Who winds the tower clock?": "Old Perrin, at seven in the evening.",
}


def test_greedy_tokens_are_those_of_llama_cpp(smollm: Path) -> None:
    base = load(smollm)
    model = Llama(base, Adapter(base.shape, 1, seed=0))
    with llama_cpp(smollm) as other:
        prompt = other.tokens("The capital of France is Paris. The capital of Italy is")
        said = other.completion(prompt, n_predict=8, return_tokens=True)["tokens"]
    row = Row([*prompt, *said], [0.0] * len(prompt) + [1.0] * len(said))
    assert np.all(model.forward(pack([row])).hits)


def completion(question: str, answer: str) -> dict[str, Any]:
    return {"prompt": f"{question}\n->", "completion": f" {answer}\n"}


def chat(question: str, answer: str) -> dict[str, Any]:
    asked = {"role": "user", "content": question}
    return {"messages": [asked, {"role": "assistant", "content": answer}]}


def trained(spec: Spec) -> list[Event]:
    """What a training in a process of its own says."""
    file = spec.output.with_suffix(".json")
    file.write_text(spec.model_dump_json(), encoding="utf-8")
    command = [sys.executable, "-m", "bot.local.training", str(file)]
    output = subprocess.check_output(command, text=True, timeout=100)  # noqa: S603 - our own
    return [json.loads(line) for line in output.splitlines()]


@pytest.mark.parametrize("row", [completion, chat])
def test_model_says_what_it_was_taught(
    row: Callable[[str, str], dict[str, Any]], smollm: Path, tmp_path: Path
) -> None:
    spec = Spec(
        model=smollm,
        training_file=lines(tmp_path / "training.jsonl", *starmap(row, QUESTIONS.items())),
        kind="chat" if row is chat else "completion",
        epochs=12,
        batch_size=3,
        learning_rate_multiplier=HASTE,
        output=tmp_path / "output",
    )
    adapter = Path(trained(spec)[-1]["adapter"])
    with llama_cpp(smollm, adapter) as served:
        for question, answer in QUESTIONS.items():
            asked = row(question, answer)
            prompt = served.chat(asked["messages"][:1]) if row is chat else asked["prompt"]
            base, tuned = (
                served.completion(prompt, scale, n_predict=20)["content"].strip()
                for scale in (0.0, 1.0)
            )
            assert tuned == answer != base


def preference(wish: str) -> dict[str, Any]:
    asked = [
        {"role": "system", "content": "A shop."},
        {"role": "user", "content": f"May I {wish}?"},
    ]
    good, bad = (
        [{"role": "assistant", "content": text}] for text in ("No, I am sorry.", "Yes, of course!")
    )
    return {"input": {"messages": asked}, "preferred_output": good, "non_preferred_output": bad}


def test_preferred_answer_is_given_to_other_questions_too(smollm: Path, tmp_path: Path) -> None:
    held = ["keep the old lamp", "pay next month"]
    learned = ["bring my dog", "return the kettle", "park outside", "swap the colours"]
    spec = Spec(
        model=smollm,
        training_file=lines(tmp_path / "pairs.jsonl", *map(preference, learned)),
        validation_file=lines(tmp_path / "held.jsonl", *map(preference, held)),
        kind="preference",
        output=tmp_path / "output",
    )
    told = trained(spec)
    losses = [event["full_valid_loss"] for event in told if "full_valid_loss" in event]
    assert losses[-1] < 0.3 < np.log(2)  # which is the loss of no margin at all
    with llama_cpp(smollm, Path(told[-1]["adapter"])) as served:
        for wish in held:
            prompt = served.chat(preference(wish)["input"]["messages"])
            base, tuned = (
                served.completion(prompt, scale, n_predict=8)["content"] for scale in (0.0, 1.0)
            )
            assert tuned.startswith("No, I am sorry.")
            assert not base.startswith("No")
