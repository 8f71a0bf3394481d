"""The backward pass, held against finite differences of the forward pass in double precision."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bot.local.training import base as gguf_base
from bot.local.training import learning
from bot.local.training.adapter import Adapter
from bot.local.training.batches import micro_batches
from bot.local.training.data import chat, completion, preference
from bot.local.training.learning import Examples
from bot.local.training.model import Llama
from bot.local.training.objective import (
    Likelihood,
    Objective,
    Preference,
    row_log_probabilities,
)
from bot.local.training.pack import pack
from bot.local.training.rows import Example
from tests.local.training.tiny import Bytes, tiny_llama

QUESTION = {"role": "user", "content": "hm?"}
COMPLETION = [{"prompt": "abc ->", "completion": " xy"}, {"prompt": "", "completion": " no!"}]
CHAT: list[dict[str, Any]] = [
    {
        "messages": [
            QUESTION,
            {"role": "assistant", "content": "no", "weight": 0},
            QUESTION,
            {"role": "assistant", "content": "yes"},
        ]
    },
    {"messages": [{"role": "assistant", "content": "Hi"}]},
]
PREFERENCE = [
    {
        "input": {"messages": [QUESTION]},
        "preferred_output": [{"role": "assistant", "content": good}],
        "non_preferred_output": [{"role": "assistant", "content": bad}],
    }
    for good, bad in (("yes", "no"), ("a", "bcd"))
]
DATA = {
    "completion": [Example(tuple(completion(each, Bytes()))) for each in COMPLETION],
    "chat": [Example(tuple(chat(each, Bytes()))) for each in CHAT],
    "preference": [Example(tuple(preference(each, Bytes()))) for each in PREFERENCE],
}


@pytest.mark.parametrize("kv_heads", [1, 2, 4])
@pytest.mark.parametrize("tied", [True, False], ids=["tied", "untied"])
@pytest.mark.parametrize("kind", list(DATA))
def test_gradient_is_the_slope_of_the_loss(
    kind: str, tied: bool, kv_heads: int, tmp_path: Path
) -> None:
    base = gguf_base.load(tiny_llama(tmp_path / "m", tied=tied, kv_heads=kv_heads), np.float64)
    adapter = Adapter(base.shape, 3, seed=1, dtype=np.float64)
    random = np.random.default_rng(2)
    model, examples = Llama(base, adapter), DATA[kind]
    packed = pack([row for example in examples for row in example.rows])
    objective: Objective = Likelihood()
    if kind == "preference":
        objective = Preference(row_log_probabilities(model.forward(packed, adapted=False)), 0.5)
    adapter.values[:] = random.normal(0, 0.3, adapter.values.shape)
    amount = sum(objective.amount(example) for example in examples)

    def loss() -> float:
        return objective.loss(model.forward(packed), [0, 1], amount).value

    done = model.forward(packed, learning=True)
    model.backward(done, objective.loss(done, [0, 1], amount).coefficients)
    for matrix in adapter.matrices.values():
        direction = np.zeros_like(adapter.values)
        direction[matrix.start : matrix.end] = random.normal(size=matrix.end - matrix.start)
        before, step = adapter.values.copy(), 2e-6
        adapter.values += step * direction
        above = loss()
        adapter.values[:] = before - step * direction
        below = loss()
        adapter.values[:] = before
        slope = (above - below) / (2 * step)
        assert adapter.gradient @ direction == pytest.approx(slope, rel=1e-5, abs=5e-9), matrix.name


@pytest.mark.parametrize("kind", list(DATA))
def test_batch_in_parts_has_the_loss_and_the_gradient_of_the_whole(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = gguf_base.load(tiny_llama(tmp_path / "m"), np.float64)
    found = []
    for together in (1, 10_000):
        adapter = Adapter(base.shape, 3, seed=1, dtype=np.float64)
        model, examples = Llama(base, adapter), Examples(DATA[kind])
        if kind == "preference":
            examples.prefer(model, 0.5)
        adapter.values[:] = np.random.default_rng(2).normal(0, 0.3, adapter.values.shape)
        monkeypatch.setattr(learning, "micro_batches", partial(micro_batches, together=together))
        found.append((examples.measure(model, [1, 0], learning=True), adapter.gradient))
    (apart, gradient), (whole, expected) = found
    assert apart == pytest.approx(whole)
    assert gradient == pytest.approx(expected, rel=1e-9, abs=1e-12)
