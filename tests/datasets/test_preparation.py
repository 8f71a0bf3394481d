"""Preparing a file: decisions, what is written, and the facts that go with it."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from bot.datasets.checks import Choice
from bot.datasets.examples import Format
from bot.datasets.preparation import Preparation
from bot.datasets.selection import Task
from bot.datasets.split import held_back, training_rows
from bot.errors import DatasetError
from tests.datasets.files import array, jsonl, labelled, pairs

NOTHING = Choice(frozenset())


def put(folder: Path, content: bytes, name: str = "data.jsonl") -> Path:
    """A file."""
    (folder / name).write_bytes(content)
    return folder / name


def rows(path: Path | None) -> list[dict[str, Any]]:
    """The rows of a prepared file."""
    assert path
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_a_press_of_a_button_examines_anew(tmp_path: Path) -> None:
    plain = pairs(20)
    path = put(tmp_path, jsonl([(prompt.upper(), text) for prompt, text in plain] + plain[:1]))
    with Preparation(path) as preparation:
        kept = [
            preparation.examine(Choice(frozenset(keys))).kept
            for keys in (
                (),
                ("drop-duplicates",),
                ("lower-prompt",),
                ("drop-duplicates", "lower-prompt"),
            )
        ]
    assert kept == [21, 21, 21, 20], "in lower case two rows are the same"


def test_a_file_is_read_once_for_all_decisions(tmp_path: Path) -> None:
    path = put(tmp_path, jsonl(pairs(20)))
    seen: list[float] = []
    with Preparation(path, progress=seen.append) as preparation:
        first = preparation.examine()
        path.unlink()
        assert seen[-1] == 1.0
        assert preparation.examine(NOTHING).rows == first.rows
        assert preparation.write(tmp_path, NOTHING).train_rows == 20


def test_dropping_long_rows_brings_the_separator_to_light(tmp_path: Path) -> None:
    path = put(tmp_path, jsonl([*pairs(20, "{} {} ->"), ("word " * 3000, "and so on")]))
    with Preparation(path) as preparation:
        assert preparation.examine().separator == " ->"
        without = preparation.examine(Choice(frozenset({"add-separator"})))
        assert without.separator == "\n\n###\n\n"


def test_what_was_declined_is_not_done(tmp_path: Path) -> None:
    plain = pairs(20)
    with Preparation(put(tmp_path, jsonl(plain))) as preparation:
        dataset = preparation.write(tmp_path, NOTHING)
    assert dataset.train.read_bytes() == jsonl(plain).replace(b'": "', b'":"').replace(b", ", b",")
    assert (dataset.report.separator, dataset.report.stop) == ("", "")


def test_files_are_named_by_the_original_and_never_overwritten(tmp_path: Path) -> None:
    with Preparation(put(tmp_path, array(labelled(40)), "my data.json")) as preparation:
        names = [preparation.write(tmp_path, NOTHING).train.name for _ in range(3)]
        split = preparation.write(tmp_path)
        again = preparation.write(tmp_path)
    assert names == [
        "my data_prepared.jsonl",
        "my data_prepared (1).jsonl",
        "my data_prepared (2).jsonl",
    ]
    assert split.valid
    assert again.valid
    assert [file.name for file in (split.train, split.valid, again.train, again.valid)] == [
        "my data_prepared_train.jsonl",
        "my data_prepared_valid.jsonl",
        "my data_prepared_train (1).jsonl",
        "my data_prepared_valid (1).jsonl",
    ]
    assert not list(tmp_path.glob(".*")), "nothing half-written is left"


def test_a_dataset_knows_how_to_talk_to_its_model(tmp_path: Path) -> None:
    with Preparation(put(tmp_path, jsonl(labelled(200, [" yes\n", " no\n"])))) as preparation:
        dataset = preparation.write(tmp_path)
    facts = dataset.report
    assert (facts.format, facts.task) == (Format.COMPLETIONS, Task.CLASSIFICATION)
    assert (facts.separator, facts.stop, facts.answer_prefix) == (" ->", "\n", " ")
    assert dataset.labels == ("yes", "no")
    assert (dataset.train_rows, dataset.valid_rows) == (160, 40)
    assert (len(rows(dataset.train)), len(rows(dataset.valid))) == (160, 40)
    assert dataset.train_bytes == dataset.train.stat().st_size


def test_a_split_holds_back_the_same_part_of_every_class(tmp_path: Path) -> None:
    made = labelled(100, ["a"] * 6 + ["b"] * 3 + ["c"])
    with Preparation(put(tmp_path, jsonl(made))) as preparation:
        one = preparation.write(tmp_path, seed=1)
        same = preparation.write(tmp_path, seed=1)
        other = preparation.write(tmp_path, seed=2)
    counts = Counter(row["completion"] for row in rows(one.valid))
    assert counts == {" a": 12, " b": 6, " c": 2}
    assert rows(one.valid) == rows(same.valid)
    assert rows(one.valid) != rows(other.valid)


@pytest.mark.parametrize(
    ("labels", "valid"),
    [
        ([0] * 5, {0: 1}),
        ([0] * 9_000, {0: 1_000}),
        ([0, 1, 2, 3, 4, 5, 6, 7, 7, 7], {7: 2}),
        (list(range(10)), None),
    ],
)
def test_so_many_are_held_back_and_single_ones_last(
    labels: list[int], valid: dict[int, int] | None
) -> None:
    marks = held_back(labels, seed=0)
    counts = Counter(label for label, mark in zip(labels, marks, strict=True) if mark)
    assert counts.total() == len(labels) - training_rows(len(labels))
    assert valid is None or counts == valid


def test_an_obstacle_stands_in_the_way_of_writing(tmp_path: Path) -> None:
    with Preparation(put(tmp_path, b"one,two\na,b\n", "a.csv")) as preparation:
        assert preparation.examine().obstacles
        with pytest.raises(DatasetError, match="There is no column “prompt”"):
            preparation.write(tmp_path)


def test_a_folder_that_takes_no_file_is_a_sentence(tmp_path: Path) -> None:
    with (
        Preparation(put(tmp_path, jsonl(pairs(20)))) as preparation,
        pytest.raises(DatasetError, match="cannot be written: No such file"),
    ):
        preparation.write(tmp_path / "nowhere")


def test_a_file_that_cannot_be_read_to_its_end_leaves_nothing_open(tmp_path: Path) -> None:
    path = put(tmp_path, jsonl(pairs(20)) + b"x" * 8_000_001)
    with Preparation(path) as preparation, pytest.raises(DatasetError) as refused:
        preparation.examine()
    assert refused.value.line == 21


def chat(number: int, **more: Any) -> dict[str, Any]:
    """A chat example."""
    texts = pairs(60)[number]
    roles = zip(("user", "assistant"), texts, strict=True)
    return {"messages": [{"role": role, "content": text} for role, text in roles], **more}


def test_chat_rows_go_through_their_own_checks(tmp_path: Path) -> None:
    made = [*(chat(number) for number in range(60)), chat(0)]
    content = "".join(json.dumps(row) + "\n" for row in made).encode()
    with Preparation(put(tmp_path, content)) as preparation:
        report = preparation.examine()
        dataset = preparation.write(tmp_path)
        unchanged = preparation.write(tmp_path, NOTHING)
    assert (report.format, report.rows, report.kept, report.task) == (Format.CHAT, 61, 60, None)
    assert rows(dataset.train) == made[:60]
    assert rows(unchanged.train) == made


def test_a_chat_row_that_cannot_be_written_again_is_left_out(tmp_path: Path) -> None:
    made = [json.dumps(chat(number)) for number in range(20)]
    deep = json.dumps(chat(20, tools=0)).replace(": 0", ": " + "[" * 500 + "]" * 500)
    with Preparation(put(tmp_path, "\n".join([*made, deep]).encode())) as preparation:
        dataset = preparation.write(tmp_path)
    assert dataset.train_rows == 20
    assert [
        finding.lines for finding in dataset.report.findings if finding.check == "too-deep"
    ] == [(21,)]


def test_preferences_go_through_their_own_checks(tmp_path: Path) -> None:
    made = [
        {
            "input": {"messages": [{"role": "user", "content": question}]},
            "preferred_output": [{"role": "assistant", "content": answer}],
            "non_preferred_output": [{"role": "assistant", "content": f"{answer}?"}],
        }
        for question, answer in pairs(60)
    ]
    content = "".join(json.dumps(row) + "\n" for row in made).encode()
    with Preparation(put(tmp_path, content)) as preparation:
        report = preparation.examine()
        dataset = preparation.write(tmp_path, Choice(frozenset({"split"})))
    assert report.format is Format.PREFERENCE
    assert (dataset.train_rows, dataset.valid_rows) == (48, 12)
    assert sorted(map(json.dumps, rows(dataset.train) + rows(dataset.valid))) == sorted(
        map(json.dumps, made)
    )
