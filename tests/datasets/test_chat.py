"""Chat examples: every rule, what it says and what is done about it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from jsonschema import Draft202012Validator

from bot.datasets import chat as chat_data
from bot.datasets.chat import ChatCheck, chat_faults
from bot.datasets.findings import MOST_LINES, Level, Weight
from tests.datasets.examples import (
    NOTHING,
    ODD_ROWS,
    RECOMMENDED,
    call,
    calling,
    chat,
    message,
    numbered,
    passed,
    tool,
)
from tests.shared import FOLDER, shared

USER, ANSWER = message("user"), message("assistant")
RESULT = message("tool", "12 °C", tool_call_id="1")
PICTURE = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
TEXT = {"type": "text", "text": "Hello"}
REFUSAL = {"type": "refusal", "refusal": "No."}
OLD_CALL = message("assistant", None, function_call={"name": "weather", "arguments": "{}"})
OLD_RESULT = message("function", "12 °C", name="weather")
WEATHER = [tool(parameters={"type": "object", "properties": {"at": {"type": "string"}}})]

GOOD = [
    chat(),
    chat(message("system"), USER, ANSWER, USER, ANSWER),
    chat(message("developer"), USER, ANSWER),
    chat(USER, message("assistant", weight=0), USER, message("assistant", weight=1)),
    chat(message("user", name="Ada_L"), ANSWER),
    chat(message("user", [TEXT, PICTURE]), message("assistant", [TEXT])),
    chat(USER, calling(), tools=WEATHER),
    chat(USER, calling(), RESULT, ANSWER, tools=WEATHER, parallel_tool_calls=False),
    chat(USER, calling(call(), call(call_id="2")), RESULT, {**RESULT, "tool_call_id": "2"}, ANSWER,
         tools=WEATHER),
    chat(USER, {"role": "assistant", "tool_calls": [call()]}, RESULT, ANSWER, tools=WEATHER),
]  # fmt: skip


@pytest.mark.parametrize("example", GOOD)
def test_good_example_has_no_findings(example: Any) -> None:
    rows = numbered([example])
    assert passed([ChatCheck(NOTHING)], rows) == (rows, [])


FAULTS: list[tuple[str, Any]] = [
    ("object", None),
    ("object", ["messages"]),
    ("messages", {}),
    ("messages", {"messages": []}),
    ("messages", {"messages": {"role": "user"}}),
    ("message", chat("Hello", ANSWER)),
    ("role", chat({"content": "Hello"}, ANSWER)),
    ("role-unknown", chat(message("human"), ANSWER)),
    ("role-unknown", chat(message("User"), ANSWER)),
    ("role-unknown", chat({"role": ["user"], "content": ""}, ANSWER)),
    ("content", chat({"role": "user"}, ANSWER)),
    ("content", chat(USER, message("assistant", None))),
    ("content", chat(message("user", None), ANSWER)),
    ("content", chat(USER, calling(), message("tool", None, tool_call_id="1"), ANSWER)),
    ("content-kind", chat(message("user", 7), ANSWER)),
    ("content-kind", chat(message("user", []), ANSWER)),
    ("content-kind", chat(message("user", ["Hello"]), ANSWER)),
    ("content-kind", chat(message("user", [{"type": "video"}]), ANSWER)),
    ("content-kind", chat(message("user", [{"type": "text"}]), ANSWER)),
    ("content-kind", chat(message("user", [{"type": "image_url", "image_url": "x"}]), ANSWER)),
    ("content-kind", chat(message("system", [PICTURE]), ANSWER)),
    ("content-kind", chat(USER, message("assistant", [PICTURE]))),
    ("content-kind", chat(USER, message("assistant", [TEXT, REFUSAL]))),
    ("content-empty", chat(message("user", " "), ANSWER)),
    ("content-empty", chat(message("system", [{"type": "text", "text": ""}]), USER, ANSWER)),
    ("answer-empty", chat(USER, message("assistant", "\n"))),
    ("refusal", chat(USER, message("assistant", [REFUSAL]))),
    ("refusal", chat(USER, message("assistant", None, refusal="No."))),
    ("name", chat(message("user", name="Ada Lovelace"), ANSWER)),
    ("name", chat(message("user", name=""), ANSWER)),
    ("name", chat(message("user", name="a" * 65), ANSWER)),
    ("name", chat(message("user", name=7), ANSWER)),
    ("weight-role", chat(message("user", weight=0), ANSWER)),
    ("weight", chat(USER, message("assistant", weight=0.5))),
    ("weight", chat(USER, message("assistant", weight=True))),
    ("weight", chat(USER, message("assistant", weight="1"))),
    ("weight-zero", chat(USER, message("assistant", weight=0))),
    ("answer", chat(message("system"), USER)),
    ("last", chat(USER, ANSWER, USER)),
    ("answers-twice", chat(USER, ANSWER, ANSWER)),
    ("tool", chat(USER, ANSWER, RESULT, ANSWER)),
    ("tool", chat(USER, calling(), {**RESULT, "tool_call_id": "2"}, RESULT, ANSWER)),
    ("tool", chat(USER, calling(), message("tool"), RESULT, ANSWER)),
    ("tool", chat(USER, ANSWER, OLD_RESULT, ANSWER)),
    ("call-unanswered", chat(USER, calling(), USER, ANSWER)),
    ("call-unanswered", chat(USER, calling(call(), call(call_id="2")), RESULT, ANSWER)),
    ("call-unanswered", chat(USER, OLD_CALL, USER, ANSWER)),
    ("call", chat(USER, calling({"id": "1"}))),
    ("call", chat(USER, message("assistant", tool_calls=[]))),
    ("call", chat(USER, calling(call(), call()))),
    ("call", chat(USER, calling({**call(), "type": "custom"}))),
    ("call", chat(USER, message("assistant", function_call="weather"))),
    ("arguments", chat(USER, calling(call(arguments="{at: Rome}")))),
    ("arguments", chat(USER, calling(call(arguments="[" * 100_000)))),
    ("call-undeclared", chat(USER, calling())),
    ("call-undeclared", chat(USER, calling(), tools=[tool("time")])),
    ("tools", chat(tools={})),
    ("tools", chat(tools=[])),
    ("tools", chat(tools=[{"type": "function"}])),
    ("tools", chat(tools=[{"type": "retrieval", "function": {"name": "a"}}])),
    ("tools", chat(tools=[tool("a b")])),
    ("tools", chat(tools=[tool("a" * 65)])),
    ("tools", chat(tools=[tool("a"), tool("a")])),
    ("tools", chat(tools=[tool(f"t{n}") for n in range(129)])),
    ("tools", chat(tools=[tool(parameters=["at"])])),
    ("tools", chat(tools=[tool(parameters={"type": "string"})])),
    ("tools", chat(tools=[tool(parameters={"type": "object", "properties": ["at"]})])),
    ("tools", chat(tools=[tool(parameters={"type": "object", "required": "at"})])),
    ("tools", chat(functions=[{"name": ""}])),
    ("parallel-tool-calls", chat(tools=WEATHER, parallel_tool_calls="no")),
    ("parallel-alone", chat(parallel_tool_calls=True)),
    ("deprecated", chat(functions=[{"name": "weather"}])),
    ("deprecated", chat(USER, OLD_CALL, OLD_RESULT, ANSWER)),
    ("key", chat(id=7)),
    ("key", chat(message("user", date="today"), ANSWER)),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "example"), FAULTS)
def test_fault_is_found_at_its_line(rule: str, example: Any) -> None:
    _, findings = passed([ChatCheck(NOTHING)], numbered([chat(), example, chat(), example]))
    found = {finding.check: finding for finding in findings}[rule]
    assert (found.count, found.lines) == (2, (2, 4))
    assert found.says.startswith("In 2 examples ")


@pytest.mark.parametrize(("rule", "example"), FAULTS)
def test_what_is_left_has_no_error(rule: str, example: Any) -> None:
    left, findings = passed([ChatCheck(NOTHING)], numbered([example]))
    necessary = [f for f in findings if f.level is Level.ERROR]
    assert all(f.remedy and f.remedy.weight is Weight.NECESSARY for f in necessary), rule
    _, again = passed([ChatCheck(NOTHING)], left)
    assert not [f for f in again if f.level is Level.ERROR]


def test_what_the_specification_forbids_is_found() -> None:
    schemas = shared("specs/openai.json")["components"]["schemas"]
    message_of = validator(schemas, "ChatCompletionRequestMessage")
    tool_of = validator(schemas, "ChatCompletionTool")
    for example in GOOD:
        assert all(map(message_of.is_valid, example["messages"]))
        assert all(map(tool_of.is_valid, example.get("tools", [])))
    for rule, example in FAULTS:
        if isinstance(example, dict) and isinstance(example.get("messages"), list):
            valid = all(map(message_of.is_valid, example["messages"]))
            assert valid or any(
                fault.rule.level is Level.ERROR for fault in chat_faults(example)
            ), rule


def validator(schemas: Any, name: str) -> Draft202012Validator:
    """Checks values by one schema of OpenAI's specification."""
    reference = f"#/components/schemas/{name}"
    return Draft202012Validator({"$ref": reference, "components": {"schemas": schemas}})


