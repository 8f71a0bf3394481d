"""What can be wrong with the functions of an example: described, called and answered."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bot.datasets import rules
from bot.datasets.examples import plain
from bot.datasets.faults import Fault

MOST_TOOLS = 128  # specs/openai.json, `tools` of a chat request
_FUNCTION_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")

Message = Mapping[str, Any]


def tool_faults(fields: Mapping[str, Any]) -> Iterator[Fault]:
    """What is wrong with `tools`, `functions` and `parallel_tool_calls`."""
    parallel = fields.get("parallel_tool_calls")
    if parallel is not None and not isinstance(parallel, bool):
        yield Fault(rules.WRONG_PARALLEL)
    if parallel is not None and not fields.get("tools"):
        yield Fault(rules.PARALLEL_ALONE)
    if fields.get("functions") is not None:
        yield Fault(rules.DEPRECATED, "functions")
    if not all(_are_functions(described) for described in _described(fields)):
        yield Fault(rules.WRONG_TOOLS)


def call_faults(message: Message) -> Iterator[Fault]:
    """What is wrong with the calls of one message."""
    if message.get("role") == "function":
        yield Fault(rules.DEPRECATED, "function")
    if message.get("role") != "assistant":
        return
    calls, older = message.get("tool_calls"), message.get("function_call")
    if calls is not None and not _are_calls(calls):
        yield Fault(rules.WRONG_CALL)
    if older is not None:
        yield Fault(rules.DEPRECATED, "function_call")
        if not _is_called(older):
            yield Fault(rules.WRONG_CALL)
    if any(not _is_json_object(called["arguments"]) for called in _called(message)):
        yield Fault(rules.WRONG_ARGUMENTS)


def answer_faults(messages: Sequence[Message]) -> Iterator[Fault]:
    """Calls that are not answered, and answers to no call.

    Those of the last message stand: an example may end with a call, which is what the model is to
    learn then.
    """
    waiting: set[str] = set()
    for message in messages:
        role = message.get("role")
        if role in ("tool", "function"):
            answered = _answered(message)
            if answered not in waiting:
                yield Fault(rules.ORPHAN)
            waiting.discard(answered)
            continue
        if waiting:
            yield Fault(rules.UNANSWERED)
        waiting = _made(message) if role == "assistant" else set()
    if waiting and messages[-1].get("role") != "assistant":
        yield Fault(rules.UNANSWERED)


def undeclared_faults(fields: Mapping[str, Any], messages: Sequence[Message]) -> Iterator[Fault]:
    """Calls of functions that the example does not describe."""
    known = {
        function["name"]
        for described in _described(fields)
        if isinstance(described, list)
        for function in described
        if isinstance(function, dict) and isinstance(function.get("name"), str)
    }
    for message in messages:
        for called in _called(message):
            if called["name"] not in known:
                yield Fault(rules.UNDECLARED, called["name"])


def _described(fields: Mapping[str, Any]) -> Iterator[object]:
    """The lists of functions that an example has, those of `tools` taken out of their wrapping."""
    tools = fields.get("tools")
    if isinstance(tools, list):
        yield [
            tool.get("function") if isinstance(tool, dict) and tool.get("type") == "function" else 0
            for tool in tools
        ]
    elif tools is not None:
        yield tools
    if fields.get("functions") is not None:
        yield fields["functions"]


def _are_functions(described: object) -> bool:
    if not isinstance(described, list) or not 1 <= len(described) <= MOST_TOOLS:
        return False
    if not all(map(_is_function, described)):
        return False
    return len({function["name"] for function in described}) == len(described)


def _is_function(function: object) -> bool:
    if not isinstance(function, dict):
        return False
    name, strict = function.get("name"), function.get("strict")
    return (
        isinstance(name, str)
        and bool(_FUNCTION_NAME.fullmatch(name))
        and isinstance(function.get("description", ""), str)
        and (strict is None or isinstance(strict, bool))
        and _is_schema(function.get("parameters", {}))
    )


def _is_schema(schema: object) -> bool:
    """Whether this can describe the parameters of a function, an object with properties."""
    if not isinstance(schema, dict):
        return False
    properties, required = schema.get("properties", {}), schema.get("required", [])
    return (
        schema.get("type", "object") == "object"
        and isinstance(properties, dict)
        and all(isinstance(each, dict | bool) for each in properties.values())
        and isinstance(required, list)
        and all(isinstance(name, str) for name in required)
    )


def _are_calls(calls: object) -> bool:
    if not isinstance(calls, list) or not calls:
        return False
    return all(map(_is_call, calls)) and len({call["id"] for call in calls}) == len(calls)


def _is_call(call: object) -> bool:
    return (
        isinstance(call, dict)
        and isinstance(call.get("id"), str)
        and call.get("type") == "function"
        and _is_called(call.get("function"))
    )


def _is_called(function: object) -> bool:
    return (
        isinstance(function, dict)
        and isinstance(function.get("name"), str)
        and bool(_FUNCTION_NAME.fullmatch(function["name"]))
        and isinstance(function.get("arguments"), str)
    )


def _called(message: Message) -> list[Mapping[str, Any]]:
    """The well-formed calls of a message, each with name and arguments."""
    calls = message.get("tool_calls")
    made = [call["function"] for call in calls if _is_call(call)] if isinstance(calls, list) else []
    older = message.get("function_call")
    return [*made, older] if isinstance(older, dict) and _is_called(older) else made


def _made(message: Message) -> set[str]:
    """What the answers to the calls of a message are known by."""
    calls = message.get("tool_calls")
    made = {call["id"] for call in calls if _is_call(call)} if isinstance(calls, list) else set()
    older = message.get("function_call")
    return made | ({f"function {older['name']}"} if _is_called(older) and older else set())


def _answered(message: Message) -> str:
    """The call that a message answers, as `_made` knows it."""
    if message.get("role") == "function":
        return f"function {plain(message.get('name'))}"
    return plain(message.get("tool_call_id"))


def _is_json_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False
