"""Our forward pass and our files, held against llama.cpp."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bot.local.training.adapter import Adapter
from bot.local.training.base import load
from bot.local.training.model import Llama
from bot.local.training.tokenizer import llama_tokenizer
from tests.local.training.llama_cpp import llama_cpp, ours, random_prompt
from tests.local.training.tiny import END, VOCABULARY, Bytes, tiny_llama

SHAPES: dict[str, dict[str, Any]] = {
    "grouped and tied": {},
    "separate output": {"tied": False},
    "one key head": {"kv_heads": 1},
    "a key head each": {"kv_heads": 4},
    "scaled rotations": {"rope_factors": True},
    "quantised": {"quantised": True},
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_forward_pass_and_adapter_are_those_of_llama_cpp(
    shape: dict[str, Any], tmp_path: Path
) -> None:
    """llama.cpp rounds what meets quantised weights to 8 bits: it is held less narrowly there."""
    near = 0.3 if "quantised" in shape else 1e-4
    file = tiny_llama(tmp_path / "tiny.gguf", **shape)
    base = load(file)
    adapter = Adapter(base.shape, 4, seed=0)
    adapter.values[:] = np.random.default_rng(1).normal(0, 0.2, adapter.values.shape)
    adapter.save(tmp_path / "adapter.gguf")
    model = Llama(base, adapter)
    with llama_cpp(file, tmp_path / "adapter.gguf") as other:
        for length in (1, 7, 60):
            prompt = random_prompt(length, len(VOCABULARY))
            for scale in (0.0, 1.0):
                theirs = other.next(prompt, scale)
                mine = ours(model, prompt, list(theirs), adapted=scale > 0)
                assert mine == pytest.approx(list(theirs.values()), abs=near)
    assert ours(model, prompt, list(theirs)) != pytest.approx(mine, abs=0.1)


def test_tokenizer_writes_what_the_server_would_read(tmp_path: Path) -> None:
    file = tiny_llama(tmp_path / "tiny.gguf")
    asked = [{"role": "user", "content": "naïve?"}]
    said = [*asked, {"role": "assistant", "content": "yes"}]
    pytest.importorskip("xllamacpp", reason="xllamacpp is not installed")
    with llama_tokenizer(file, END) as tokenizer:
        for text in ("plain ->", "héllo\n\n###\n\n", "<|im_start|>user\nhm<|im_end|>", ""):
            assert tokenizer.tokens(text, start=True) == Bytes().tokens(text, start=True)
        for answer in (True, False):
            assert tokenizer.prompt(said, [], answer) == Bytes().prompt(said, [], answer)
        assert tokenizer.prompt(asked, [], answer=True).endswith("assistant\n")
        with pytest.raises(ValueError, match="template refuses"):
            tokenizer.prompt([{"role": 3}], [], answer=True)
