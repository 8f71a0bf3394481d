"""llama.cpp's tokenizer and templates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.local.training.base import load
from bot.local.training.data import chat
from bot.local.training.tokenizer import llama_tokenizer
from tests.local.training.test_conversation import CALLS
from tests.local.training.test_rows import ASKED, says
from tests.local.training.tiny import END, SPECIAL, tiny_llama


def of_bytes(text: str) -> list[int]:
    return [byte + len(SPECIAL) for byte in text.encode()]


def test_what_goes_on_after_a_prompt_begins_with_no_space_of_its_own(tmp_path: Path) -> None:
    """As llama.cpp writes one before every text, for a vocabulary of sentencepiece."""
    pytest.importorskip("xllamacpp", reason="xllamacpp is not installed")
    model = tiny_llama(tmp_path / "tiny.gguf", sentencepiece=True)
    with llama_tokenizer(model, END) as tokenizer:
        assert tokenizer.tokens("ab", start=True) == [0, *of_bytes("▁ab")]
        assert tokenizer.tokens("ab", start=False) == of_bytes("ab")
        assert tokenizer.tokens("<|im_end|>", start=False) == [END]


def test_refusal_names_a_template_only_where_one_is_used(tmp_path: Path) -> None:
    pytest.importorskip("xllamacpp", reason="xllamacpp is not installed")
    with llama_tokenizer(tiny_llama(tmp_path / "tiny.gguf"), END) as tokenizer:
        with pytest.raises(ValueError, match="parse error") as refused:
            tokenizer.tokens("\ud800", start=True)
        assert "template" not in str(refused.value)
        with pytest.raises(ValueError, match="the model's template refuses it"):
            tokenizer.prompt([{"role": "assistant"}], [], answer=False)


@pytest.mark.local_model
@pytest.mark.xdist_group("local_model")
def test_real_template_lets_a_greeting_be_learned_and_no_call(smollm: Path) -> None:
    def learned(*messages: dict[str, Any]) -> list[int]:
        (row,) = chat({"messages": [*messages]}, tokenizer)
        return [token for token, weight in zip(row.tokens, row.weights, strict=True) if weight]

    with llama_tokenizer(smollm, load(smollm).shape.end) as tokenizer:
        said = tokenizer.tokens("Hello!<|im_end|>\n", start=False)
        assert learned(says("Hello!"), ASKED, says("Hello!")) == said * 2
        for call in CALLS:
            with pytest.raises(ValueError, match="template leaves out"):
                learned(ASKED, call)
