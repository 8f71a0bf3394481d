"""What every format has in common: enough, not too long, no special tokens, nothing twice."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings

from bot.datasets import chat as chat_data
from bot.datasets import general
from bot.datasets import preference as preference_data
from bot.datasets.checks import Choice
from bot.datasets.duplicates import Duplicates, Overlap
from bot.datasets.findings import Level
from bot.datasets.general import SpecialTokens, TooFew, TooLong
from bot.datasets.sampling import Seen
from bot.models.tokens import Tokens
from tests.datasets.examples import (
    NOTHING,
    ODD_ROWS,
    RECOMMENDED,
    chat,
    message,
    numbered,
    passed,
    preference,
)


@pytest.mark.parametrize(
    ("count", "level"), [(0, "error"), (1, "warning"), (9, "warning"), (10, "note"), (50, "")]
)
def test_ten_examples_are_needed_and_fifty_advised(count: int, level: str) -> None:
    _, findings = passed([TooFew()], numbered([chat()] * count))
    assert [f.level.value for f in findings] == ([level] if level else [])


def test_what_remedies_leave_is_what_is_counted() -> None:
    examples = [chat(message("user", f"{n} is what?"), message("assistant")) for n in range(12)]
    left, findings = passed(chat_data.checks(RECOMMENDED), numbered([*examples, {}, examples[0]]))
    assert len(left) == 12
    assert "12 examples are left" in findings[-1].says


@pytest.mark.parametrize(
    ("text", "without"),
    [
        ("Bye<|endoftext|>", "Bye"),
        ("<|im_start|>user\nHi<|im_end|>", "user\nHi"),
        ("<|im_<|im_end|>end|>", ""),
        ("<s>[INST] Hi [/INST]</s>", " Hi "),
        ("a <|> b <| c |> d <b>", None),
    ],
)
def test_special_tokens_are_found_and_taken_out(text: str, without: str | None) -> None:
    rows = numbered([{"prompt": "Hi", "completion": text}])
    left, findings = passed([SpecialTokens(RECOMMENDED)], rows)
    assert bool(findings) == (without is not None)
    assert left[0].fields["completion"] == (text if without is None else without)
    assert passed([SpecialTokens(NOTHING)], rows)[0] == rows


LONG = "word " * 3_000


@pytest.mark.parametrize(
    ("example", "model", "context", "found"),
    [
        (chat(message("user", LONG), message("assistant")), "gpt-3.5-turbo-0613", 0, False),
        (chat(message("user", LONG * 2), message("assistant")), "gpt-3.5-turbo-0613", 0, True),
        (chat(message("user", LONG * 2), message("assistant")), "gpt-4o-mini", 0, False),
        (chat(message("user", LONG * 2), message("assistant")), "smollm2-135m", 0, False),
        (chat(message("user", LONG), message("assistant")), "smollm2-135m", 2048, True),
        (chat(message("user", LONG * 22), message("assistant")), "gpt-4o-mini", 0, True),
        ({"prompt": LONG * 6, "completion": " x"}, "davinci-002", 0, True),
        (preference("A", LONG * 2), "gpt-3.5-turbo-0613", 0, True),
        (preference(LONG, LONG), "gpt-3.5-turbo-0613", 0, False),
    ],
)
def test_example_longer_than_the_window_is_found(
    example: Any, model: str, context: int, *, found: bool
) -> None:
    left, findings = passed(
        [TooLong(RECOMMENDED, model, context, Tokens())], numbered([chat(), example])
    )
    assert [f.lines for f in findings] == [(2,)] * found
    assert len(left) == 2 - found


def test_second_of_two_equal_examples_goes() -> None:
    one = chat(message("user", "One"), message("assistant"))
    swapped = {"tools": [], **one}
    examples = [one, chat(), one, swapped, {**one, "tools": []}]
    left, findings = passed([Duplicates(RECOMMENDED)], numbered(examples))
    assert [row.line for row in left] == [1, 2, 4]
    assert findings[0].lines == (3, 5)
    assert len(passed([Duplicates(NOTHING)], numbered(examples))[0]) == 5


def test_training_examples_that_validation_has_go() -> None:
    training = numbered([chat(message("user", f"Is {n} odd?"), message("assistant"))
                         for n in range(4)])  # fmt: skip
    validation = numbered(
        [chat(message("system"), message("user", "is  2 ODD?"), message("assistant"))]
    )
    left, findings = passed([Overlap(RECOMMENDED, validation)], training)
    assert [row.line for row in left] == [1, 2, 4]
    assert findings[0].lines == (3,)
    assert passed([Overlap(RECOMMENDED, [])], training) == (training, [])


def test_keys_are_sampled_together_above_the_bound() -> None:
    seen = Seen(100)
    for key in range(0, 7_000, 7):
        seen.add(key, key)
        assert len(seen) <= 100
    assert seen.weight == 16
    assert all((seen.first(key) == key) == (key % 16 == 0) for key in range(0, 7_000, 7))


@settings(max_examples=50, deadline=None)
@given(ODD_ROWS)
def test_any_row_passes_all_checks(value: Any) -> None:
    for choice in (NOTHING, RECOMMENDED, Choice(frozenset({"drop-near-duplicates"}))):
        for checks in (
            chat_data.checks(choice, "gpt-4o-mini"),
            preference_data.checks(choice, "", 64),
        ):
            passed(checks, numbered([value, value]))


def test_value_as_deep_as_a_file_can_have_it_passes_all_checks() -> None:
    deep: Any = []
    for _ in range(900):
        deep = [deep]
    odd = {"role": deep, "content": deep, "name": deep, "tool_calls": deep, "tool_call_id": deep}
    examples = [
        chat(odd, {**odd, "role": "assistant"}, {**odd, "role": "tool"}, tools=deep, odd=deep),
        {"input": {"messages": [odd], "tools": deep}, "preferred_output": [message("assistant",
         deep)], "non_preferred_output": [message("assistant", deep)]},
        {"prompt": deep, "completion": deep},
    ]  # fmt: skip
    for make in (chat_data.checks, preference_data.checks, general.checks):
        for check in make(RECOMMENDED, "gpt-4o", 1):
            for row in numbered(examples):
                check.see(row)
            check.findings()


@settings(max_examples=50, deadline=None)
@given(ODD_ROWS)
def test_any_object_passes_the_general_checks_alone(value: Any) -> None:
    if isinstance(value, dict):
        left, findings = passed(general.checks(NOTHING, "gpt-4o", 4), numbered([value, value]))
        assert len(left) == 2
        assert not [f for f in findings if f.level is Level.ERROR]
