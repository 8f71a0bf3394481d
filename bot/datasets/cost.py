"""What a training would take: epochs, tokens, money, and roughly time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from bot.datasets.counting import Counted
from bot.messages import Price
from bot.models.prices import training_price

EPOCHS = 3
# Below, default epochs grow until so many examples are seen; above, they shrink
# (facts/prepare-data.md).
FEWEST_SEEN, MOST_SEEN = 100, 25_000
MOST_EPOCHS = 25
UNITS = (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1))


def default_epochs(examples: int) -> int:
    """How often a provider goes through so many examples when nobody says it."""
    seen = EPOCHS * examples
    if seen < FEWEST_SEEN:
        return min(MOST_EPOCHS, FEWEST_SEEN // max(examples, 1))
    if seen > MOST_SEEN:
        return max(1, MOST_SEEN // examples)
    return EPOCHS


class Speed(NamedTuple):
    """How fast a service trains, roughly. `seconds_before` is what the smallest job takes."""

    tokens_a_second: float
    seconds_before: float


@dataclass(frozen=True, slots=True)
class Usual:
    """What a service does where nobody says it: its `epochs` of examples, and its `speed` at this
    moment, None as long as that is not known.
    """

    epochs: Callable[[Counted], int]
    speed: Callable[[], Speed | None]


# A guess from small jobs at OpenAI; no provider promises anything, and queues come on top.
AT_OPENAI = Usual(
    lambda counted: default_epochs(counted.examples),
    lambda: Speed(tokens_a_second=1_000.0, seconds_before=300.0),
)


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a training would take. `dollars` is None where the price is not known; `seconds` is
    rough and leaves queues out, None where nothing is known of the speed; `is_estimated` says that
    tokens were not all counted.
    """

    examples: int
    epochs: int
    tokens: int
    billed: int
    dollars: float | None
    seconds: float | None
    is_estimated: bool

    @property
    def says(self) -> str:
        """It as a sentence."""
        about = "about " if self.is_estimated else ""
        return (
            f"{self.examples:,} examples, {about}{self.tokens:,} tokens × {self.epochs} "
            f"{'epoch' if self.epochs == 1 else 'epochs'} = {about}{self.billed:,} "
            f"{'tokens' if self.dollars == 0 else 'billed tokens'}; {self._price}; {self._time}."
        )

    @property
    def _time(self) -> str:
        if self.seconds is None:
            return "how long it takes is known after the first job"
        return f"very roughly {duration(roughly(self.seconds))}, without the queue"

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
    epochs = epochs or usual.epochs(counted)
    billed = epochs * counted.tokens
    price, speed = training_price(prices, model), usual.speed()
    return Estimate(
        examples=counted.examples,
        epochs=epochs,
        tokens=counted.tokens,
        billed=billed,
        dollars=None if price is None else billed * price / 1_000_000,
        seconds=speed.seconds_before + billed / speed.tokens_a_second if speed else None,
        is_estimated=counted.is_estimated,
    )


def duration(seconds: float) -> str:
    """A time in its two largest units: "2 h 5 min", "1 min 49 s", "1 h" for a full one."""
    left = max(int(seconds), 0)
    parts: list[tuple[int, str]] = []
    for unit, length in UNITS:
        count, left = divmod(left, length)
        if count or parts:
            parts.append((count, unit))
    return " ".join(f"{count} {unit}" for count, unit in parts[:2] if count) or "0 s"


def roughly(seconds: float) -> int:
    """A time in seconds, as exact as a rough one may be: to a minute, to five, to an hour."""
    minutes = max(1, round(seconds / 60))
    if minutes >= 90:
        return round(minutes / 60) * 3600
    return 60 * (minutes if minutes <= 3 else max(5, 5 * round(minutes / 5)))
