"""Graders as people write them, and what is wrong with them, before a service is asked."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.commands.options import parsed
from bot.shell.words import typed
from bot.tuning.graders import fields_of, grader_of, missing
from bot.tuning.plan import graded

CHECK = {
    "type": "string_check",
    "name": "right",
    "input": "{{sample.output_text}}",
    "reference": "{{item.answer}}",
    "operation": "eq",
}
SIMILAR = {
    "type": "text_similarity",
    "name": "near",
    "input": "{{ sample.output_text }}",
    "reference": "The answer is {{ item.answer }}.",
    "evaluation_metric": "rouge_l",
}
PROGRAM = {
    "type": "python",
    "name": "program",
    "source": "def grade(sample, item):\n    return 1.0 if sample['output_text'] else 0.0\n",
}
JUDGE = {
    "type": "score_model",
    "name": "judge",
    "model": "gpt-4.1-mini",
    "input": [
        {"role": "developer", "content": "Score from 0 to 1."},
        {"role": "user", "content": "{{item.answer}} or {{sample.output_text}}? {{item.note}}"},
    ],
    "range": [0, 1],
}
BOTH = {
    "type": "multi",
    "name": "both",
    "graders": CHECK,
    "calculate_output": "right",
}
GRADERS: list[dict[str, Any]] = [CHECK, SIMILAR, PROGRAM, JUDGE, BOTH]


@pytest.mark.parametrize("grader", GRADERS)
def test_whole_grader_is_taken_as_it_is(grader: dict[str, Any]) -> None:
    assert grader_of(json.dumps(grader)) == grader


@pytest.mark.parametrize("parts", [{"a": CHECK, "b": JUDGE}, [CHECK, PROGRAM]])
def test_several_graders_come_by_name_or_in_a_list(parts: Any) -> None:
    assert grader_of(json.dumps({**BOTH, "graders": parts}))["graders"] == parts


@pytest.mark.parametrize(
    ("short", "kind", "how"),
    [
        ("equals:answer", "string_check", {"operation": "eq"}),
        ("contains:answer", "string_check", {"operation": "ilike"}),
        ("similar:answer", "text_similarity", {"evaluation_metric": "fuzzy_match"}),
    ],
)
def test_short_form_compares_the_answer_with_a_field(
    short: str, kind: str, how: dict[str, str]
) -> None:
    grader = grader_of(short)
    assert grader["type"] == kind
    assert how.items() <= grader.items()
    assert (grader["input"], grader["reference"]) == ("{{sample.output_text}}", "{{item.answer}}")
    assert grader_of(json.dumps(grader)) == grader, "a short form is a whole grader"


def without(grader: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in grader.items() if name != key}


@pytest.mark.parametrize(
    ("grader", "sentence"),
    [
        (without(CHECK, "reference"), "`reference` is missing."),
        ({**CHECK, "operation": "is"}, "`operation` may be 'eq', 'ne', 'like' or 'ilike'."),
        ({**CHECK, "name": ""}, "`name`: string should have at least 1 character"),
        ({**CHECK, "type": "check"}, "`type` may be string_check, text_similarity, python"),
        (without(CHECK, "type"), "`type` may be"),
        ({**CHECK, "input": "{{item.answer}}"}, "never looks at the model's answer"),
        ({**SIMILAR, "evaluation_metric": "x"}, "`evaluation_metric` may be 'cosine'"),
        ({**PROGRAM, "source": "def grade(:"}, "`source`: line 1 is no Python (invalid syntax)."),
        ({**PROGRAM, "source": "x = 1"}, "`source`: it has no function grade(sample, item)."),
        ({**PROGRAM, "source": "(" * 5000}, "`source`: "),
        ({**JUDGE, "input": []}, "`input`: list should have at least 1 item"),
        ({**JUDGE, "input": [{"role": "judge", "content": "x"}]}, "`input.0.role` may be 'user'"),
        ({**JUDGE, "range": [1]}, "`range`: "),
        ({**BOTH, "graders": without(CHECK, "name")}, "`graders`: `name` is missing."),
        ({**BOTH, "graders": {"a": BOTH}}, "`graders`: `type` may be"),
        ({**BOTH, "graders": {}}, "`graders`: there is none in it."),
    ],
)
def test_what_a_service_would_refuse_is_said_in_a_sentence(
    grader: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ValueError, match=r"\.$") as refused:
        grader_of(json.dumps(grader))
    assert sentence in str(refused.value)


@pytest.mark.parametrize(
    "text",
    ["", "equals", "equals:", "equal:answer", "equals:a b", "equals:{{x}}", "{", "[]", "{'a': 1}",
     '{"type": NaN}', json.dumps(JUDGE).replace("[0, 1]", "[0, 1e999]"), '{"name": "\\ud800"}',
     "{" * 9999],
)  # fmt: skip
def test_what_is_no_grader_is_told_how_to_write_one(text: str) -> None:
    with pytest.raises(ValueError, match="write equals:FIELD"):
        grader_of(text)


@pytest.mark.parametrize("grader", GRADERS)
@pytest.mark.parametrize("around", ["'{}'", "{}", "‘{}’", "`{}`", "```{}```", "“{}”"])
def test_grader_is_an_option_whatever_quotes_are_around_it_and_in_it(
    around: str, grader: dict[str, Any]
) -> None:
    known = {"grader": grader_of, "yes": None}
    for option in ("--grader ", "--grader=", "—grader "):
        typed = f"sums o4-mini {option}{around.format(json.dumps(grader))} --yes"
        options = parsed(typed, known)
        assert options.words == ("sums", "o4-mini")
        assert (options["grader"], options["yes"]) == (grader, True)


@pytest.mark.parametrize(("double", "single"), ["“‘", "”’", "„‚"])
def test_grader_is_read_with_the_quotation_marks_of_telephones(double: str, single: str) -> None:
    written = json.dumps(PROGRAM).replace('"', double).replace("'", single)
    known = {"grader": grader_of, "yes": None}
    options = parsed(f"sums o4-mini —grader ‘{written}’ —yes", known)
    assert (options["grader"], options["yes"]) == (PROGRAM, True)


def test_grader_comes_whole_from_a_shell() -> None:
    words = ["start", "sums", "o4-mini", "--grader", json.dumps(PROGRAM)]
    rest = typed(words, yes=True).text.removeprefix("/finetune start ")
    assert parsed(rest, {"grader": grader_of, "yes": None})["grader"] == PROGRAM


def test_fields_that_are_read_must_be_there() -> None:
    assert fields_of(JUDGE) == {"answer", "note"}
    assert fields_of({**BOTH, "graders": {"a": SIMILAR, "b": JUDGE}}) == {"answer", "note"}
    assert missing(JUDGE, {"answer", "note", "id"}) == ""
    assert missing(JUDGE, {"answer", "id"}) == (
        "The grader reads {{item.note}}, which not every example has: all have answer, id."
    )
    assert "no field is in all of them" in missing(CHECK, ())


def test_fields_that_are_there_are_named_in_a_short_sentence_without_marks() -> None:
    said = missing(CHECK, {"*a* @all", *(f"field {n:03}" for n in range(500))})
    assert said.endswith(
        ": all have `*a* @all`, field 000, field 001, field 002, field 003 and 496 more."
    )


@pytest.mark.parametrize("most", ["1", True, None])
def test_range_of_a_score_is_of_numbers(most: object) -> None:
    with pytest.raises(ValueError, match=r"^`range.1`: input should be a valid number\."):
        grader_of(json.dumps({**JUDGE, "range": [0, most]}))


WORDS = st.sampled_from(["", "answer", "{{item.answer}}", "{{sample.output_text}}", "eq", "def x"])
ANY = st.recursive(
    st.none() | st.integers() | st.floats() | st.text(max_size=5) | WORDS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(WORDS, inner, max_size=2),
    max_leaves=6,
)
KEYS = st.sampled_from(
    ["type", "name", "input", "reference", "operation", "source", "model", "graders", "range",
     "evaluation_metric", "calculate_output", "sampling_params"]
)  # fmt: skip


@example(CHECK, {"model": 5})
@given(st.sampled_from(GRADERS), st.dictionaries(KEYS, ANY, max_size=3))
def test_any_grader_is_taken_or_refused_in_words(
    grader: dict[str, Any], odd: dict[str, Any]
) -> None:
    text = json.dumps({**grader, **odd})
    try:
        taken, refused = grader_of(text), ""
    except ValueError as error:
        taken, refused = {}, str(error)
    assert refused.endswith(".") or json.dumps(taken, ensure_ascii=False).encode()
    assert refused or graded(taken).endswith(").")
