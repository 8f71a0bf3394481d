"""Buttons below a message: what they carry, and what becomes of a press.

Telegram carries 64 bytes a button: who may press it, as a hexadecimal number of 13 digits at most,
and what is said, of 48 bytes at most.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bot.messages import Button

MOST_DATA = 64
OPINIONS = {"👍": 1, "👎": -1}
ANYONE = 0


@dataclass(frozen=True, slots=True)
class Says:
    """A button that says something for the one who was asked."""

    asker: int
    text: str

    def may(self, user: int) -> bool:
        """Whether that user may press it."""
        return self.asker in {ANYONE, user}


@dataclass(frozen=True, slots=True)
class Opinion:
    """A button that tells what a person thinks of an answer."""

    value: int


def keyboard(
    buttons: Sequence[Button], person: str, *, feedback: bool = False
) -> InlineKeyboardMarkup | None:
    """The buttons below a message for a person, "telegram:ID"; "" is anyone."""
    asker = int(person.rpartition(":")[2] or ANYONE)
    labels = [(button.label, f"s{asker:x}:{button.says}") for button in buttons]
    rows = [[label] for label in labels]
    if feedback:
        rows.append([(label, f"o{value}") for label, value in OPINIONS.items()])
    if not rows:
        return None
    return InlineKeyboardMarkup([[shown(*label) for label in row] for row in rows])


def shown(label: str, data: str) -> InlineKeyboardButton:
    """One button."""
    return InlineKeyboardButton(label, callback_data=data)


def pressed(data: str) -> Says | Opinion | None:
    """What a button carries; None for one that we do not make any more."""
    kind, rest = data[:1], data[1:]
    if kind == "o" and rest in {"1", "-1"}:
        return Opinion(int(rest))
    asker, colon, text = rest.partition(":")
    try:
        return Says(int(asker, 16), text) if kind == "s" and colon and text else None
    except ValueError:
        return None