def test_example_is_mended_where_it_can_be() -> None:
    broken = chat(
        message("user", weight=1, date="today"), ANSWER, USER, calling(), USER, tools=WEATHER, id=1
    )
    cut = chat(broken["messages"][0], ANSWER, USER, tools=WEATHER, id=1)
    left, _ = passed([ChatCheck(RECOMMENDED)], numbered([cut]))
    assert [row.fields for row in left] == [chat(USER, ANSWER, tools=WEATHER)]
    assert passed([ChatCheck(RECOMMENDED)], numbered([broken]))[0] == []


def test_remedy_that_rules_share_counts_each_example_once() -> None:
    both = chat(message("human"), message("assistant", weight=3))
    _, findings = passed([ChatCheck(NOTHING)], numbered([both, both]))
    says = {finding.remedy.says for finding in findings if finding.remedy}
    assert says == {"Remove 2 examples that cannot be trained from"}


def test_worst_comes_first_and_few_lines_are_named() -> None:
    examples = [chat(id=1)] * 3 + [chat(USER, message("assistant", ""))] + [{}] * 9
    _, findings = passed([ChatCheck(NOTHING)], numbered(examples))
    assert [f.level for f in findings] == [Level.ERROR, Level.WARNING, Level.NOTE]
    assert findings[0].count == 9
    assert len(findings[0].lines) == MOST_LINES


