"""A llama model with an adapter, forwards and backwards."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bot.local.training.adapter import Adapter, projections
from bot.local.training.arrays import Array
from bot.local.training.base import Base, Block
from bot.local.training.layers import (
    attend,
    attend_back,
    rms_norm,
    rms_norm_back,
    rotate,
    swiglu,
    swiglu_back,
)
from bot.local.training.pack import Pack
from bot.local.training.projection import Projection

LOGITS = 128  # targets whose logits are there at once: 25 MB with 49,152 tokens


class Trace(NamedTuple):
    """What a layer leaves for its backward pass. What is cheap to compute again is not kept."""

    x: Array
    attention_factor: Array
    qkv: Array
    qkv_inner: Array
    attended: Array
    output_inner: Array
    middle: Array
    mlp_factor: Array
    gate_up: Array
    gate_up_inner: Array
    down_inner: Array


class Pass(NamedTuple):
    """A forward pass: for each target the logarithm of its probability, and whether it is the most
    probable token. The rest is for `Llama.backward`.
    """

    log_probabilities: Array
    hits: Array
    pack: Pack
    traces: list[Trace]
    rotations: Array
    last: Array
    last_factor: Array
    slopes: Array


class Layer:
    """One block of a model, with its part of the adapter."""

    def __init__(self, block: Block, index: int, base: Base, adapter: Adapter) -> None:
        self._block = block
        self._shape = base.shape
        weights = block.qkv, block.output, block.gate_up, block.down
        parts = [
            [f"blk.{index}.{part}.weight" for part in group] for _, group in projections(base.shape)
        ]
        self._qkv, self._output, self._gate_up, self._down = (
            Projection(weight, names, adapter) for weight, names in zip(weights, parts, strict=True)
        )

    def forward(self, x: Array, pack: Pack, rotations: Array, adapted: bool) -> tuple[Array, Trace]:
        block, shape = self._block, self._shape
        normed, attention_factor = rms_norm(x, block.attention_norm, shape.epsilon)
        qkv, qkv_inner = self._qkv.forward(normed, adapted)
        rotate(qkv, shape.heads + shape.kv_heads, rotations)
        q, k, v = self._split(qkv)
        attended = np.empty_like(q)
        for row in pack.spans:
            attended[row] = attend(q[row], k[row], v[row])
        attended = attended.reshape(len(x), -1)
        middle, output_inner = self._output.forward(attended, adapted)
        middle += x
        normed, mlp_factor = rms_norm(middle, block.mlp_norm, shape.epsilon)
        gate_up, gate_up_inner = self._gate_up.forward(normed, adapted)
        out, down_inner = self._down.forward(swiglu(gate_up), adapted)
        out += middle
        return out, Trace(
            x, attention_factor, qkv, qkv_inner, attended, output_inner,
            middle, mlp_factor, gate_up, gate_up_inner, down_inner,
        )  # fmt: skip

    def backward(self, d_out: Array, trace: Trace, pack: Pack, rotations: Array) -> Array:
        """The gradient by the layer's input; the adapter's is added to its own."""
        block = self._block
        d_act = self._down.backward(d_out, swiglu(trace.gate_up), trace.down_inner)
        d_gate_up = swiglu_back(d_act, trace.gate_up)
        normed = trace.middle * trace.mlp_factor * block.mlp_norm
        d_normed = self._gate_up.backward(d_gate_up, normed, trace.gate_up_inner)
        d_middle = rms_norm_back(d_normed, trace.middle, block.mlp_norm, trace.mlp_factor)
        d_middle += d_out
        d_attended = self._output.backward(d_middle, trace.attended, trace.output_inner)
        d_qkv = self._attend_back(d_attended, trace.qkv, pack)
        rotate(d_qkv, self._shape.heads + self._shape.kv_heads, rotations.conj())
        normed = trace.x * trace.attention_factor * block.attention_norm
        d_normed = self._qkv.backward(d_qkv, normed, trace.qkv_inner)
        d_x = rms_norm_back(d_normed, trace.x, block.attention_norm, trace.attention_factor)
        d_x += d_middle
        return d_x

    def _attend_back(self, d_attended: Array, qkv: Array, pack: Pack) -> Array:
        q, k, v = self._split(qkv)
        d_heads = d_attended.reshape(q.shape)
        d_qkv = np.empty_like(qkv)
        d_q, d_k, d_v = self._split(d_qkv)
        for row in pack.spans:
            attend_back(d_heads[row], q[row], k[row], v[row], d_q[row], d_k[row], d_v[row])
        return d_qkv

    def _split(self, qkv: Array) -> tuple[Array, Array, Array]:
        """Views of the queries, keys and values, each [tokens, heads, width]."""
        shape = self._shape
        heads = qkv.reshape(len(qkv), -1, shape.head_width)
        keys_end = shape.heads + shape.kv_heads
        return heads[:, : shape.heads], heads[:, shape.heads : keys_end], heads[:, keys_end:]


class Llama:
    """The whole model. `adapter` is read, and its gradient added to; the base never changes."""

    def __init__(self, base: Base, adapter: Adapter) -> None:
        self._base = base
        self._layers = [
            Layer(block, index, base, adapter) for index, block in enumerate(base.blocks)
        ]

    def forward(self, pack: Pack, *, adapted: bool = True, learning: bool = False) -> Pass:
        """Read a pack. Only with `learning` is there what `backward` needs, 0.7 MiB a token for a
        model of 135M parameters; without `adapted` it is the base alone that reads.
        """
        rotations = self._rotations(pack)
        traces = []
        x = self._base.embedding[pack.tokens]
        for layer in self._layers:
            x, trace = layer.forward(x, pack, rotations, adapted)
            if learning:
                traces.append(trace)
        last = x[pack.before]
        normed, factor = rms_norm(last, self._base.norm, self._base.shape.epsilon)
        scores = self._score(normed, pack, learning)
        return Pass(*scores[:2], pack, traces, rotations, last, factor, scores[2])

    def backward(self, done: Pass, coefficients: Array) -> None:
        """Add the gradient of Σ coefficient × log-probability of the targets to the adapter's."""
        d_normed = done.slopes * coefficients[:, None].astype(done.slopes.dtype)
        d_x = np.zeros_like(done.traces[-1].x)
        d_x[done.pack.before] = rms_norm_back(
            d_normed, done.last, self._base.norm, done.last_factor
        )
        for layer in reversed(self._layers):
            d_x = layer.backward(d_x, done.traces.pop(), done.pack, done.rotations)

    def _rotations(self, pack: Pack) -> Array:
        angles = pack.positions[:, None] * self._base.frequencies
        kind = np.result_type(self._base.embedding, np.complex64)
        return np.asarray(np.exp(1j * angles), kind)

    def _score(self, normed: Array, pack: Pack, learning: bool) -> tuple[Array, Array, Array]:
        """Log-probabilities, hits, and the slopes of the former by `normed` if they are wanted.

        The slopes need no loss: so the logits, the largest values of all, are computed once and in
        small portions, also for a loss that needs all log-probabilities first.
        """
        log_probabilities = np.empty(len(normed), normed.dtype)
        hits = np.empty(len(normed), bool)
        slopes = np.empty_like(normed) if learning else normed[:0]
        for start in range(0, len(normed), LOGITS):
            portion = slice(start, start + LOGITS)
            targets = pack.targets[portion]
            logits = normed[portion] @ self._base.head.T
            each = np.arange(len(targets))
            hits[portion] = logits.argmax(axis=1) == targets
            logits -= logits.max(axis=1, keepdims=True)
            log_probabilities[portion] = logits[each, targets]
            np.exp(logits, out=logits)
            sums = logits.sum(axis=1)
            log_probabilities[portion] -= np.log(sums)
            if learning:
                slopes[portion] = self._base.head[targets]
                slopes[portion] -= (logits @ self._base.head) / sums[:, None]
        return log_probabilities, hits, slopes
