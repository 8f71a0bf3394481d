"""The optimizer: AdamW (Loshchilov and Hutter 2019) with clipping, warm-up and cosine decay."""

from __future__ import annotations

import math

import numpy as np

from bot.local.training.arrays import Array

FIRST, SECOND = 0.9, 0.999  # how slowly the moments forget
TINY = 1e-8
DECAY = 0.01
LONGEST_GRADIENT = 1.0
WARM_UP = 0.1  # of all steps
PORTION = 1 << 15  # parameters that stay in the processor's cache


class AdamW:
    """The moments of all parameters. They are a part of a training's state."""

    def __init__(self, values: Array) -> None:
        self.first = np.zeros_like(values)
        self.second = np.zeros_like(values)

    def step(self, number: int, rate: float, values: Array, gradient: Array) -> None:
        """Change the values in place. Steps are counted from 1. The gradient is 0 afterwards."""
        norm = math.sqrt(float(gradient @ gradient))
        shrink = min(1.0, LONGEST_GRADIENT / (norm + TINY))
        pace = rate / (1 - FIRST**number)
        spread = 1 / math.sqrt(1 - SECOND**number)
        for start in range(0, len(values), PORTION):
            portion = slice(start, start + PORTION)
            slope, first, second = gradient[portion], self.first[portion], self.second[portion]
            slope *= shrink
            first *= FIRST
            first += (1 - FIRST) * slope
            second *= SECOND
            second += (1 - SECOND) * slope**2
            values[portion] *= 1 - rate * DECAY
            values[portion] -= pace * first / (np.sqrt(second) * spread + TINY)
            slope[:] = 0


def rate_at(step: int, total: int, highest: float) -> float:
    """The learning rate of a step: rises for the first tenth, then falls along a cosine to 0."""
    warm_up = math.ceil(total * WARM_UP)
    if step <= warm_up:
        return highest * step / warm_up
    done = (step - warm_up) / (total - warm_up + 1)
    return highest * (1 + math.cos(math.pi * done)) / 2
