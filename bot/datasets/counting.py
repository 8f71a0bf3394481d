"""How many tokens a model is trained on in examples.

A chat example has 3 tokens for a message, 1 for a name and 3 for the conversation around its texts
(facts/prepare-data.md). A preference is two conversations, one with each output. Pictures are not
counted: what they take depends on their size.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bot.datasets.examples import (
    Format,
    answer_of,
    dialogues,
    format_of,
    plain,
    strings,
    text_of,
)
from bot.datasets.findings import Finding, Level, Row
from bot.models.tokens import A_CONVERSATION, A_MESSAGE, A_NAME, Tokens, upper_bound, window

# Of the models with larger windows: https://platform.openai.com/docs/guides/fine-tuning, "Token
# limits".
LONGEST_TRAINED = 65_536
EXACTLY = 10_000_000  # bytes of text whose tokens are all counted: about a second
ONE_OF = 16  # examples beyond that are counted
MOST_KEPT = 4096  # different answers, in whose share the rest is taken to be different


def trained_window(model: str, context: int = 0) -> int:
    """The tokens of an example that a model is trained on; 0 when it is not known."""
    return min(context or window(model), LONGEST_TRAINED)


class ExampleTokens:
    """Counts the tokens of examples with the encoding of one model."""

    def __init__(self, model: str, tokens: Tokens) -> None:
        self._model = model
        self._tokens = tokens

    def counts(self, fields: dict[str, Any]) -> list[int]:
        """The tokens of each text that an example trains: one, or two for a preference."""
        return [
            around + sum(self._tokens.count(self._model, text) for text in texts)
            for around, texts in trained_texts(fields)
        ]

    def exceeds(self, fields: dict[str, Any], most: int) -> bool:
        """Whether an example has more tokens than that; counted only where it may."""
        return any(bound > most for bound in bounds(fields)) and max(self.counts(fields)) > most


def trained_texts(fields: dict[str, Any]) -> list[tuple[int, list[str]]]:
    """What an example trains, each with the tokens around its texts."""
    if format_of(fields) is Format.COMPLETIONS:
        return [(0, [plain(fields.get(key)) for key in ("prompt", "completion")])]
    asked = fields.get("input") if format_of(fields) is Format.PREFERENCE else fields
    described = _described(asked) if isinstance(asked, dict) else []
    return [_conversation(messages, described) for messages in dialogues(fields)]


def bounds(fields: dict[str, Any]) -> list[int]:
    """Numbers of tokens that an example has at most, quickly."""
    return [around + sum(map(upper_bound, texts)) for around, texts in trained_texts(fields)]


def _conversation(
    messages: Sequence[dict[str, Any]], described: Sequence[str]
) -> tuple[int, list[str]]:
    names = [message["name"] for message in messages if isinstance(message.get("name"), str)]
    around = A_CONVERSATION + A_MESSAGE * len(messages) + A_NAME * len(names)
    texts = [*names, *described]
    for message in messages:
        texts += [plain(message.get("role")), text_of(message.get("content"))]
        for called in ("tool_calls", "function_call"):
            texts += strings(message.get(called))
    return around, texts


def _described(asked: dict[str, Any]) -> list[str]:
    """Tools as the model reads them, nearly: providers do not say how they write them."""
    described = (asked.get(key) for key in ("tools", "functions"))
    try:
        return [json.dumps(each, ensure_ascii=False) for each in described if each]
    except RecursionError:
        return []


@dataclass(frozen=True, slots=True)
class Counted:
    """The tokens of a file, and how many different `answers` it has, roughly where there are many.
    `longest` is the longest example's own count, before it is cut.
    """

    examples: int = 0
    tokens: int = 0
    longest: int = 0
    longest_line: int = 0
    answers: int = 0
    is_estimated: bool = False


class Different:
    """Counts the different ones among texts."""

    def __init__(self) -> None:
        self._kept: set[int] = set()
        self._texts = self._looked_at = 0

    def add(self, text: str) -> None:
        """The next text."""
        self._texts += 1
        if len(self._kept) < MOST_KEPT:
            self._looked_at += 1
            self._kept.add(hash(text))

    @property
    def count(self) -> int:
        """How many there are: exactly up to MOST_KEPT, beyond by their share."""
        return len(self._kept) * self._texts // max(self._looked_at, 1)


class TokenCount:
    """Counts the tokens of the examples that a file is left with, each cut at the model's window.

    After EXACTLY bytes one of ONE_OF examples is counted, and the others are taken to have as many
    tokens for their bytes as those. It changes nothing, so it stands last among the checks.
    """

    def __init__(self, model: str, context: int = 0, tokens: Tokens | None = None) -> None:
        self._window = trained_window(model, context)
        self._count = ExampleTokens(model, tokens or Tokens())
        self._examples = self._tokens = self._bytes = self._uncounted = 0
        self._sampled = self._sampled_bytes = 0
        self._longest = self._longest_line = 0
        self._answers = Different()

    def see(self, row: Row) -> Row:
        """The next example."""
        self._examples += 1
        self._answers.add(answer_of(row.fields))
        sizes = bounds(row.fields)
        self._bytes += sum(sizes)
        is_sample = self._examples % ONE_OF == 0
        may_be_cut = self._window and max(sizes, default=0) > self._window
        if self._bytes > EXACTLY and not is_sample and not may_be_cut:
            self._uncounted += sum(sizes)
            return row
        counts = self._count.counts(row.fields)
        longest = max(counts, default=0)
        if longest > self._longest:
            self._longest, self._longest_line = longest, row.line
        self._tokens += sum(min(count, self._window or count) for count in counts)
        if is_sample:
            self._sampled += sum(counts)
            self._sampled_bytes += sum(sizes)
        return row

    @property
    def counted(self) -> Counted:
        """What was counted so far."""
        share = self._sampled / self._sampled_bytes if self._sampled_bytes else 1.0
        return Counted(
            self._examples,
            self._tokens + round(self._uncounted * share),
            self._longest,
            self._longest_line,
            self._answers.count,
            is_estimated=self._uncounted > 0,
        )

    def findings(self) -> Sequence[Finding]:
        """How many tokens there are, and how it is known."""
        counted = self.counted
        if not counted.examples:
            return []
        how = f" (estimated: one of {ONE_OF} examples was counted)" if counted.is_estimated else ""
        says = (
            f"{'About ' if counted.is_estimated else ''}{counted.tokens:,} tokens in "
            f"{counted.examples:,} examples{how}; the longest has {counted.longest:,}, at line "
            f"{counted.longest_line}."
        )
        return [Finding("tokens", Level.NOTE, says)]
