"""A projection of the base with the adapter's low-rank additions."""

from __future__ import annotations

import numpy as np

from bot.local.training.adapter import Adapter
from bot.local.training.arrays import Array


class Projection:
    """x Wᵀ + scale · (x Aᵀ) Bᵀ, for the projections that read the same x at once.

    `weight` has the weights of all of them, one above the other; each has its own B.
    """

    def __init__(self, weight: Array, names: list[str], adapter: Adapter) -> None:
        self._weight = weight
        self._scale = weight.dtype.type(adapter.scale)
        firsts = [f"{name}.lora_a" for name in names]
        self._a = adapter.view(adapter.values, firsts[0], firsts[-1])
        self._d_a = adapter.view(adapter.gradient, firsts[0], firsts[-1])
        self._seconds = [
            (adapter.view(adapter.values, second), adapter.view(adapter.gradient, second))
            for second in (f"{name}.lora_b" for name in names)
        ]
        sizes = [len(b) for b, _ in self._seconds]
        ends = np.cumsum(sizes)
        self._outs = [slice(end - size, end) for end, size in zip(ends, sizes, strict=True)]
        self._inners = [
            slice(start, start + adapter.rank)
            for start in range(0, len(names) * adapter.rank, adapter.rank)
        ]

    def forward(self, x: Array, adapted: bool) -> tuple[Array, Array]:
        """The values, and the inner ones x Aᵀ for the way back."""
        values = x @ self._weight.T
        if not adapted:
            return values, values[:, :0]
        inner = x @ self._a.T
        inner *= self._scale
        for (b, _), out, part in zip(self._seconds, self._outs, self._inners, strict=True):
            values[:, out] += inner[:, part] @ b.T
        return values, inner

    def backward(self, d_values: Array, x: Array, inner: Array) -> Array:
        """The gradient by x; that of the factors is added to the adapter's."""
        d_x = d_values @ self._weight
        d_inner = np.empty_like(inner)
        for (b, d_b), out, part in zip(self._seconds, self._outs, self._inners, strict=True):
            np.add(d_b, d_values[:, out].T @ inner[:, part], out=d_b)
            np.matmul(d_values[:, out], b, out=d_inner[:, part])
        d_inner *= self._scale
        self._d_a += d_inner.T @ x
        d_x += d_inner @ self._a
        return np.asarray(d_x)
