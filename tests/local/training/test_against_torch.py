"""Loss and gradient, held against an autodiff library: torch, in an environment of its own."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gguf import GGUFReader

from bot.local.training.adapter import Adapter
from bot.local.training.base import Shape, load
from bot.local.training.learning import Examples
from bot.local.training.model import Llama
from tests.local.training.test_gradients import DATA
from tests.local.training.tiny import tiny_llama

TORCH = Path(__file__).parents[3] / ".venv" / "torch" / "bin" / "python"
REFERENCE = Path(__file__).with_name("torch_reference.py")
BETA = 0.3
NEAR = 1e-4  # of the largest slope of a matrix: torch rotates in single precision


def reference(model: Path, adapter: Adapter, shape: Shape, folder: Path) -> dict[str, Any]:
    """What torch says of `DATA`, by kind and then "loss" or a matrix of the adapter."""
    weights: dict[str, Any] = {
        each.name: np.asarray(each.data, np.float64) for each in GGUFReader(model).tensors
    }
    weights |= {name: adapter.view(adapter.values, name) for name in adapter.matrices}
    np.savez(folder / "model.npz", **weights)
    config = {
        "vocab_size": len(weights["token_embd.weight"]),
        "hidden_size": shape.width,
        "intermediate_size": shape.hidden,
        "num_hidden_layers": shape.blocks,
        "num_attention_heads": shape.heads,
        "num_key_value_heads": shape.kv_heads,
        "head_dim": shape.head_width,
        "rms_norm_eps": shape.epsilon,
        "rope_parameters": {"rope_type": "default", "rope_theta": shape.rope_base},
    }
    examples = {
        kind: [[(row.tokens, row.weights) for row in example.rows] for example in examples]
        for kind, examples in DATA.items()
    }
    asked = {"config": config, "scale": adapter.scale, "beta": BETA, "examples": examples}
    (folder / "cases.json").write_text(json.dumps(asked), encoding="utf-8")
    files = [folder / "model.npz", folder / "cases.json", folder / "found.npz"]
    subprocess.run([TORCH, REFERENCE, *files], check=True, timeout=100)  # noqa: S603 - our own
    return dict(np.load(folder / "found.npz"))


def test_loss_and_gradient_are_those_of_torch(tmp_path: Path) -> None:
    if not TORCH.exists():
        pytest.skip(f"{TORCH} with torch and transformers is not installed")
    file = tiny_llama(tmp_path / "tiny.gguf", tied=False)
    base = load(file, np.float64)
    adapter = Adapter(base.shape, 3, seed=1, dtype=np.float64)
    adapter.values[:] = np.random.default_rng(2).normal(0, 0.3, adapter.values.shape)
    model = Llama(base, adapter)
    theirs = reference(file, adapter, base.shape, tmp_path)
    for kind, data in DATA.items():
        examples = Examples(data)
        if kind == "preference":
            examples.prefer(model, BETA)
        adapter.gradient[:] = 0
        measured = examples.measure(model, range(len(data)), learning=True)
        assert measured.loss == pytest.approx(float(theirs[f"{kind} loss"]), rel=NEAR)
        for name in adapter.matrices:
            expected = theirs[f"{kind} {name}"]
            near = NEAR * np.abs(expected).max()
            assert adapter.view(adapter.gradient, name) == pytest.approx(expected, abs=near), name
