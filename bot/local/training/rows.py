"""Rows of tokens with the weight of each, and what makes tokens of text.

A served prompt is tokenised by itself and the answer grows after it, token by token. So a row's
prompt and answer are tokenised apart too: a token across the border would never be asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

# Sentencepiece begins every text with a space, which what goes on after another has not. No such
# vocabulary joins a line feed to what follows.
BEFORE = "\n"

Message = dict[str, Any]


class Tokenizer(Protocol):
    """The model's own way from text to tokens, which is also that of serving it."""

    end: int  # the token after which the model says no more

    def tokens(self, text: str, start: bool) -> list[int]:
        """The tokens of a text; with the model's own first ones at the start of a row."""

    def prompt(self, messages: list[Message], tools: list[Any], answer: bool) -> str:
        """A conversation as text; with the beginning of an answer, if one is asked for.

        Raises ValueError, with the reason, for what the model's template does not take.
        """


def before_of(ids: Callable[[str], list[int]]) -> list[int]:
    """The tokens of BEFORE, where a text that goes on after it begins otherwise than alone."""
    before = ids(BEFORE)
    after = ids(f"{BEFORE}a")[len(before) :]
    return [] if after == ids("a") else before


@dataclass(slots=True)
class Row:
    """Tokens, and for each the weight with which it is learned."""

    tokens: list[int] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)

    def add(self, tokens: list[int], weight: float) -> None:
        self.tokens += tokens
        self.weights += [weight] * len(tokens)

    def cut(self, longest: int) -> bool:
        """Cut off what is over `longest` tokens; whether something was."""
        was_longer = len(self.tokens) > longest
        del self.tokens[longest:], self.weights[longest:]
        return was_longer

    @property
    def teaches(self) -> bool:
        """Whether anything is learned from it; nothing comes before the first token."""
        return any(self.weights[1:])


@dataclass(frozen=True, slots=True)
class Example:
    """One line of a file: a row, or the preferred and then the other row of a preference."""

    rows: tuple[Row, ...]

    @property
    def length(self) -> int:
        """Tokens."""
        return sum(len(row.tokens) for row in self.rows)

    @property
    def answer(self) -> tuple[int, ...]:
        """The tokens that have a weight, one after the other."""
        return tuple(
            token
            for row in self.rows
            for token, weight in zip(row.tokens, row.weights, strict=True)
            if weight > 0
        )

    @property
    def learned(self) -> int:
        """Tokens that have a weight."""
        return sum(weight > 0 for row in self.rows for weight in row.weights[1:])


def answers(examples: Iterable[Example]) -> int:
    """How many different answers examples have."""
    return len({example.answer for example in examples})
