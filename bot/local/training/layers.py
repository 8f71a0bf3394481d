"""The parts of a llama model that have no trained weights, forwards and backwards.

`d_x` is the gradient of the loss by x. Every backward pass is held against finite differences.
"""

from __future__ import annotations

import numpy as np

from bot.local.training.arrays import Array


def rms_norm(x: Array, weight: Array, epsilon: float) -> tuple[Array, Array]:
    """x / its root mean square × weight, and the factor 1 / root mean square, [tokens, 1]."""
    factor = 1 / np.sqrt(mean_product(x, x) + x.dtype.type(epsilon))
    return x * factor * weight, factor


def rms_norm_back(d_out: Array, x: Array, weight: Array, factor: Array) -> Array:
    d_x = d_out * weight
    d_x -= x * (factor**2 * mean_product(d_x, x))
    d_x *= factor
    return d_x


def mean_product(x: Array, y: Array) -> Array:
    """The mean of x·y over each token's values, [tokens, 1]."""
    products = np.einsum("ij,ij->i", x, y)
    return np.asarray(products / x.dtype.type(x.shape[1]))[:, None]


def rotate(x: Array, heads: int, rotations: Array) -> None:
    """Turn the first `heads` heads of x by rotations [tokens, head's width / 2], in place.

    In a GGUF file of a llama the values of a pair stand side by side, so a pair is one complex
    number; backwards, the conjugate turns the gradient back.
    """
    tokens, pairs = rotations.shape
    numbers = x.view(rotations.dtype)[:, : heads * pairs].reshape(tokens, heads, pairs)
    numbers *= rotations[:, None, :]


def attend(q: Array, k: Array, v: Array) -> Array:
    """Causal attention within one row: q [tokens, heads, width], k and v [tokens, kv heads, width].

    Query heads share a key head in groups that follow each other.
    """
    shares = softmax_scores(grouped(q, k), grouped(k, k))
    heads: Array = shares @ grouped(v, v)
    return ungrouped(heads, q)


def attend_back(
    d_out: Array, q: Array, k: Array, v: Array, d_q: Array, d_k: Array, d_v: Array
) -> None:
    """Write the gradients of `attend` to d_q, d_k and d_v. The shares are computed anew: they are
    the only values that would grow with the square of a row's length.
    """
    queries, keys, values, d_heads = grouped(q, k), grouped(k, k), grouped(v, v), grouped(d_out, k)
    shares = softmax_scores(queries, keys)
    d_v[:] = ungrouped(shares.transpose(0, 2, 1) @ d_heads, v)
    d_scores = d_heads @ values.transpose(0, 2, 1)
    d_scores -= np.einsum("gij,gij->gi", d_scores, shares)[:, :, None]
    d_scores *= shares
    d_scores *= d_scores.dtype.type(q.shape[2] ** -0.5)
    d_q[:] = ungrouped(d_scores @ keys, q)
    d_k[:] = ungrouped(d_scores.transpose(0, 2, 1) @ queries, k)


def grouped(x: Array, k: Array) -> Array:
    """Heads by the key head that they share: [kv heads, heads each × tokens, width]."""
    tokens, heads, width = x.shape
    kv_heads = k.shape[1]
    split = x.reshape(tokens, kv_heads, heads // kv_heads, width)
    return split.transpose(1, 2, 0, 3).reshape(kv_heads, -1, width)


def ungrouped(x: Array, like: Array) -> Array:
    """The way back from `grouped` to the shape of `like`."""
    tokens, heads, width = like.shape
    split = x.reshape(x.shape[0], heads // x.shape[0], tokens, width)
    return split.transpose(2, 0, 1, 3).reshape(tokens, heads, width)


def softmax_scores(queries: Array, keys: Array) -> Array:
    """How much each token attends to each before it: [kv heads, heads each × tokens, tokens]."""
    tokens = keys.shape[1]
    shares: Array = queries @ keys.transpose(0, 2, 1)
    shares *= shares.dtype.type(queries.shape[2] ** -0.5)
    by_token = shares.reshape(-1, tokens, tokens)
    by_token += np.triu(np.full((tokens, tokens), -np.inf, shares.dtype), 1)
    by_token -= by_token.max(axis=2, keepdims=True)
    np.exp(by_token, out=by_token)
    by_token /= by_token.sum(axis=2, keepdims=True)
    return shares


def swiglu(gate_up: Array) -> Array:
    """silu(gate) × up, of [gate, up] side by side."""
    gate, up = np.split(gate_up, 2, axis=1)
    out: Array = sigmoid(gate) * gate * up
    return out


def swiglu_back(d_out: Array, gate_up: Array) -> Array:
    gate, up = np.split(gate_up, 2, axis=1)
    open_ = sigmoid(gate)
    d_gate_up = np.empty_like(gate_up)
    d_gate, d_up = np.split(d_gate_up, 2, axis=1)
    np.multiply(open_, gate, out=d_up)  # silu(gate), of which d_gate needs the slope
    np.subtract(1, open_, out=d_gate)
    d_gate *= d_up
    d_gate += open_
    d_gate *= up
    d_gate *= d_out
    d_up *= d_out
    return d_gate_up


def sigmoid(x: Array) -> Array:
    result: Array = np.negative(x)
    with np.errstate(over="ignore"):  # exp of a great number is infinite, and 1 / infinite is 0
        np.exp(result, out=result)
    result += 1
    np.reciprocal(result, out=result)
    return result
