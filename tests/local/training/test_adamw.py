"""The optimizer, held against the formulas of its paper, in which nothing is reordered."""

from __future__ import annotations

import numpy as np
import pytest

from bot.local.training.adamw import DECAY, PORTION, AdamW, rate_at


def test_steps_are_those_of_the_paper() -> None:
    random = np.random.default_rng(0)
    size = PORTION + 5
    values = random.normal(size=size)
    expected, m, v = values.copy(), np.zeros(size), np.zeros(size)
    optimizer = AdamW(values)
    for number in range(1, 6):
        gradient = random.normal(size=size)
        g = gradient / max(1.0, float(np.linalg.norm(gradient)))
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g * g
        direction = m / (1 - 0.9**number) / (np.sqrt(v / (1 - 0.999**number)) + 1e-8)
        expected -= 0.01 * (direction + DECAY * expected)
        optimizer.step(number, 0.01, values, gradient)
        assert not gradient.any()
    assert values == pytest.approx(expected, rel=1e-6)


def test_gradient_that_is_short_is_not_made_longer() -> None:
    values, gradient = np.zeros(2), np.array([0.3, 0.4])
    optimizer = AdamW(values)
    optimizer.step(1, 0.1, values, gradient)
    assert optimizer.first == pytest.approx([0.03, 0.04])


@pytest.mark.parametrize("total", [1, 2, 3, 30, 1000])
def test_rate_rises_for_a_tenth_and_falls_to_almost_nothing(total: int) -> None:
    rates = [rate_at(step, total, 1.0) for step in range(1, total + 1)]
    top = rates.index(max(rates))
    assert max(rates) == 1
    assert all(rate > 0 for rate in rates)
    assert rates[: top + 1] == sorted(rates[: top + 1])
    assert rates[top:] == sorted(rates[top:], reverse=True)
    assert top + 1 == -(-total // 10)
