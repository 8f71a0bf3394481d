"""Data files, as examples of rows of tokens."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.datasets.examples import strings
from bot.datasets.message import is_silent
from bot.local.training.conversation import conversation, leaves_out, weight_of
from bot.local.training.fault import TrainingFault
from bot.local.training.rows import Example, Message, Row, Tokenizer
from bot.training import Kind

HALF = "there is half a character, such as \\ud83d without the half after it: write it whole"


@dataclass(slots=True)
class Data:
    """A file's examples, and the numbers of the lines of which the person should know."""

    examples: list[Example] = field(default_factory=list)
    cut: list[int] = field(default_factory=list)
    left_out: list[int] = field(default_factory=list)
    even: list[int] = field(default_factory=list)
    silent: list[int] = field(default_factory=list)
    without_tools: list[int] = field(default_factory=list)

    def warnings(self, file: str, longest: int) -> Iterator[str]:
        """What was done to its rows, and what they will teach."""
        if self.cut:
            were = some(self.cut, "was", "were")
            yield f"{file}: {were} longer than {longest} tokens and cut there."
        for each in self.useless(longest):
            yield f"{file}: {each}."
        if self.silent:
            have = some(self.silent, "has", "have")
            yield f"{file}: {have} an empty answer, from which the model learns to say nothing."
        if self.without_tools:
            have = some(self.without_tools, "has", "have")
            yield f"{file}: {have} tools, which the model's template leaves out."

    def useless(self, longest: int) -> Iterator[str]:
        """Why nothing is learned of some rows."""
        if self.left_out:
            were = some(self.left_out, "was", "were")
            yield (
                f"{were} left out: no answer that is to be learned begins within the first "
                f"{longest} tokens"
            )
        if self.even:
            were = some(self.even, "was", "were")
            yield f"{were} left out: both answers are the same within the first {longest} tokens"


def read(path: Path, kind: Kind, tokenizer: Tokenizer, longest: int) -> Data:
    """The examples of a file of JSON lines. Raises TrainingFault with the line that is wrong."""
    rows_of = {"completion": completion, "chat": chat, "preference": preference}.get(kind)
    if rows_of is None:
        raise TrainingFault("invalid_file", f"{path.name} is for {kind}: that is not trained here.")
    data = Data()
    for number, fields in lines(path):
        try:
            rows = tuple(rows_of(fields, tokenizer))
            tools = tools_for(fields, kind)
            told_of_none = bool(tools) and leaves_out(tools, tokenizer)
        except (KeyError, TypeError, ValueError) as error:
            reason = f"{error.args[0]} is missing" if isinstance(error, KeyError) else error
            raise TrainingFault(
                "invalid_file", f"Line {number} of {path.name}: {reason}.", number
            ) from None
        cuts = [row.cut(longest) for row in rows]
        if not all(row.teaches for row in rows):
            data.left_out.append(number)
        elif len(rows) > 1 and rows[0] == rows[1]:
            data.even.append(number)
        else:
            data.examples.append(Example(rows))
        for found, numbers in (
            (any(cuts), data.cut),
            (is_empty(fields, kind), data.silent),
            (told_of_none, data.without_tools),
        ):
            if found:
                numbers.append(number)
    if not data.examples:
        reasons = "; ".join(data.useless(longest)) or "it is empty"
        raise TrainingFault(
            "invalid_file",
            f"{path.name} has nothing to learn from: {reasons}.",
            min(data.left_out + data.even, default=None),
        )
    return data


def some(lines: list[int], one: str, more: str) -> str:
    """How many rows there are, and where, with the verb that follows."""
    if len(lines) == 1:
        return f"1 row, in line {lines[0]}, {one}"
    return f"{len(lines)} rows, the first in line {lines[0]}, {more}"


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
            if has_half(fields):
                problem = f"Line {number} of {path.name}: {HALF}."
                raise TrainingFault("invalid_file", problem, number)
            yield number, fields


def has_half(fields: object) -> bool:
    """Whether half a character stands in a text, which no tokenizer takes: JSON can write one."""
    try:
        for each in strings(fields):
            each.encode()
    except UnicodeEncodeError:
        return True
    return False


def completion(fields: dict[str, Any], tokenizer: Tokenizer) -> Iterator[Row]:
    """A prompt, of which nothing is learned, and its completion, after which the model ends."""
    row = Row()
    row.add(tokenizer.tokens(text(fields, "prompt"), start=True), 0)
    if not (said := text(fields, "completion")):
        raise ValueError("completion is empty")
    row.add([*tokenizer.tokens(said, start=False), tokenizer.end], 1)
    yield row


def chat(fields: dict[str, Any], tokenizer: Tokenizer) -> Iterator[Row]:
    """A conversation, of which what the assistant says is learned, unless its weight is 0."""
    yield conversation(conversation_of(fields, "messages"), tools_of(fields), tokenizer)


def preference(fields: dict[str, Any], tokenizer: Tokenizer) -> Iterator[Row]:
    """The same conversation with each of two ends, of which only the end is weighed."""
    given = fields["input"]
    if not isinstance(given, dict):
        raise TypeError("input is not an object")
    before = [{**message, "weight": 0} for message in conversation_of(given, "messages")]
    for end in "preferred_output", "non_preferred_output":
        messages = before + conversation_of(fields, end)
        yield conversation(messages, tools_of(given), tokenizer)


def is_empty(fields: dict[str, Any], kind: Kind) -> bool:
    """Whether nothing stands in an answer that the model is to learn."""
    if kind == "completion":
        return not fields["completion"].strip()
    said = fields["messages" if kind == "chat" else "preferred_output"]
    return any(is_silent(message) and weight_of(message) for message in said)


def conversation_of(fields: dict[str, Any], key: str) -> list[Message]:
    messages = fields[key]
    if not isinstance(messages, list) or not all(isinstance(each, dict) for each in messages):
        raise TypeError(f"{key} is not a list of messages")
    return messages


def tools_for(fields: dict[str, Any], kind: Kind) -> list[Any]:
    if kind == "completion":
        return []
    return tools_of(fields["input"] if kind == "preference" else fields)


def tools_of(fields: dict[str, Any]) -> list[Any]:
    """The tools of an example; those that it has in the older way are given in the newer one."""
    older = fields.get("functions") or []
    return fields.get("tools") or [{"type": "function", "function": each} for each in older]


def text(fields: dict[str, Any], key: str) -> str:
    if not isinstance(fields[key], str):
        raise TypeError(f"{key} is not a text")
    return str(fields[key])
