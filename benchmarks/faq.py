"""Questions and answers to train on: a file of a support desk, or made up where it is not there."""

from __future__ import annotations

import csv
from itertools import product
from pathlib import Path
from random import Random
from typing import NamedTuple

BITEXT = Path(__file__).parent.parent.parent / "shared" / "data" / "bitext" / "customer_support.csv"
SEPARATOR, END = "\n->", "\n"  # as tunebot's preparation writes them
COLOURS = ("red", "green", "blue", "grey", "white", "yellow", "brown")
SHOPS = (
    *("Amber", "Birch", "Cedar", "Dune", "Ember", "Fern", "Garnet", "Harbour"),
    *("Iris", "Juniper", "Kestrel", "Linden", "Maple", "Nettle", "Orchard"),
)
WARES = (
    *("lamp", "kettle", "bicycle", "tent", "clock", "rug"),
    *("violin", "ladder", "camera", "blanket", "saddle", "compass"),
)
TOWNS = ("Lisbon", "Turku", "Graz", "Cork", "Bergen", "Ghent", "Poznan", "Porto", "Malmo")
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
KINDS = (  # a question, the same in other words, and its answer
    (
        "How much is the {thing}?",
        "What does the {thing} cost?",
        "It costs {price} euros, or {few} a month.",
    ),
    (
        "Where is the {thing} made?",
        "From where does the {thing} come?",
        "It is made in {town}, by {few} people.",
    ),
    (
        "When does the {thing} arrive?",
        "On which day do I get the {thing}?",
        "It arrives on a {day}, after {few} days.",
    ),
    (
        "Can I return the {thing}?",
        "Do you take the {thing} back?",
        "Yes, within {price} days, to our shop in {town}.",
    ),
)


class Faq(NamedTuple):
    """Rows to learn, and others to be measured on: (question, answer)."""

    name: str
    learned: list[tuple[str, str]]
    held: list[tuple[str, str]]


def written(question: str, answer: str) -> dict[str, str]:
    """A row as tunebot prepares it."""
    return {"prompt": question + SEPARATOR, "completion": f" {answer}{END}"}


def facts(rows: int, held: int) -> Faq:
    """Made-up facts, 5,040 at most, to be learned by heart. Held out are other words for the same
    questions.
    """
    random = Random(0)
    asked = list(product(COLOURS, SHOPS, WARES, KINDS))
    random.shuffle(asked)
    learned, otherwise = [], []
    for colour, shop, ware, (question, other, answer) in asked[:rows]:
        thing = f"{colour} {shop} {ware}"
        said = answer.format(
            price=random.randrange(11, 99),
            few=random.randrange(2, 10),
            town=random.choice(TOWNS),
            day=random.choice(DAYS),
        )
        learned.append((question.format(thing=thing), said))
        otherwise.append((other.format(thing=thing), said))
    return Faq("made-up facts", learned, otherwise[:held])


def support(rows: int, held: int) -> Faq:
    """What customers of a shop asked, and its 13 answers; held are other questions.

    The file has 3,000 rows: what is over that is learned twice an epoch.
    """
    with BITEXT.open(encoding="utf-8", newline="") as file:
        every = [(row["instruction"], row["response"]) for row in csv.DictReader(file)]
    Random(0).shuffle(every)
    kept, left = every[:held], every[held:]
    return Faq("customer support", [left[each % len(left)] for each in range(rows)], kept)
