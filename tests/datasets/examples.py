"""Examples for the tests of checks, and a pass over them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from hypothesis import strategies as st

from bot.datasets.checks import Check, Choice
from bot.datasets.findings import Finding, Row

NOTHING = Choice(frozenset())
RECOMMENDED = Choice()


def message(role: str, content: Any = "Hello", **fields: Any) -> dict[str, Any]:
    """A message."""
    return {"role": role, "content": content, **fields}


def chat(*messages: Any, **fields: Any) -> dict[str, Any]:
    """A chat example of messages; without any, a good one."""
    return {"messages": list(messages or (message("user"), message("assistant"))), **fields}


def call(name: str = "weather", arguments: str = "{}", call_id: str = "1") -> dict[str, Any]:
    """A call of a tool."""
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


def calling(*calls: Any, **fields: Any) -> dict[str, Any]:
    """An assistant's message that calls."""
    return message("assistant", None, tool_calls=list(calls or (call(),)), **fields)


def tool(name: str = "weather", **fields: Any) -> dict[str, Any]:
    """The description of a tool."""
    return {"type": "function", "function": {"name": name, **fields}}


def preference(
    preferred: Any = "Good day!", other: Any = "What?", *messages: Any, **fields: Any
) -> dict[str, Any]:
    """A preference of two answers."""
    return {
        "input": {"messages": list(messages or (message("user"),))},
        "preferred_output": [message("assistant", preferred)],
        "non_preferred_output": [message("assistant", other)],
        **fields,
    }


def numbered(examples: Iterable[Any]) -> list[Row]:
    """Rows, one a line."""
    return [Row(line, fields) for line, fields in enumerate(examples, 1)]


def passed(checks: Sequence[Check], rows: Iterable[Row]) -> tuple[list[Row], list[Finding]]:
    """What a pass of rows leaves, and what it finds. No check may change a row."""
    left = []
    for row in rows:
        before = repr(row)
        now: Row | None = row
        for check in checks:
            now = check.see(now) if now else None
        assert repr(row) == before
        if now:
            left.append(now)
    return left, [finding for check in checks for finding in check.findings()]


def keys(findings: Iterable[Finding]) -> set[str]:
    """Which checks found something."""
    return {finding.check for finding in findings}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
_ODD_MESSAGE = st.fixed_dictionaries(
    {},
    optional={
        "role": st.sampled_from(["system", "user", "assistant", "tool", "function", "human"])
        | JSON,
        "content": st.sampled_from(["Hi", "", None, [{"type": "text", "text": "Hi"}]]) | JSON,
        "weight": st.sampled_from([0, 1]) | JSON,
        "name": JSON,
        "tool_call_id": st.just("1") | JSON,
        "tool_calls": st.lists(st.just(call()) | JSON, max_size=2) | JSON,
        "function_call": st.just(call()["function"]) | JSON,
        "refusal": JSON,
        "odd": JSON,
    },
)
_ODD_MESSAGES = st.lists(_ODD_MESSAGE | JSON, max_size=4) | JSON
_ODD_CHAT = st.fixed_dictionaries(
    {},
    optional={
        "messages": _ODD_MESSAGES,
        "tools": st.lists(st.just(tool()) | JSON, max_size=2) | JSON,
        "functions": st.lists(st.just(tool()["function"]) | JSON, max_size=2) | JSON,
        "parallel_tool_calls": JSON,
        "odd": JSON,
    },
)
ODD_ROWS = (
    JSON
    | _ODD_CHAT
    | st.fixed_dictionaries(
        {},
        optional={
            "input": _ODD_CHAT | JSON,
            "preferred_output": _ODD_MESSAGES,
            "non_preferred_output": _ODD_MESSAGES,
        },
    )
    | st.fixed_dictionaries({}, optional={"prompt": JSON, "completion": JSON})
)
"""Rows of all formats in which anything may stand anywhere."""


def as_json(value: object) -> str:
    """A value as it stands in a file."""
    return json.dumps(value, ensure_ascii=False)
