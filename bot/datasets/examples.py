"""What stands in an example of any of the four formats. Nothing here trusts its shape."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from itertools import chain
from typing import Any

INSTRUCTIONS = ("system", "developer")
CHAT_KEYS = {"messages", "tools", "parallel_tool_calls", "functions"}


class Format(StrEnum):
    """How the examples of a file are written."""

    COMPLETIONS = "completions"  # {"prompt": …, "completion": …}
    CHAT = "chat"  # {"messages": […]}
    PREFERENCE = (
        "preference"  # {"input": {…}, "preferred_output": […], "non_preferred_output": […]}
    )
    REINFORCEMENT = "reinforcement"  # {"messages": […, a question], and fields for a grader}


def format_of(fields: Mapping[str, Any]) -> Format:
    """The format that an example is probably meant to have, by its keys."""
    if "messages" in fields:
        return Format.REINFORCEMENT if is_graded(fields) else Format.CHAT
    if "preferred_output" in fields or "non_preferred_output" in fields:
        return Format.PREFERENCE
    return Format.COMPLETIONS


def format_of_all(rows: Sequence[Mapping[str, Any]]) -> Format:
    """The format of a file that begins with these rows: that of most of them. Chats in which
    nobody answers are questions for the model to answer.
    """
    formats = Counter(map(format_of, rows)).most_common(1)
    found = formats[0][0] if formats else Format.COMPLETIONS
    return Format.REINFORCEMENT if found is Format.CHAT and only_ask(rows) else found


def only_ask(rows: Sequence[Mapping[str, Any]]) -> bool:
    """Whether there are questions in chats, and nothing that may be an answer."""
    said = chain.from_iterable(messages_in(fields.get("messages")) for fields in rows)
    roles = [message.get("role") for message in said]
    return "user" in roles and all(role == "user" or role in INSTRUCTIONS for role in roles)


def is_graded(fields: Mapping[str, Any]) -> bool:
    """Whether the model is to answer an example, and not to learn its answer: it ends with a
    question, and there is something beside the messages to grade an answer by.
    """
    said = messages_in(fields["messages"])
    return bool(said) and said[-1].get("role") != "assistant" and bool(fields.keys() - CHAT_KEYS)


def messages_in(value: object) -> list[dict[str, Any]]:
    """The messages of a list; what is no message is left out."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def dialogues(fields: object) -> list[list[dict[str, Any]]]:
    """The messages of a chat example; of a preference, its input once with each of its outputs."""
    if not isinstance(fields, dict):
        return []
    if format_of(fields) is not Format.PREFERENCE:
        return [messages_in(fields.get("messages"))]
    asked = fields.get("input")
    before = messages_in(asked.get("messages")) if isinstance(asked, dict) else []
    return [
        before + messages_in(fields.get(key))
        for key in ("preferred_output", "non_preferred_output")
    ]


def answer_of(fields: dict[str, Any]) -> str:
    """What an example teaches to say."""
    if format_of(fields) is Format.COMPLETIONS:
        return plain(fields.get("completion"))
    return "\n".join(
        text_of(message.get("content"))
        for messages in dialogues(fields)
        for message in messages
        if message.get("role") == "assistant"
    )


def text_of(content: object) -> str:
    """The text of a message's content, of its parts too."""
    if isinstance(content, str):
        return content
    parts = messages_in(content)
    said = (part.get("text") or part.get("refusal") for part in parts)
    return "\n".join(text for text in said if isinstance(text, str))


def plain(value: object) -> str:
    """A value that should be a text as one; "" for what cannot be."""
    return str(value) if isinstance(value, str | int | float) else ""


def said(fields: object) -> str:
    """What makes an example different from others: all that is said in it but instructions, which
    often are the same in all.
    """
    if not isinstance(fields, dict):
        return ""
    if format_of(fields) is Format.COMPLETIONS:
        return "\n".join(plain(fields.get(key)) for key in ("prompt", "completion"))
    return "\n".join(
        text_of(message.get("content")) or "\n".join(strings(message.get("tool_calls")))
        for message in chain.from_iterable(dialogues(fields))
        if message.get("role") not in INSTRUCTIONS
    )


def strings(value: object) -> Iterator[str]:
    """Every text in a JSON value, however deep it stands; keys and pictures are left out."""
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, str):
            if not is_picture(each):
                yield each
        elif isinstance(each, dict):
            waiting.extend(each.values())
        elif isinstance(each, list):
            waiting.extend(each)


def is_picture(text: str) -> bool:
    """Whether a text is a picture, a sound or a file: a data URL, which has no spaces."""
    return text.startswith("data:") and " " not in text[:100] and ";base64," in text[:100]


def rewritten(fields: Mapping[str, Any], change: Callable[[str], str]) -> dict[str, Any]:
    """A copy of an example with every text in it changed; pictures are left as they are."""
    copy = dict(fields)
    waiting: list[Any] = [copy]
    while waiting:
        each = waiting.pop()
        for place, value in each.items() if isinstance(each, dict) else enumerate(each):
            if isinstance(value, str):
                each[place] = value if is_picture(value) else change(value)
            elif isinstance(value, dict | list):
                each[place] = value.copy()
                waiting.append(each[place])
    return copy
