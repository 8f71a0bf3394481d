"""What an answer costs, and a training."""

from __future__ import annotations

import re
from collections.abc import Mapping

from bot.messages import Price, Usage
from bot.models.names import base_model, is_tuned

_VERSION = re.compile(r"-\d{4}(-\d{2}-\d{2})?$")


def cost(prices: Mapping[str, Price], model: str, usage: Usage) -> float | None:
    """US dollars for one call; None when the model has no price.

    A dated name (`gpt-4o-mini-2024-07-18`) takes the price of the name without its date. A tuned
    model costs more than its base and never takes the base's price: it has the price of its whole
    name, or the one under `ft:base`, such as "ft:gpt-4o-mini".
    """
    price = next((prices[name] for name in _names(model) if name in prices), None)
    if price is None:
        return None
    return (usage.prompt_tokens * price.input + usage.completion_tokens * price.output) / 1_000_000


def training_price(prices: Mapping[str, Price], model: str) -> float | None:
    """US dollars for a million tokens of training; None when it is not known.

    A model that was tuned before is trained on for the price of its base, unless it has its own.
    """
    names = [*_names(model), *_names(base_model(model))]
    known = (prices[name].training for name in names if name in prices)
    return next((price for price in known if price is not None), None)


def _names(model: str) -> list[str]:
    """The names under which a price may stand, the narrowest first."""
    general = f"ft:{base_model(model)}" if is_tuned(model) else model
    return [model, general, _VERSION.sub("", general)]
