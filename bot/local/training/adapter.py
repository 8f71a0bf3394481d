"""What is trained: low-rank additions to a model's projections, and their GGUF file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from bot.local.training import lora
from bot.local.training.arrays import Array
from bot.local.training.base import Shape


class Matrix(NamedTuple):
    """One of the two factors of an addition: where it lies among all parameters."""

    name: str
    start: int
    rows: int
    columns: int

    @property
    def end(self) -> int:
        return self.start + self.rows * self.columns


class Adapter:
    """All parameters in one vector, so that a step is a few passes over it, and their gradient.

    The additions to projections that read the same values have their first factors one after the
    other: together they are one matrix. See `layout`.
    """

    def __init__(self, shape: Shape, rank: int, seed: int, dtype: DTypeLike = np.float32) -> None:
        self.rank = rank
        self.scale = 2.0  # alpha is twice the rank
        self.matrices = {each.name: each for each in layout(shape, rank)}
        size = max(each.end for each in self.matrices.values())
        self.values = np.zeros(size, dtype)
        self.gradient = np.zeros(size, dtype)
        random = np.random.default_rng([seed, size])
        for each in self.matrices.values():
            if each.name.endswith("lora_a"):  # the other factor is 0: the first step is the base's
                bound = 1 / np.sqrt(each.columns)
                self.values[each.start : each.end] = random.uniform(
                    -bound, bound, each.end - each.start
                )

    def view(self, vector: Array, first: str, last: str = "") -> Array:
        """A matrix of a vector of parameters; or several, one above the other, as one."""
        start, end = self.matrices[first].start, self.matrices[last or first].end
        return vector[start:end].reshape(-1, self.matrices[first].columns)

    def save(self, path: Path) -> None:
        """Write the file that llama.cpp loads; the same parameters give the same bytes."""
        factors = ((name, self.view(self.values, name)) for name in self.matrices)
        lora.write(path, "llama", self.rank * self.scale, factors)


def layout(shape: Shape, rank: int) -> Iterator[Matrix]:
    """The factors A [rank, in] and B [out, rank] of every projection."""
    start = 0
    for block in range(shape.blocks):
        for width, parts in projections(shape):
            for part in parts:
                yield (each := Matrix(f"blk.{block}.{part}.weight.lora_a", start, rank, width))
                start = each.end
            for part, out in parts.items():
                yield (each := Matrix(f"blk.{block}.{part}.weight.lora_b", start, out, rank))
                start = each.end


def projections(shape: Shape) -> list[tuple[int, dict[str, int]]]:
    """The projections of a block, those together that read the same values: widths in and out."""
    q, kv = shape.heads * shape.head_width, shape.kv_heads * shape.head_width
    return [
        (shape.width, {"attn_q": q, "attn_k": kv, "attn_v": kv}),
        (q, {"attn_output": shape.width}),
        (shape.width, {"ffn_gate": shape.hidden, "ffn_up": shape.hidden}),
        (shape.hidden, {"ffn_down": shape.width}),
    ]
