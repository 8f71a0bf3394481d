"""Data files, as rows of tokens with the weight of each.

A served prompt is tokenised by itself and the answer grows after it, token by token. So a row's
prompt and answer are tokenised apart too: a token across the border would never be asked for.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from bot.local.training.fault import TrainingFault
from bot.training import Kind

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
    def learned(self) -> int:
        """Tokens that have a weight."""
        return sum(weight > 0 for row in self.rows for weight in row.weights[1:])


@dataclass(slots=True)
class Data:
    """A file's examples, how many of them were cut, and how many lines taught nothing then."""

    examples: list[Example] = field(default_factory=list)
    cut: int = 0
    left_out: int = 0


def read(path: Path, kind: Kind, tokenizer: Tokenizer, longest: int) -> Data:
    """The examples of a file of JSON lines. Raises TrainingFault with the line that is wrong."""
    rows_of = {"completion": completion, "chat": chat, "preference": preference}.get(kind)
    if rows_of is None:
        raise TrainingFault("invalid_file", f"{path.name} is for {kind}: that is not trained here.")
    data = Data()
    for number, fields in lines(path):
        try:
            rows = tuple(rows_of(fields, tokenizer))
        except (KeyError, TypeError, ValueError) as error:
            reason = f"{error.args[0]} is missing" if isinstance(error, KeyError) else error
            raise TrainingFault(
                "invalid_file", f"Line {number} of {path.name}: {reason}.", number
            ) from None
        cuts = [row.cut(longest) for row in rows]
        data.cut += any(cuts)
        if all(row.teaches for row in rows):
            data.examples.append(Example(rows))
        else:
            data.left_out += 1
    if not data.examples:
        raise TrainingFault("invalid_file", f"{path.name} has nothing to learn from.")
    return data


def lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects in a file of JSON lines with their line numbers; empty lines are passed over."""
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                fields = json.loads(line.decode("utf-8-sig"))
            except (ValueError, RecursionError):
                fields = None
            if not isinstance(fields, dict):
                problem = f"Line {number} of {path.name} is not a JSON object."
                raise TrainingFault("invalid_file", problem, number)
            yield number, fields


def completion(fields: dict[str, Any], tokenizer: Tokenizer) -> Iterator[Row]:
    """A prompt, of which nothing is learned, and its completion, after which the model ends."""
    row = Row()
    row.add(tokenizer.tokens(text(fields, "prompt"), start=True), 0)
    row.add([*tokenizer.tokens(text(fields, "completion"), start=False), tokenizer.end], 1)
    yield row


def chat(fields: dict[str, Any], tokenizer: Tokenizer) -> Iterator[Row]:
    """A conversation, of which what the assistant says is learned, unless its weight is 0."""
    yield conversation(conversation_of(fields, "messages"), fields.get("tools") or [], tokenizer)


def preference(fields: dict[str, Any], tokenizer: Tokenizer) -> Iterator[Row]:
    """The same conversation with each of two ends, of which only the end is weighed."""
    given = fields["input"]
    if not isinstance(given, dict):
        raise TypeError("input is not an object")
    before = [{**message, "weight": 0} for message in conversation_of(given, "messages")]
    for end in "preferred_output", "non_preferred_output":
        messages = before + conversation_of(fields, end)
        yield conversation(messages, given.get("tools") or [], tokenizer)


def conversation(messages: list[Message], tools: list[Any], tokenizer: Tokenizer) -> Row:
    """A conversation as the model's template writes it, with what the assistant says weighed.

    What the template writes after a message belongs to it: from that the model learns to stop.
    """
    said_by_it = [at for at, each in enumerate(messages) if each.get("role") == "assistant"]
    if not said_by_it:
        raise ValueError("no message is from the assistant")
    row, written = Row(), ""
    for index in said_by_it:
        if not (weight := weight_of(messages[index])):
            continue
        asked = tokenizer.prompt(bare(messages[:index]), tools, answer=True)
        said = tokenizer.prompt(bare(messages[: index + 1]), tools, answer=False)
        if not asked.startswith(written) or not said.startswith(asked):
            raise ValueError("the model's template writes earlier messages anew in later ones")
        row.add(tokenizer.tokens(asked[len(written) :], start=not written), 0)
        row.add(tokenizer.tokens(said[len(asked) :], start=False), weight)
        written = said
    return row


def conversation_of(fields: dict[str, Any], key: str) -> list[Message]:
    messages = fields[key]
    if not isinstance(messages, list) or not all(isinstance(each, dict) for each in messages):
        raise TypeError(f"{key} is not a list of messages")
    return messages


def weight_of(message: Message) -> float:
    weight = message.get("weight", 1)
    if weight not in {0, 1}:
        raise ValueError("a weight is neither 0 nor 1")
    return float(weight)


def bare(messages: list[Message]) -> list[Message]:
    """Messages without the weights, which are not the template's."""
    return [{key: each for key, each in one.items() if key != "weight"} for one in messages]


def text(fields: dict[str, Any], key: str) -> str:
    if not isinstance(fields[key], str):
        raise TypeError(f"{key} is not a text")
    return str(fields[key])
