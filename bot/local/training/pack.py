"""Rows side by side, without padding: what goes through the model at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bot.local.training.arrays import Array, Integers
from bot.local.training.rows import Row


@dataclass(frozen=True, slots=True)
class Pack:
    """Tokens of several rows, and the targets: the tokens among them that have a weight."""

    tokens: Integers
    positions: Integers  # of each token within its row
    spans: tuple[slice, ...]  # where each row lies
    before: Integers  # of each target, the place of the token that it follows
    targets: Integers
    weights: Array
    row: Integers  # of each target


def pack(rows: Sequence[Row]) -> Pack:
    """Put rows side by side. A row's first token follows nothing and is no target."""
    lengths = [len(row.tokens) for row in rows]
    ends = np.cumsum(lengths)
    starts = ends - lengths
    tokens = np.concatenate([row.tokens for row in rows]).astype(np.intp)
    weights = np.concatenate([row.weights for row in rows])
    weights[starts] = 0
    targets = np.flatnonzero(weights)
    return Pack(
        tokens=tokens,
        positions=np.arange(len(tokens)) - np.repeat(starts, lengths),
        spans=tuple(slice(start, end) for start, end in zip(starts, ends, strict=True)),
        before=targets - 1,
        targets=tokens[targets],
        weights=weights[targets],
        row=np.repeat(np.arange(len(rows)), lengths)[targets],
    )
