"""A tiny model as a Hugging Face folder and as the GGUF file of the same weights.

Both are written here by hand, so that neither transformers nor llama.cpp is asked how the other
would read it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from gguf import GGUFWriter, TokenType
from numpy.typing import NDArray

from tests.local.training.tiny import CONTEXT, END, SPECIAL, TEMPLATE, VOCABULARY

WIDTH, HEADS, KV_HEADS, HEAD_WIDTH, HIDDEN, BLOCKS = 64, 4, 2, 16, 128, 2
EPSILON, ROPE_BASE = 1e-5, 1000.0
CLASSES = {"llama": "Llama", "mistral": "Mistral", "qwen2": "Qwen2", "qwen3": "Qwen3"}
NAMES = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
    "self_attn.q_norm": "attn_q_norm",
    "self_attn.k_norm": "attn_k_norm",
}

Weights = dict[str, NDArray[np.float32]]


def tiny_model(folder: Path, kind: str = "llama", seed: int = 0) -> tuple[Path, Path]:
    """Write a model; returns its folder and its GGUF file."""
    weights = weights_of(kind, seed)
    folder.mkdir(parents=True)
    write_safetensors(folder / "model.safetensors", weights)
    (folder / "config.json").write_text(json.dumps(config_of(kind)))
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer()))
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": SPECIAL[END]}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    (folder / "chat_template.jinja").write_text(TEMPLATE)
    file = folder.with_suffix(".gguf")
    write_gguf(file, kind, weights)
    return folder, file


def weights_of(kind: str, seed: int) -> Weights:
    """Random weights under transformers' names. The norms are no ones, so that each is used."""
    random = np.random.default_rng(seed)
    weights: Weights = {}

    def add(name: str, *shape: int, deviation: float = 0.1, mean: float = 0.0) -> None:
        weights[name] = random.normal(mean, deviation, shape).astype(np.float32)

    add("model.embed_tokens.weight", len(VOCABULARY), WIDTH, deviation=0.5)
    for block in range(BLOCKS):
        place = f"model.layers.{block}"
        for norm in "input_layernorm", "post_attention_layernorm":
            add(f"{place}.{norm}.weight", WIDTH, mean=1)
        for name, heads in ("q", HEADS), ("k", KV_HEADS), ("v", KV_HEADS):
            add(f"{place}.self_attn.{name}_proj.weight", heads * HEAD_WIDTH, WIDTH)
            if kind == "qwen2":
                add(f"{place}.self_attn.{name}_proj.bias", heads * HEAD_WIDTH)
        if kind == "qwen3":
            for name in "q", "k":
                add(f"{place}.self_attn.{name}_norm.weight", HEAD_WIDTH, mean=1)
        add(f"{place}.self_attn.o_proj.weight", WIDTH, HEADS * HEAD_WIDTH)
        for name in "gate", "up":
            add(f"{place}.mlp.{name}_proj.weight", HIDDEN, WIDTH)
        add(f"{place}.mlp.down_proj.weight", WIDTH, HIDDEN)
    add("model.norm.weight", WIDTH, mean=1)
    return weights


def config_of(kind: str) -> dict[str, Any]:
    return {
        "architectures": [f"{CLASSES[kind]}ForCausalLM"],
        "model_type": kind,
        "vocab_size": len(VOCABULARY),
        "hidden_size": WIDTH,
        "intermediate_size": HIDDEN,
        "num_hidden_layers": BLOCKS,
        "num_attention_heads": HEADS,
        "num_key_value_heads": KV_HEADS,
        "head_dim": HEAD_WIDTH,
        "max_position_embeddings": CONTEXT,
        "rms_norm_eps": EPSILON,
        "rope_parameters": {"rope_type": "default", "rope_theta": ROPE_BASE},
        "tie_word_embeddings": True,
        "sliding_window": None,
        "bos_token_id": 0,
        "eos_token_id": END,
    }


def tokenizer() -> dict[str, Any]:
    """A token for each byte, and the special ones."""
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True}
    added = [
        {"id": id_, "content": text, "single_word": False, "lstrip": False, "rstrip": False}
        | {"normalized": False, "special": True}
        for id_, text in enumerate(SPECIAL)
    ]
    vocabulary = {text: id_ for id_, text in enumerate(VOCABULARY)}
    return {
        "version": "1.0",
        "added_tokens": added,
        "pre_tokenizer": {**byte_level, "use_regex": True},
        "decoder": {**byte_level, "use_regex": True},
        "model": {"type": "BPE", "vocab": vocabulary, "merges": []},
    }


def write_safetensors(path: Path, weights: Weights) -> None:
    """A header of JSON after its length, and the bytes one after the other."""
    header, place = {}, 0
    for name, values in weights.items():
        end = place + values.nbytes
        header[name] = {"dtype": "F32", "shape": values.shape, "data_offsets": [place, end]}
        place = end
    head = json.dumps({**header, "__metadata__": {"format": "pt"}}).encode()
    with path.open("wb") as file:
        file.write(len(head).to_bytes(8, "little") + head)
        for values in weights.values():
            file.write(values.tobytes())


def write_gguf(path: Path, kind: str, weights: Weights) -> None:
    """What llama.cpp's own conversion makes of it."""
    architecture = "llama" if kind == "mistral" else kind
    writer = GGUFWriter(path, architecture)
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(BLOCKS)
    writer.add_feed_forward_length(HIDDEN)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_key_length(HEAD_WIDTH)
    writer.add_value_length(HEAD_WIDTH)
    if architecture == "llama":
        writer.add_rope_dimension_count(HEAD_WIDTH)
    writer.add_rope_freq_base(ROPE_BASE)
    writer.add_layer_norm_rms_eps(EPSILON)
    writer.add_vocab_size(len(VOCABULARY))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(VOCABULARY)
    writer.add_token_types([TokenType.CONTROL] * len(SPECIAL) + [TokenType.NORMAL] * 256)
    writer.add_token_merges(["Ġ Ġ"])
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(END)
    writer.add_add_bos_token(False)
    writer.add_chat_template(TEMPLATE)
    heads = {"q_proj": HEADS, "k_proj": KV_HEADS} if architecture == "llama" else {}
    for name, values in weights.items():
        rotated = heads.get(name.split(".")[-2]) if name.endswith("weight") else None
        writer.add_tensor(gguf_name(name), neighbours(values, rotated) if rotated else values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def neighbours(values: NDArray[np.float32], heads: int) -> NDArray[np.float32]:
    """Each head's rows 0, 8, 1, 9 … for 0 … 15: what is rotated together side by side."""
    half = HEAD_WIDTH // 2
    order = [
        head * HEAD_WIDTH + part * half + row
        for head in range(heads)
        for row in range(half)
        for part in range(2)
    ]
    return values[order]


def gguf_name(name: str) -> str:
    if name == "model.embed_tokens.weight":
        return "token_embd.weight"
    if name == "model.norm.weight":
        return "output_norm.weight"
    _, _, block, *module, last = name.split(".")
    return f"blk.{block}.{NAMES['.'.join(module)]}.{last}"
