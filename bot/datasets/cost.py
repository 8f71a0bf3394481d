"""What a training would take: epochs, tokens, money, and roughly time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bot.datasets.counting import Counted
from bot.messages import Price
from bot.models.prices import training_price

EPOCHS = 3
# Below, default epochs grow until so many examples are seen; above, they shrink
# (facts/prepare-data.md).
FEWEST_SEEN, MOST_SEEN = 100, 25_000
MOST_EPOCHS = 25
# A guess from small jobs at OpenAI; no provider promises anything, and queues come on top.
SECONDS_BEFORE = 300.0
TOKENS_A_SECOND = 1_000.0


def default_epochs(examples: int) -> int:
    """How often a provider goes through so many examples when nobody says it."""
    seen = EPOCHS * examples
    if seen < FEWEST_SEEN:
        return min(MOST_EPOCHS, FEWEST_SEEN // max(examples, 1))
    if seen > MOST_SEEN:
        return max(1, MOST_SEEN // examples)
    return EPOCHS


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a training would take. `dollars` is None where the price is not known; `seconds` is
    rough and leaves queues out; `is_estimated` says that tokens were not all counted.
    """

    examples: int
    epochs: int
    tokens: int
    billed: int
    dollars: float | None
    seconds: float
    is_estimated: bool

    @property
    def says(self) -> str:
        """It as a sentence."""
        about = "about " if self.is_estimated else ""
        price = "price unknown" if self.dollars is None else f"about ${self.dollars:,.2f}"
        return (
            f"{self.examples:,} examples, {about}{self.tokens:,} tokens × {self.epochs} "
            f"{'epoch' if self.epochs == 1 else 'epochs'} = {about}{self.billed:,} billed tokens; "
            f"{price}; very roughly {duration(self.seconds)}, without the queue."
        )


def estimate(
    counted: Counted,
    prices: Mapping[str, Price],
    model: str,
    epochs: int | None = None,
    tokens_a_second: float = TOKENS_A_SECOND,
) -> Estimate:
    """What training a model on counted examples would take."""
    epochs = epochs or default_epochs(counted.examples)
    billed = epochs * counted.tokens
    price = training_price(prices, model)
    return Estimate(
        examples=counted.examples,
        epochs=epochs,
        tokens=counted.tokens,
        billed=billed,
        dollars=None if price is None else billed * price / 1_000_000,
        seconds=SECONDS_BEFORE + billed / tokens_a_second,
        is_estimated=counted.is_estimated,
    )


def duration(seconds: float) -> str:
    """ "20 minutes" or "3 hours", as exact as a rough time may be."""
    minutes = max(5, 5 * round(seconds / 300))
    if minutes < 90:
        return f"{minutes} minutes"
    return f"{round(minutes / 60)} hours"