def test_unknown_names_are_said_unless_they_may_be_secret() -> None:
    examples = [chat(message("human"), ANSWER), chat(message("sk-0123456789"), ANSWER)]
    _, findings = passed([ChatCheck(NOTHING)], numbered(examples))
    assert findings[0].says.endswith("tool (seen: human).")


@settings(deadline=None)
@given(ODD_ROWS)
def test_any_row_gives_findings_and_what_is_left_has_no_error(value: Any) -> None:
    for choice in (NOTHING, RECOMMENDED):
        left, _ = passed([ChatCheck(choice)], numbered([value]))
        assert not [
            finding
            for finding in passed([ChatCheck(choice)], left)[1]
            if finding.level is Level.ERROR
        ]


def test_cookbook_file_is_good_but_short() -> None:
    file = FOLDER / "data/openai_cookbook/toy_chat_fine_tuning.jsonl"
    if not file.exists():
        pytest.skip("../shared/data/openai_cookbook is not here")
    rows = numbered(map(json.loads, file.read_text(encoding="utf-8").splitlines()))
    left, findings = passed(chat_data.checks(RECOMMENDED, "gpt-3.5-turbo-0613"), rows)
    assert left == [rows[0], rows[1], rows[2], rows[3]]
    assert {f.check: f.lines for f in findings} == {"too-long": (5,), "too-few": ()}
