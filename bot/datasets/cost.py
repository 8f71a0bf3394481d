"""What a training would take: epochs, tokens, money, and roughly time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bot.datasets.counting import Counted
from bot.messages import Price
from bot.models.prices import training_price

EPOCHS = 3
# Below, default epochs grow until so many examples are seen; above, they shrink
# (facts/prepare-data.md).
FEWEST_SEEN, MOST_SEEN = 100, 25_000
MOST_EPOCHS = 25


def default_epochs(examples: int) -> int:
    """How often a provider goes through so many examples when nobody says it."""
    seen = EPOCHS * examples
    if seen < FEWEST_SEEN:
        return min(MOST_EPOCHS, FEWEST_SEEN // max(examples, 1))
    if seen > MOST_SEEN:
        return max(1, MOST_SEEN // examples)
    return EPOCHS


@dataclass(frozen=True, slots=True)
class Usual:
    """What a service does where nobody says it: `epochs` for so many examples. Speeds are rough;
    `seconds_before` is the time that the smallest job takes.
    """

    epochs: Callable[[int], int]
    tokens_a_second: float
    seconds_before: float


# A guess from small jobs at OpenAI; no provider promises anything, and queues come on top.
AT_OPENAI = Usual(default_epochs, tokens_a_second=1_000.0, seconds_before=300.0)


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
        return (
            f"{self.examples:,} examples, {about}{self.tokens:,} tokens × {self.epochs} "
            f"{'epoch' if self.epochs == 1 else 'epochs'} = {about}{self.billed:,} "
            f"{'tokens' if self.dollars == 0 else 'billed tokens'}; {self._price}; very roughly "
            f"{duration(self.seconds)}, without the queue."
        )

    @property
    def _price(self) -> str:
        if self.dollars is None:
            return "price unknown"
        return f"about ${self.dollars:,.2f}" if self.dollars else "it costs nothing"


def estimate(
    counted: Counted,
    prices: Mapping[str, Price],
    model: str,
    epochs: int | None = None,
    usual: Usual = AT_OPENAI,
) -> Estimate:
    """What training a model on counted examples would take."""
    epochs = epochs or usual.epochs(counted.examples)
    billed = epochs * counted.tokens
    price = training_price(prices, model)
    return Estimate(
        examples=counted.examples,
        epochs=epochs,
        tokens=counted.tokens,
        billed=billed,
        dollars=None if price is None else billed * price / 1_000_000,
        seconds=usual.seconds_before + billed / usual.tokens_a_second,
        is_estimated=counted.is_estimated,
    )


def duration(seconds: float) -> str:
    """ "20 minutes" or "3 hours", as exact as a rough time may be."""
    minutes = max(1, round(seconds / 60))
    if minutes > 3:
        minutes = max(5, 5 * round(seconds / 300))
    if minutes < 90:
        return f"{minutes} minutes" if minutes > 1 else "a minute"
    return f"{round(minutes / 60)} hours"
