"""A llama of a few thousand random weights, as a file that llama.cpp loads and serves."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from gguf import GGMLQuantizationType, GGUFWriter, TokenType, quantize

from bot.local.training.rows import Message

WIDTH, HEADS, KV_HEADS, HEAD_WIDTH, HIDDEN, BLOCKS = 24, 4, 2, 6, 40, 2
CONTEXT = 256
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
END = SPECIAL.index("<|im_end|>")
TEMPLATE = (
    "{% for message in messages %}"
    "{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n'}}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def byte_letters() -> list[str]:
    """The letters by which GPT-2's vocabulary writes the 256 bytes."""
    plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = iter(range(0x100, 0x200))
    return [chr(byte if byte in plain else next(others)) for byte in range(256)]


VOCABULARY = [*SPECIAL, *byte_letters()]


def tiny_llama(
    path: Path,
    *,
    tied: bool = True,
    kv_heads: int = KV_HEADS,
    rope_factors: bool = False,
    quantised: bool = False,
    sentencepiece: bool = False,
    architecture: str = "llama",
    seed: int = 0,
    more: Iterable[str] = (),
) -> Path:
    """Write a model. Its norms are no ones, so that each is seen to be used."""
    random = np.random.default_rng(seed)
    width, head_width, hidden = (32, 8, 64) if quantised else (WIDTH, HEAD_WIDTH, HIDDEN)
    writer = GGUFWriter(path, architecture)
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(width)
    writer.add_block_count(BLOCKS)
    writer.add_feed_forward_length(hidden)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(kv_heads)
    writer.add_rope_dimension_count(head_width)
    writer.add_rope_freq_base(1000.0)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(VOCABULARY))
    add_vocabulary(writer, sentencepiece=sentencepiece)

    def add(name: str, *shape: int, deviation: float = 0.2, mean: float = 0.0) -> None:
        values = random.normal(mean, deviation, shape).astype(np.float32)
        if quantised and len(shape) == 2:
            kind = GGMLQuantizationType.Q8_0
            writer.add_tensor(name, quantize(values, kind), raw_dtype=kind)
        else:
            writer.add_tensor(name, values)

    add("token_embd.weight", len(VOCABULARY), width, deviation=0.5)
    add("output_norm.weight", width, mean=1)
    if not tied:
        add("output.weight", len(VOCABULARY), width, deviation=0.5)
    if rope_factors:
        writer.add_tensor("rope_freqs.weight", np.linspace(1, 4, head_width // 2, dtype=np.float32))
    for name in more:
        add(name, width)
    for block in range(BLOCKS):
        add(f"blk.{block}.attn_norm.weight", width, mean=1)
        add(f"blk.{block}.attn_q.weight", HEADS * head_width, width)
        add(f"blk.{block}.attn_k.weight", kv_heads * head_width, width)
        add(f"blk.{block}.attn_v.weight", kv_heads * head_width, width)
        add(f"blk.{block}.attn_output.weight", width, HEADS * head_width)
        add(f"blk.{block}.ffn_norm.weight", width, mean=1)
        add(f"blk.{block}.ffn_gate.weight", hidden, width)
        add(f"blk.{block}.ffn_up.weight", hidden, width)
        add(f"blk.{block}.ffn_down.weight", width, hidden)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def add_vocabulary(writer: GGUFWriter, *, sentencepiece: bool) -> None:
    """A token for each byte, in the way of GPT-2 or of Llama 2."""
    kind = TokenType.BYTE if sentencepiece else TokenType.NORMAL
    if sentencepiece:
        writer.add_tokenizer_model("llama")
        writer.add_token_list([*SPECIAL, *(f"<0x{byte:02X}>" for byte in range(256))])
        writer.add_token_scores([0.0] * len(VOCABULARY))
    else:
        writer.add_tokenizer_model("gpt2")
        writer.add_tokenizer_pre("smollm")
        writer.add_token_list(VOCABULARY)
        writer.add_token_merges(["Ġ Ġ"])
    writer.add_token_types([TokenType.CONTROL] * len(SPECIAL) + [kind] * 256)
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(END)
    writer.add_add_bos_token(sentencepiece)
    writer.add_chat_template(TEMPLATE)


class Bytes:
    """The tiny model's tokenizer: a token for each byte."""

    end = END

    def tokens(self, text: str, start: bool) -> list[int]:  # noqa: ARG002 - it has no first token
        pieces = text.replace("<|", "\0<|").replace("|>", "|>\0").split("\0")
        return [
            token
            for piece in pieces
            for token in (
                [SPECIAL.index(piece)]
                if piece in SPECIAL
                else [byte + len(SPECIAL) for byte in piece.encode()]
            )
        ]

    def prompt(self, messages: list[Message], tools: list[Any], answer: bool) -> str:  # noqa: ARG002
        written = "".join(
            f"<|im_start|>{each['role']}\n{each.get('content') or ''}<|im_end|>\n"
            for each in messages
        )
        return written + "<|im_start|>assistant\n" * answer


def lines(path: Path, *rows: dict[str, Any]) -> Path:
    """A file of JSON lines."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path
