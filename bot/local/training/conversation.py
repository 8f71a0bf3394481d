"""Conversations as the model's own template writes them, with what is learned of each."""

from __future__ import annotations

from typing import Any

from bot.datasets.examples import text_of
from bot.local.training.rows import Message, Row, Tokenizer

QUESTION = [{"role": "user", "content": "?"}]
# Mistral's templates take only ids of nine letters and digits.
OTHER = {"name": "another", "arguments": "{}"}
OTHERS: dict[str, Any] = {
    "tool_calls": [{"id": "000000000", "type": "function", "function": OTHER}],
    "function_call": OTHER,
}


def conversation(messages: list[Message], tools: list[Any], tokenizer: Tokenizer) -> Row:
    """A conversation with what the assistant says weighed.

    What the template writes after a message belongs to it: from that the model learns to stop.
    Raises ValueError, with the reason, where what would be learned is not what was said.
    """
    answers = {
        at: weight_of(each) for at, each in enumerate(messages) if each.get("role") == "assistant"
    }
    if not answers:
        raise ValueError("no message is from the assistant")
    bare = [plain(message) for message in messages]
    row, written = Row(), ""
    for index, weight in answers.items():
        if not weight:
            continue
        until = bare[: index + 1]
        said = tokenizer.prompt(until, tools, answer=False)
        if index:
            asked = tokenizer.prompt(bare[:index], tools, answer=True)
        else:
            asked = opening(until, said, tools, tokenizer)
        if not asked.startswith(written):
            raise ValueError(
                "the model's template writes earlier messages anew in later ones: give all answers "
                "but the last the weight 0"
            )
        if not said.startswith(asked):
            raise ValueError(
                "the model's template writes an answer otherwise than it asks for one: train it "
                "with prompts and completions"
            )
        refuse_lost_calls(until, said, tools, tokenizer)
        row.add(tokenizer.tokens(asked[len(written) :], start=not written), 0)
        row.add(tokenizer.tokens(said[len(asked) :], start=False), weight)
        written = said
    return row


def opening(first: list[Message], said: str, tools: list[Any], tokenizer: Tokenizer) -> str:
    """What stands before the assistant's message with which a conversation begins.

    It cannot be asked for: a template writes its own instructions before a message, and not alone.
    """
    begins = tokenizer.prompt(first, tools, answer=True).removeprefix(said)
    before, found, _ = said.partition(begins or said)
    if not found or not begins:
        raise ValueError(
            "the model's template does not tell where an assistant begins that speaks first: give "
            "its first message the weight 0"
        )
    return before + found


def refuse_lost_calls(
    until: list[Message], said: str, tools: list[Any], tokenizer: Tokenizer
) -> None:
    """Raise ValueError where another call would be written as the one at the end is: not at all."""
    *before, last = until
    for key, other in OTHERS.items():
        if not last.get(key):
            continue
        if tokenizer.prompt([*before, {**last, key: other}], tools, answer=False) == said:
            raise ValueError(
                f"the model's template leaves out `{key}`, so that the model would learn to say "
                f"nothing instead: train another model, leave the line out, or give this message "
                f"the weight 0"
            )


def leaves_out(tools: list[Any], tokenizer: Tokenizer) -> bool:
    """Whether the model is told of no tool."""
    asked = (tokenizer.prompt(QUESTION, each, answer=True) for each in (tools, []))
    return len(set(asked)) == 1


def weight_of(message: Message) -> float:
    weight = message.get("weight", 1)
    if weight not in (0, 1):
        raise ValueError("a weight is neither 0 nor 1")
    return float(weight)


def plain(message: Message) -> Message:
    """A message without its weight, which is not the template's, and with parts, or a refusal, as
    the text that they are.
    """
    kept = {key: each for key, each in message.items() if key not in {"weight", "refusal"}}
    if kept.get("content") is None and isinstance(message.get("refusal"), str):
        kept["content"] = message["refusal"]
    elif is_text(kept.get("content")):
        kept["content"] = text_of(kept["content"])
    return kept


def is_text(content: object) -> bool:
    """Whether this is a list of nothing but texts."""
    return isinstance(content, list) and all(
        isinstance(part, dict)
        and isinstance(part.get(part.get("type")), str)
        and part["type"] in ("text", "refusal")
        for part in content
    )
