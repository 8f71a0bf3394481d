"""Preference examples: every rule."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings

from bot.datasets import preference as preference_data
from bot.datasets.findings import Level
from bot.datasets.preference import PreferenceCheck
from tests.datasets.examples import (
    NOTHING,
    ODD_ROWS,
    RECOMMENDED,
    call,
    calling,
    keys,
    message,
    numbered,
    passed,
    preference,
    tool,
)

USER, ANSWER = message("user"), message("assistant")


@pytest.mark.parametrize(
    "example",
    [
        preference(),
        preference("A", "B", message("system"), USER, ANSWER, USER),
        {**preference(), "preferred_output": [calling()],
         "input": {"messages": [USER], "tools": [tool()], "parallel_tool_calls": True}},
    ],
)  # fmt: skip
def test_good_preference_has_no_findings(example: Any) -> None:
    rows = numbered([example])
    assert passed([PreferenceCheck(NOTHING)], rows) == (rows, [])


FAULTS: list[tuple[str, Any]] = [
    ("object", "a line"),
    ("input", {**preference(), "input": None}),
    ("input", {**preference(), "input": [USER]}),
    ("messages", {**preference(), "input": {"messages": []}}),
    ("message", preference("A", "B", "Hello")),
    ("role-unknown", preference("A", "B", message("human"))),
    ("input-last", preference("A", "B", USER, ANSWER)),
    ("call-unanswered", preference("A", "B", USER, calling(), USER)),
    ("tools", {**preference(), "input": {"messages": [USER], "tools": "weather"}}),
    ("output", {**preference(), "preferred_output": "Good day!"}),
    ("output", {**preference(), "preferred_output": []}),
    ("output", {**preference(), "non_preferred_output": [ANSWER, ANSWER]}),
    ("output", {**preference(), "non_preferred_output": [USER]}),
    ("output", {"input": {"messages": [USER]}}),
    ("content", preference(None)),
    ("answer-empty", preference("A", " ")),
    ("call-undeclared", {**preference(), "preferred_output": [calling(call("time"))]}),
    ("output-same", preference("A", "A")),
    ("key", preference(rating=5)),
    ("key", {**preference(), "input": {"messages": [USER], "model": "gpt-4o"}}),
]


@pytest.mark.parametrize(("rule", "example"), FAULTS)
def test_fault_is_found_at_its_line(rule: str, example: Any) -> None:
    _, findings = passed([PreferenceCheck(NOTHING)], numbered([preference(), example]))
    assert {finding.check: finding for finding in findings}[rule].lines == (2,)


def test_unknown_keys_are_taken_away() -> None:
    odd = preference("A", "B", message("user", id=1), rating=5)
    odd["input"]["model"] = "gpt-4o"
    left, _ = passed([PreferenceCheck(RECOMMENDED)], numbered([odd]))
    assert [row.fields for row in left] == [preference("A", "B", USER)]


def test_whole_set_of_checks_leaves_what_prefers_something() -> None:
    examples = [preference("A", "A"), preference(), preference(), preference("", "B")]
    left, findings = passed(preference_data.checks(RECOMMENDED), numbered(examples))
    assert [row.line for row in left] == [2]
    assert keys(findings) == {"output-same", "answer-empty", "duplicate", "too-few"}


@settings(deadline=None)
@given(ODD_ROWS)
def test_any_row_gives_findings_and_what_is_left_has_no_error(value: Any) -> None:
    for choice in (NOTHING, RECOMMENDED):
        left, _ = passed([PreferenceCheck(choice)], numbered([value]))
        assert not [
            finding
            for finding in passed([PreferenceCheck(choice)], left)[1]
            if finding.level is Level.ERROR
        ]
