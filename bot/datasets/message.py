"""What can be wrong with one message of an example."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Set
from typing import Any

from bot.datasets import rules
from bot.datasets.examples import plain
from bot.datasets.faults import Fault
from bot.datasets.tools import call_faults

_NAME = re.compile(r"[^\s<|\\/>]{1,64}")
_ASSISTANT = {"tool_calls", "function_call", "refusal", "audio", "weight"}
_EVERYBODY = {"role", "content", "name"}
# The keys of each role's messages, and the kinds of parts that their content may have.
KEYS: Mapping[str, set[str]] = {
    "system": _EVERYBODY,
    "developer": _EVERYBODY,
    "user": _EVERYBODY,
    "assistant": _EVERYBODY | _ASSISTANT,
    "tool": _EVERYBODY | {"tool_call_id"},
    "function": _EVERYBODY,
}
PARTS: Mapping[str, set[str]] = {
    "system": {"text"},
    "developer": {"text"},
    "user": {"text", "image_url", "input_audio", "file"},
    "assistant": {"text", "refusal"},
    "tool": {"text"},
    "function": set(),
}


def message_faults(message: object) -> Iterator[Fault]:
    """What is wrong with a message, looked at by itself."""
    if not isinstance(message, dict):
        yield Fault(rules.NO_MESSAGE)
        return
    role = message.get("role")
    if role is None:
        yield Fault(rules.NO_ROLE)
    elif not isinstance(role, str) or role not in KEYS:
        yield Fault(rules.UNKNOWN_ROLE, plain(role))
    else:
        yield from _name_faults(role, message)
        yield from _content_faults(role, message)
        yield from _weight_faults(role, message)
        yield from _key_faults(role, message)
        yield from call_faults(message)


def is_silent(message: Mapping[str, Any]) -> bool:
    """Whether an answer says nothing and calls nothing."""
    return (
        message.get("role") == "assistant"
        and not has_calls(message)
        and not message.get("refusal")
        and is_blank(message.get("content"))
    )


def is_blank(content: object) -> bool:
    """Whether content is there, with nothing in it."""
    if isinstance(content, list):
        return bool(content) and all(
            isinstance(part, dict) and part.get("type") == "text" and is_blank(part.get("text"))
            for part in content
        )
    return isinstance(content, str) and not content.strip()


def has_calls(message: Mapping[str, Any]) -> bool:
    """Whether the assistant calls a function in this message, in the newer or the older way."""
    return bool(message.get("tool_calls") or message.get("function_call"))


def known_keys(message: Mapping[str, Any]) -> dict[str, Any]:
    """A message without keys that mean nothing in it."""
    return without(message, message.keys() - KEYS[message["role"]] - {"weight"})


def without(value: Mapping[str, Any], keys: Set[str]) -> dict[str, Any]:
    """A copy of an object without some keys."""
    return {key: value[key] for key in value if key not in keys}


def _name_faults(role: str, message: Mapping[str, Any]) -> Iterator[Fault]:
    name = message.get("name")
    if name is None and role != "function":
        return
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        yield Fault(rules.WRONG_NAME)


def _content_faults(role: str, message: Mapping[str, Any]) -> Iterator[Fault]:
    content = message.get("content")
    if isinstance(message.get("refusal"), str):
        yield Fault(rules.REFUSAL)
    if content is None:
        if not _may_be_null(role, message):
            yield Fault(rules.NO_CONTENT, role)
    elif isinstance(content, list):
        yield from _part_faults(role, content)
    elif not isinstance(content, str):
        yield Fault(rules.WRONG_CONTENT, role)
    if is_silent(message):
        yield Fault(rules.EMPTY_ANSWER)
    elif role != "assistant" and is_blank(content):
        yield Fault(rules.EMPTY_CONTENT, role)


def _may_be_null(role: str, message: Mapping[str, Any]) -> bool:
    if role == "function":
        return "content" in message
    return role == "assistant" and (has_calls(message) or isinstance(message.get("refusal"), str))


def _part_faults(role: str, parts: list[Any]) -> Iterator[Fault]:
    kinds = [part.get("type") if isinstance(part, dict) else None for part in parts]
    allowed = all(isinstance(kind, str) and kind in PARTS[role] for kind in kinds)
    alone = len(kinds) == 1 or "refusal" not in kinds
    if not parts or not allowed or not alone or not all(map(_is_part, parts)):
        yield Fault(rules.WRONG_CONTENT, role)
    elif "refusal" in kinds:
        yield Fault(rules.REFUSAL)


def _is_part(part: Mapping[str, Any]) -> bool:
    """Whether a part holds what its type says, under the type's own name."""
    held = part.get(part["type"])
    if part["type"] in ("text", "refusal"):
        return isinstance(held, str)
    if not isinstance(held, dict):
        return False
    return part["type"] != "image_url" or isinstance(held.get("url"), str)


def _weight_faults(role: str, message: Mapping[str, Any]) -> Iterator[Fault]:
    if "weight" not in message:
        return
    weight = message["weight"]
    if role != "assistant":
        yield Fault(rules.WEIGHT_ELSEWHERE, role)
    elif isinstance(weight, bool) or weight not in (0, 1):
        yield Fault(rules.WRONG_WEIGHT)


def _key_faults(role: str, message: Mapping[str, Any]) -> Iterator[Fault]:
    for key in sorted(message.keys() - KEYS[role] - {"weight"}):
        yield Fault(rules.UNKNOWN_KEY, key)
