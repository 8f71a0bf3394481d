"""Which tokens of a line are learned."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.local.training.data import chat, completion, preference, read
from bot.local.training.fault import TrainingFault
from bot.local.training.rows import Row
from bot.training import Kind
from tests.local.training.tiny import END, Bytes, lines

KEYS = st.sampled_from(
    [
        "messages",
        "role",
        "content",
        "weight",
        "tools",
        "input",
        "preferred_output",
        "non_preferred_output",
        "prompt",
        "completion",
    ]
)
ASKED = {"role": "user", "content": "hm?"}


def learned(row: Row) -> str:
    """What has a weight, with ¦ for the end."""
    letters = [
        "¦" if token == END else bytes([token - 3]).decode("latin-1")
        for token, weight in zip(row.tokens, row.weights, strict=True)
        if weight
    ]
    return "".join(letters)


def says(content: str, **more: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": content, **more}


def test_completion_is_learned_with_its_end_and_the_prompt_is_not() -> None:
    (row,) = completion({"prompt": "q ->", "completion": " a\n"}, Bytes())
    assert learned(row) == " a\n¦"
    assert len(row.tokens) == 8


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        ([ASKED, says("yes")], "yes¦\n"),
        ([ASKED, says("no"), ASKED, says("yes")], "no¦\nyes¦\n"),
        ([ASKED, says("no", weight=0), ASKED, says("yes", weight=1)], "yes¦\n"),
        ([ASKED, says("no"), ASKED, says("yes", weight=0)], "no¦\n"),
        ([says("first"), ASKED], "first¦\n"),
        ([ASKED, says("one"), says("two")], "one¦\ntwo¦\n"),
    ],
)
def test_what_the_assistant_says_is_learned(messages: list[Any], expected: str) -> None:
    (row,) = chat({"messages": messages}, Bytes())
    assert learned(row) == expected


def test_a_conversation_reads_as_the_template_writes_it() -> None:
    messages = [ASKED, says("no", weight=0), ASKED, says("yes")]
    (row,) = chat({"messages": messages}, Bytes())
    text = Bytes().prompt(messages, [], answer=False)
    assert row.tokens == Bytes().tokens(text, start=True)


def test_only_the_two_ends_of_a_preference_are_learned() -> None:
    fields = {
        "input": {"messages": [ASKED, says("before"), ASKED]},
        "preferred_output": [says("good")],
        "non_preferred_output": [says("bad")],
    }
    assert [learned(row) for row in preference(fields, Bytes())] == ["good¦\n", "bad¦\n"]


@pytest.mark.parametrize(
    ("kind", "line", "reason"),
    [
        ("completion", '{"prompt": "a"}', "completion is missing"),
        ("completion", '{"prompt": 1, "completion": "a"}', "prompt is not a text"),
        ("completion", "[]", "is not a JSON object"),
        ("completion", "{", "is not a JSON object"),
        ("completion", "\xff", "is not a JSON object"),
        ("completion", "[" * 100_000, "is not a JSON object"),
        ("completion", '{"prompt": "\\ud800", "completion": "a"}', "there is half a character"),
        ("completion", '{"prompt": "", "completion": "\\ud800 b"}', "there is half a character"),
        ("chat", '{"messages": [{"content": "\\udc00"}]}', "there is half a character"),
        ("completion", '{"prompt": "a", "completion": ""}', "completion is empty"),
        ("chat", '{"messages": 3}', "messages is not a list of messages"),
        ("chat", '{"messages": ["a"]}', "messages is not a list of messages"),
        ("chat", '{"messages": []}', "no message is from the assistant"),
        (
            "chat",
            '{"messages": [{"role": "assistant", "content": "a", "weight": 2}]}',
            "a weight is neither 0 nor 1",
        ),
        ("preference", '{"input": 3}', "input is not an object"),
        ("preference", '{"input": {"messages": []}}', "preferred_output is missing"),
    ],
)
def test_line_that_is_wrong_is_named(kind: Kind, line: str, reason: str, tmp_path: Path) -> None:
    good: dict[Kind, dict[str, Any]] = {
        "completion": {"prompt": "", "completion": "a"},
        "chat": {"messages": [says("a")]},
        "preference": {
            "input": {"messages": [ASKED]},
            "preferred_output": [says("a")],
            "non_preferred_output": [says("b")],
        },
    }
    file = lines(tmp_path / "data.jsonl", good[kind])
    with file.open("a", encoding="latin-1") as more:
        more.write(f"\n{line}\n")
    with pytest.raises(TrainingFault, match=reason) as fault:
        read(file, kind, Bytes(), 512)
    assert (fault.value.code, fault.value.line) == ("invalid_file", 3)
    assert "Line 3 of data.jsonl" in fault.value.message


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@given(st.sampled_from(get_args(Kind)), st.dictionaries(KEYS, VALUES, max_size=4))
def test_any_line_is_read_or_named(kind: Kind, fields: dict[str, Any]) -> None:
    with TemporaryDirectory() as folder:
        file = lines(Path(folder, "data.jsonl"), fields)
        with suppress(TrainingFault):
            data = read(file, kind, Bytes(), 16)
            assert all(row.teaches for example in data.examples for row in example.rows)


def test_rows_that_teach_something_else_than_what_is_meant_are_told(tmp_path: Path) -> None:
    tools = [{"type": "function", "function": {"name": "dial"}}]
    file = lines(
        tmp_path / "data.jsonl",
        {"messages": [ASKED, says("yes")]},
        {"messages": [ASKED, says(" \n")]},
        {"messages": [ASKED, says("", weight=0), ASKED, says("yes")]},
        {"messages": [ASKED, says("yes")], "tools": tools},
        {"messages": [ASKED, says("yes")], "functions": [{"name": "dial"}]},
    )
    assert list(read(file, "chat", Bytes(), 512).warnings("data.jsonl", 512)) == [
        "data.jsonl: 1 row, in line 2, has an empty answer, from which the model learns to say "
        "nothing.",
        "data.jsonl: 2 rows, the first in line 4, have tools, which the model's template leaves "
        "out.",
    ]


@pytest.mark.parametrize(
    ("kind", "fields", "count"),
    [
        ("completion", {"prompt": "a", "completion": " \n"}, 1),
        ("preference", {"preferred_output": [says("")], "non_preferred_output": [says("a")]}, 1),
        ("preference", {"preferred_output": [says("a")], "non_preferred_output": [says("")]}, 0),
    ],
)
def test_only_what_teaches_silence_is_called_empty(
    kind: Kind, fields: dict[str, Any], count: int, tmp_path: Path
) -> None:
    file = lines(tmp_path / "data.jsonl", {"input": {"messages": [ASKED]}, **fields})
    assert len(read(file, kind, Bytes(), 512).silent) == count


def test_file_whose_answers_all_come_too_late_is_refused_with_its_line(tmp_path: Path) -> None:
    row = {"prompt": "word " * 30 + "###", "completion": " yes"}
    file = lines(tmp_path / "long.jsonl", row, row)
    with pytest.raises(TrainingFault) as fault:
        read(file, "completion", Bytes(), 16)
    assert fault.value.line == 1
    assert fault.value.message == (
        "long.jsonl has nothing to learn from: 2 rows, the first in line 1, were left out: no "
        "answer that is to be learned begins within the first 16 tokens."
    )


def test_preference_whose_answers_differ_too_late_is_left_out(tmp_path: Path) -> None:
    def row(before: str) -> dict[str, Any]:
        good, bad = ([says(before + each)] for each in ("good", "bad"))
        asked = {"messages": [ASKED]}
        return {"input": asked, "preferred_output": good, "non_preferred_output": bad}

    file = lines(tmp_path / "data.jsonl", row("very " * 20), row(""))
    data = read(file, "preference", Bytes(), 64)
    assert len(data.examples) == 1
    assert [*data.warnings("data.jsonl", 64)][-1] == (
        "data.jsonl: 1 row, in line 1, was left out: both answers are the same within the first 64 "
        "tokens."
    )
    with pytest.raises(TrainingFault, match="both answers are the same") as fault:
        read(lines(tmp_path / "late.jsonl", row("very " * 20)), "preference", Bytes(), 64)
    assert fault.value.line == 1


def test_empty_file_is_said_to_be_empty(tmp_path: Path) -> None:
    with pytest.raises(TrainingFault, match="it is empty"):
        read(lines(tmp_path / "data.jsonl"), "completion", Bytes(), 16)
