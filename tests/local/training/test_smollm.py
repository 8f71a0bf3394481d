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
from bot.local.training.model import Llama
from bot.local.training.pack import pack
from bot.local.training.rows import Row
from bot.local.training.spec import Spec
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
        output=tmp_path / "output",
    )
    file = tmp_path / "spec.json"
    file.write_text(spec.model_dump_json(), encoding="utf-8")
    command = [sys.executable, "-m", "bot.local.training", str(file)]
    output = subprocess.check_output(command, text=True, timeout=100)  # noqa: S603 - our own
    adapter = Path(json.loads(output.splitlines()[-1])["adapter"])
    with llama_cpp(smollm, adapter) as served:
        for question, answer in QUESTIONS.items():
            asked = row(question, answer)
            prompt = served.chat(asked["messages"][:1]) if row is chat else asked["prompt"]
            base, tuned = (
                served.completion(prompt, scale, n_predict=20)["content"].strip()
                for scale in (0.0, 1.0)
            )
            assert tuned == answer != base
