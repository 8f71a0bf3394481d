"""What is learned of a conversation, under templates of several kinds."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bot.local.training.data import chat, preference
from tests.local.training.test_rows import ASKED, learned, says
from tests.local.training.tiny import Bytes

CALL = {"id": "1", "type": "function", "function": {"name": "dial", "arguments": "{}"}}
CALLS: list[dict[str, Any]] = [
    {"role": "assistant", "tool_calls": [CALL]},
    says("Wait.", tool_calls=[CALL]),
    {"role": "assistant", "content": None, "function_call": CALL["function"]},
]


class Calling(Bytes):
    """Its template has tools."""

    def prompt(self, messages: list[Any], tools: list[Any], answer: bool) -> str:
        written = [
            {**each, "content": json.dumps(each["tool_calls"])} if "tool_calls" in each else each
            for each in messages
        ]
        return super().prompt(written, tools, answer)


class Instructing(Bytes):
    """Its template has instructions of its own, for messages without any."""

    def prompt(self, messages: list[Any], tools: list[Any], answer: bool) -> str:
        own = [{"role": "system", "content": "Be brief."}]
        needs = messages and messages[0]["role"] != "system"
        return super().prompt(own + messages if needs else messages, tools, answer)


class Unannounced(Bytes):
    """Its template says nowhere that the assistant begins."""

    def prompt(self, messages: list[Any], tools: list[Any], answer: bool) -> str:  # noqa: ARG002
        return super().prompt(messages, tools, answer=False)


class Forgetful(Bytes):
    """Its template writes only what was said last."""

    def prompt(self, messages: list[Any], tools: list[Any], answer: bool) -> str:
        return super().prompt(messages[-2:], tools, answer)


class Thinking(Bytes):
    """Its template asks for thoughts, and writes none."""

    def prompt(self, messages: list[Any], tools: list[Any], answer: bool) -> str:
        return super().prompt(messages, tools, answer) + "<think>" * answer


@pytest.mark.parametrize("call", CALLS)
def test_call_that_the_template_leaves_out_is_refused(call: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"template leaves out `(tool_calls|function_call)`"):
        list(chat({"messages": [ASKED, call, ASKED, says("yes")]}, Bytes()))
    outputs = {"preferred_output": [call], "non_preferred_output": [says("no")]}
    with pytest.raises(ValueError, match="template leaves out"):
        list(preference({"input": {"messages": [ASKED]}, **outputs}, Bytes()))


@pytest.mark.parametrize("call", CALLS)
def test_call_that_is_not_learned_may_be_left_out(call: dict[str, Any]) -> None:
    (row,) = chat({"messages": [ASKED, {**call, "weight": 0}, ASKED, says("yes")]}, Bytes())
    assert learned(row) == "yes¦\n"


def test_call_that_the_template_writes_is_learned() -> None:
    (row,) = chat({"messages": [ASKED, CALLS[0]]}, Calling())
    assert learned(row) == f"{json.dumps([CALL])}¦\n"


@pytest.mark.parametrize("template", [Bytes, Instructing])
def test_greeting_is_learned(template: type[Bytes]) -> None:
    messages = [says("Hello!"), ASKED, says("yes")]
    (row,) = chat({"messages": messages}, template())
    assert learned(row) == "Hello!¦\nyes¦\n"
    assert row.tokens == Bytes().tokens(template().prompt(messages, [], answer=False), start=True)


@pytest.mark.parametrize(
    "message",
    [
        {"role": "assistant", "refusal": "No!"},
        {"role": "assistant", "content": None, "refusal": "No!"},
        {"role": "assistant", "content": [{"type": "refusal", "refusal": "No!"}]},
        {"role": "assistant", "content": [{"type": "text", "text": "No!"}]},
    ],
)
def test_refusal_and_parts_are_learned_as_their_text(message: dict[str, Any]) -> None:
    (row,) = chat({"messages": [ASKED, message]}, Bytes())
    assert learned(row) == "No!¦\n"


@pytest.mark.parametrize(
    ("template", "messages", "reason"),
    [
        (Unannounced(), [says("Hello!")], "give its first message the weight 0"),
        (Forgetful(), [ASKED, says("a"), ASKED, says("b")], "writes earlier messages anew"),
        (Thinking(), [ASKED, says("a")], "writes an answer otherwise than it asks for one"),
    ],
)
def test_template_under_which_something_else_would_be_learned_is_refused(
    template: Bytes, messages: list[Any], reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        list(chat({"messages": messages}, template))
