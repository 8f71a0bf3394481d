"""The model that is trained on: a GGUF file's shape and weights, dequantised once.

Training sees the weights that are served, in the layout in which llama.cpp reads them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from gguf import GGUFReader, dequantize
from numpy.typing import DTypeLike

from bot.local.training import memory
from bot.local.training.arrays import Array
from bot.local.training.fault import TrainingFault

OUTER = {"token_embd.weight", "output_norm.weight", "output.weight", "rope_freqs.weight"}
INNER = {"attn_norm", "attn_q", "attn_k", "attn_v", "attn_output"} | {
    "ffn_norm", "ffn_gate", "ffn_up", "ffn_down",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shape:
    """How large a model is, in llama.cpp's words."""

    blocks: int
    width: int
    heads: int
    kv_heads: int
    head_width: int
    hidden: int
    epsilon: float
    rope_base: float
    rope_scale: float  # by which positions are divided
    context: int  # tokens
    end: int  # the token after which the model says no more


@dataclass(frozen=True, slots=True)
class Block:
    """One layer's weights, [out, in]. Those that read the same values are one above the other."""

    attention_norm: Array
    qkv: Array
    output: Array
    mlp_norm: Array
    gate_up: Array
    down: Array


@dataclass(frozen=True, slots=True)
class Base:
    """A llama model. `head` is the embedding itself where the file has no output of its own."""

    shape: Shape
    embedding: Array
    blocks: tuple[Block, ...]
    norm: Array
    head: Array
    frequencies: Array  # of the rotations, one for each pair of a head's values


class Fields:
    """The metadata of a GGUF file."""

    def __init__(self, reader: GGUFReader) -> None:
        self._fields = reader.fields

    def get(self, key: str, otherwise: Any = None) -> Any:
        field = self._fields.get(key)
        value = otherwise if field is None else field.contents()
        if isinstance(value, list):
            raise unsupported(f"its layers differ in {key}")
        return value

    def need(self, key: str) -> Any:
        value = self.get(key)
        if value is None:
            raise unsupported(f"{key} is missing")
        return value


def load(path: Path, dtype: DTypeLike = np.float32) -> Base:
    """Read a model. Raises TrainingFault for one that is not read, or not trained, here."""
    try:
        reader = GGUFReader(path)
    except (ValueError, IndexError) as error:
        raise TrainingFault("invalid_model", f"{path} is not a GGUF file: {error}.") from None
    shape = shape_of(Fields(reader))
    tensors = {tensor.name: tensor for tensor in reader.tensors}
    refuse_others(tensors.keys(), shape.blocks)
    memory.need(sum(int(tensor.n_elements) for tensor in reader.tensors))

    def weights(*names: str) -> Array:
        try:
            parts = [dequantize(tensors[name].data, tensors[name].tensor_type) for name in names]
        except KeyError as error:
            raise unsupported(f"it has no {error.args[0]}") from None
        except NotImplementedError:
            raise unsupported(f"the quantisation of {names[0]} is not known") from None
        return np.concatenate(parts).astype(dtype, copy=False)

    def block(index: int) -> Block:
        def inner(*names: str) -> Array:
            return weights(*(f"blk.{index}.{name}.weight" for name in names))

        return Block(
            attention_norm=inner("attn_norm"),
            qkv=inner("attn_q", "attn_k", "attn_v"),
            output=inner("attn_output"),
            mlp_norm=inner("ffn_norm"),
            gate_up=inner("ffn_gate", "ffn_up"),
            down=inner("ffn_down"),
        )

    embedding = weights("token_embd.weight")
    factors = weights("rope_freqs.weight") if "rope_freqs.weight" in tensors else 1.0
    return Base(
        shape=shape,
        embedding=embedding,
        blocks=tuple(block(index) for index in range(shape.blocks)),
        norm=weights("output_norm.weight"),
        head=weights("output.weight") if "output.weight" in tensors else embedding,
        frequencies=frequencies(shape) / factors,
    )


def shape_of(fields: Fields) -> Shape:
    architecture = fields.get("general.architecture")
    if architecture != "llama":
        raise unsupported(f"its architecture is {architecture}")
    if fields.get("llama.expert_count", 0):
        raise unsupported("it is a mixture of experts")
    scaling = fields.get("llama.rope.scaling.type", "none")
    if scaling not in {"none", "linear"}:
        raise unsupported(f"it scales its positions by {scaling}")
    width, heads = fields.need("llama.embedding_length"), fields.need("llama.attention.head_count")
    head_width = fields.get("llama.attention.key_length", width // heads)
    for key in "attention.value_length", "rope.dimension_count":
        if fields.get(f"llama.{key}", head_width) != head_width:
            raise unsupported(f"its {key} is not the width of its heads")
    return Shape(
        blocks=fields.need("llama.block_count"),
        width=width,
        heads=heads,
        kv_heads=fields.get("llama.attention.head_count_kv", heads),
        head_width=head_width,
        hidden=fields.need("llama.feed_forward_length"),
        epsilon=fields.need("llama.attention.layer_norm_rms_epsilon"),
        rope_base=fields.get("llama.rope.freq_base", 10_000.0),
        rope_scale=fields.get("llama.rope.scaling.factor", 1.0) if scaling == "linear" else 1.0,
        context=fields.need("llama.context_length"),
        end=fields.need("tokenizer.ggml.eos_token_id"),
    )


def frequencies(shape: Shape) -> Array:
    pairs = np.arange(0, shape.head_width, 2) / shape.head_width
    return np.asarray(shape.rope_base**-pairs / shape.rope_scale)


def refuse_others(names: Iterable[str], blocks: int) -> None:
    """A tensor that the forward pass does not know would be left out of it silently."""
    known = OUTER | {f"blk.{index}.{name}.weight" for index in range(blocks) for name in INNER}
    if unknown := sorted(set(names) - known):
        raise unsupported(f"{unknown[0]} has no place in it")


def unsupported(reason: str) -> TrainingFault:
    return TrainingFault(
        "unsupported_model", f"Only plain llama models are trained here, not this one: {reason}."
    )
