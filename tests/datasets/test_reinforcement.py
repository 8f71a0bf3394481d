"""Reinforcement examples: every rule, and the fields that a grader reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from bot.datasets import reinforcement as reinforcement_data
from bot.datasets.examples import Format, format_of, format_of_all
from bot.datasets.findings import Level
from bot.datasets.preparation import Preparation
from bot.datasets.reinforcement import GradedFields, ReinforcementCheck
from tests.datasets.examples import (
    NOTHING,
    ODD_ROWS,
    RECOMMENDED,
    call,
    calling,
    chat,
    keys,
    message,
    numbered,
    passed,
    tool,
)

USER, ANSWER = message("user"), message("assistant")


def graded(*messages: Any, **fields: Any) -> dict[str, Any]:
    """A question with what its answer is graded by."""
    return chat(*(messages or (USER,)), **(fields or {"answer": "Good day!"}))


@pytest.mark.parametrize(
    "example",
    [
        graded(),
        graded(message("developer"), USER, answer="A", level=3, any={"deep": [1]}),
        graded(USER, ANSWER, USER),
        graded(USER, calling(), message("tool", "Sun", tool_call_id="1"), tools=[tool()], answer=1),
    ],
)
def test_good_example_has_no_findings(example: Any) -> None:
    rows = numbered([example])
    assert passed([ReinforcementCheck(NOTHING)], rows) == (rows, [])
    assert format_of(example) is Format.REINFORCEMENT


FAULTS: list[tuple[str, Any]] = [
    ("object", "a line"),
    ("messages", graded() | {"messages": []}),
    ("messages", {"answer": "A"}),
    ("message", graded("Hello")),
    ("role-unknown", graded(message("human"))),
    ("content", graded(message("user", None))),
    ("asked", graded(ANSWER)),
    ("answered", graded(USER, ANSWER)),
    ("system", graded(message("system"), USER)),
    ("tools", graded(USER, tools="weather", answer="A")),
    ("call-unanswered", graded(USER, calling(), USER)),
    ("call-undeclared", graded(USER, calling(call("time")), message("tool", tool_call_id="1"))),
    ("weight-role", graded(message("user", weight=1))),
    ("key", graded(message("user", id=1))),
]


@pytest.mark.parametrize(("rule", "example"), FAULTS)
def test_fault_is_found_at_its_line(rule: str, example: Any) -> None:
    _, findings = passed([ReinforcementCheck(NOTHING)], numbered([graded(), example]))
    assert {finding.check: finding for finding in findings}[rule].lines == (2,)


def test_recommended_remedies_end_with_the_question_and_keep_the_fields() -> None:
    odd = graded(message("system", "Rhyme."), message("user", "A", id=1), ANSWER, ANSWER, key="B")
    left, _ = passed([ReinforcementCheck(RECOMMENDED)], numbered([odd]))
    asked = [message("developer", "Rhyme."), message("user", "A")]
    assert [row.fields for row in left] == [graded(*asked, key="B")]


def test_fields_are_named_in_the_order_of_the_file() -> None:
    names = ["answer", "zone", "note", "key", "unit", "book", "year"]
    _, findings = passed([GradedFields()], numbered([graded(**dict.fromkeys(names, "A"))] * 2))
    assert "`answer`, `zone`, `note`, `key`, `unit` and 2 more." in findings[0].says


def test_field_that_some_examples_lack_is_named_with_their_lines() -> None:
    examples = [graded(id=1), graded(answer="A", id=2), graded(answer="B", id=3), graded(id=4)]
    _, findings = passed([GradedFields()], numbered(examples))
    common, lacking = findings
    assert "in all examples: `id`." in common.says
    assert "In 2 examples there is no field `answer`" in lacking.says
    assert lacking.lines == (1, 4)


def test_examples_without_a_common_field_are_warned_of() -> None:
    _, findings = passed([GradedFields()], numbered([graded(a=1), graded(b=1)]))
    assert findings[0].level is Level.WARNING
    assert "No field" in findings[0].says


def test_names_that_are_no_names_are_not_repeated() -> None:
    odd = {"`@everyone`": 1, "sk-1234": 2, "a b": 3, "good": 4}
    _, findings = passed([GradedFields()], numbered([graded(**odd), graded(x=1)]))
    said = " ".join(finding.says for finding in findings)
    assert "`good`" in said
    assert not [name for name in odd if name != "good" and name in said]


def test_chat_without_fields_stays_chat() -> None:
    for example in (chat(), chat(USER), chat(USER, tools=[tool()]), graded(USER, ANSWER)):
        assert format_of(example) is Format.CHAT


ASKED = message("developer", "Rhyme."), USER


@pytest.mark.parametrize(
    ("rows", "format_"),
    [
        ([chat(USER), chat(*ASKED)], Format.REINFORCEMENT),
        ([chat(USER, tools=[tool()])], Format.REINFORCEMENT),
        ([chat(USER), chat(USER, ANSWER)], Format.CHAT),
        ([chat(USER, ANSWER, USER)], Format.CHAT),
        ([chat(message("human"))], Format.CHAT),
        ([chat(message("system"))], Format.CHAT),
        ([{"messages": []}, {"messages": "A"}, {"messages": [{"role": []}]}], Format.CHAT),
        ([chat(USER), graded(), graded()], Format.REINFORCEMENT),
        ([], Format.COMPLETIONS),
    ],
)
def test_file_in_which_nobody_answers_asks_to_be_graded(
    rows: list[dict[str, Any]], format_: Format
) -> None:
    assert format_of_all(rows) is format_


def test_questions_with_nothing_beside_them_are_said_to_need_another_grader(
    tmp_path: Path,
) -> None:
    path = tmp_path / "asked.jsonl"
    rows = [chat(message("user", f"What rhymes with {n}?")) for n in range(12)]
    path.write_text("".join(f"{json.dumps(each)}\n" for each in rows))
    with Preparation(path) as preparation:
        report = preparation.examine()
    assert (report.format, report.kept, report.obstacles) == (Format.REINFORCEMENT, 12, ())
    [said] = [each.says for each in report.findings if each.check == "fields"]
    assert "needs nothing to compare with, a model or a program" in said
    assert "end each example with the assistant's" in said


@settings(deadline=None)
@given(ODD_ROWS)
def test_any_row_gives_findings_and_what_is_left_has_no_error(value: Any) -> None:
    for choice in (NOTHING, RECOMMENDED):
        left, _ = passed([ReinforcementCheck(choice)], numbered([value]))
        assert not [
            finding
            for finding in passed([ReinforcementCheck(choice)], left)[1]
            if finding.level is Level.ERROR
        ]


def questions(count: int) -> list[dict[str, Any]]:
    """Examples like no other."""
    said = [
        " ".join(f"{word}{number}" for word in ("is", "it", "sunny")) for number in range(count)
    ]
    return [
        graded(message("user", text), answer=f"Yes, {text}", n=n) for n, text in enumerate(said)
    ]


def test_file_of_questions_is_prepared_and_prepared_again(tmp_path: Path) -> None:
    made = questions(40)
    faulty = [example for _, example in FAULTS if isinstance(example, dict)]
    path = tmp_path / "sums.jsonl"
    lines = [*made, made[0], *faulty, graded(message("user", "Call ada@bank.org"), answer="Ada")]
    path.write_text("".join(f"{json.dumps(each)}\n" for each in lines))
    with Preparation(path) as preparation:
        report = preparation.examine()
        dataset = preparation.write(tmp_path)
    assert report.format is Format.REINFORCEMENT
    assert not report.obstacles
    assert {rule for rule, example in FAULTS if isinstance(example, dict)} <= keys(report.findings)
    assert {"duplicate", "fields", "field-missing"} <= keys(report.findings)
    written = [json.loads(line) for line in dataset.train.read_text().splitlines()]
    assert written[:40] == made
    with Preparation(dataset.train) as again:
        findings = again.examine().findings
    assert not [each for each in findings if each.remedy and RECOMMENDED.takes(each.remedy)]


def test_whole_set_of_checks_counts_fields_of_what_is_left() -> None:
    examples = [*questions(3), {"messages": [], "other": 1}]
    left, findings = passed(reinforcement_data.checks(RECOMMENDED), numbered(examples))
    assert len(left) == 3
    assert "field-missing" not in keys(findings)
