"""The fifteen checks of prompts and completions, each by a table."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.datasets.checks import Choice
from bot.datasets.endings import LAST_ENDING, LAST_SEPARATOR, SEPARATORS
from bot.datasets.findings import Finding, Level, Weight
from bot.datasets.preparation import Preparation, Report
from bot.datasets.selection import Task
from tests.datasets.files import Pair, jsonl, labelled, pairs, table

PLAIN = pairs(12)


def report(folder: Path, content: bytes, choice: Choice | None = None, name: str = "") -> Report:
    """What is said about a file."""
    path = folder / (name or "a.jsonl")
    path.write_bytes(content)
    with Preparation(path) as preparation:
        return preparation.examine(choice)


def said(report: Report, check: str) -> Finding | None:
    """The finding of a check, None where it has nothing to say."""
    found = [finding for finding in report.findings if finding.check == check]
    assert len(found) <= 1
    return found[0] if found else None


def remedy(report: Report, check: str) -> str:
    """What is offered by a check, "" for nothing."""
    finding = said(report, check)
    return finding.remedy.says if finding and finding.remedy else ""


@pytest.mark.parametrize(("rows", "advised"), [(99, True), (100, False)])
def test_1_few_examples_are_told(tmp_path: Path, rows: int, advised: bool) -> None:
    finding = said(report(tmp_path, jsonl(pairs(rows))), "count")
    assert finding
    assert ("A few hundred" in finding.says) is advised


@pytest.mark.parametrize(
    ("header", "renamed", "missing"),
    [
        (("prompt", "completion"), False, []),
        (("Prompt", "COMPLETION"), True, []),
        (("Question", "Answer"), True, []),
        (("input", "output"), True, []),
        (("instruction", "response"), True, []),
        (("text", "Label"), True, []),
        (("one", "completion"), False, ["prompt"]),
        (("prompt", "two"), False, ["completion"]),
        (("one", "two"), False, ["prompt", "completion"]),
    ],
)
def test_2_and_3_columns_are_found_by_their_names(
    tmp_path: Path,
    header: Pair,
    renamed: bool,
    missing: list[str],
) -> None:
    found = report(tmp_path, table(PLAIN, *header), name="a.csv")
    for name, wanted in zip(header, ("prompt", "completion"), strict=True):
        offered = f"Rename “{name}” to “{wanted}”" if renamed else ""
        assert remedy(found, f"column-{wanted}") == offered
    assert [finding.check for finding in found.obstacles] == [f"column-{each}" for each in missing]


def test_2_and_3_a_column_that_is_named_right_further_down_counts(tmp_path: Path) -> None:
    content = b'{"Prompt": "a", "completion": "b"}\n{"prompt": "c", "completion": "d"}\n'
    found = report(tmp_path, content)
    assert not said(found, "column-prompt")
    assert "Prompt" in remedy(found, "extra-columns")


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (("prompt", "completion"), ""),
        (("prompt", "completion", "id"), "not: id."),
        (("prompt", "system", "completion"), '{"role": "system", "content": …}'),
        (("question", "prompt", "completion"), "not: question."),
    ],
)
def test_4_other_columns_are_left_out(tmp_path: Path, names: tuple[str, ...], says: str) -> None:
    rows = [[f"{name} {number}" for name in names] for number in range(3)]
    finding = said(report(tmp_path, table(rows, *names), name="a.csv"), "extra-columns")
    assert (finding is not None) is bool(says)
    assert says in (finding.says if finding else "")


@pytest.mark.parametrize(
    ("names", "joined"),
    [
        (("instruction", "input", "output"), "input"),
        (("Instruction", "Context", "Response"), "Context"),
        (("prompt", "input", "completion"), ""),
        (("input", "context", "output"), ""),
    ],
)
def test_2_an_instruction_and_what_it_is_about_are_one_prompt(
    tmp_path: Path, names: tuple[str, ...], joined: str
) -> None:
    made = [(f"Do {prompt}", "" if i % 2 else f"with {i}", text)
            for i, (prompt, text) in enumerate(PLAIN)]  # fmt: skip
    path = tmp_path / "a.csv"
    path.write_bytes(table(made, *names))
    with Preparation(path) as preparation:
        found = preparation.examine(Choice(frozenset()))
        rows = preparation.write(tmp_path, found.choice).train.read_text("utf-8").splitlines()
    prompts = [json.loads(row)["prompt"] for row in rows]
    assert bool(said(found, "extra-columns")) is not bool(joined)
    if joined:
        offered = f"Join “{names[0]}” and “{joined}” to “prompt”"
        assert remedy(found, "column-prompt") == offered
        assert prompts == [f"{what}\n\n{more}" if more else what for what, more, _ in made]
    else:
        assert prompts == [what for what, _, _ in made]


@pytest.mark.parametrize("completion", ["", " ", "\n\t"])
def test_5_empty_completions_are_dropped(tmp_path: Path, completion: str) -> None:
    found = report(tmp_path, jsonl([*PLAIN, ("a", completion), ("b", completion)]))
    assert remedy(found, "empty-completion") == "Remove 2 rows without completion"
    assert (found.rows, found.kept) == (14, 12)
    finding = said(found, "empty-completion")
    assert finding
    assert (finding.lines, finding.count) == ((13, 14), 2)


@pytest.mark.parametrize(
    ("row", "check"),
    [
        (b'{"completion": "b"}', "no-prompt"),
        (b'{"prompt": null, "completion": "b"}', "no-prompt"),
        (b'{"prompt": 5, "completion": "b"}', "number"),
        (b'{"prompt": ["a"], "completion": "b"}', "no-text"),
        (b'{"prompt": "a", "completion": null}', "empty-completion"),
        (b'{"prompt": "a"}', "empty-completion"),
    ],
)
def test_what_is_no_text_is_told_with_its_line(tmp_path: Path, row: bytes, check: str) -> None:
    finding = said(report(tmp_path, jsonl(PLAIN) + row), check)
    assert finding
    assert (finding.lines, finding.count) == ((13,), 1)


@pytest.mark.parametrize(
    ("made", "task"),
    [
        ([("", completion) for _, completion in PLAIN], Task.OPEN),
        ([*(("", completion) for _, completion in PLAIN), ("a", "b")], Task.CONDITIONAL),
        (PLAIN, Task.CONDITIONAL),
        (labelled(9), Task.CONDITIONAL),  # three classes of three rows
        (labelled(10), Task.CLASSIFICATION),
    ],
)
def test_6_the_task_is_seen(tmp_path: Path, made: list[Pair], task: Task) -> None:
    assert report(tmp_path, jsonl(made)).task is task


@pytest.mark.parametrize(
    ("more", "lines"),
    [
        ([], ()),
        (PLAIN[:2], (13, 14)),
        ([(PLAIN[0][0], "else")], ()),
        ([(PLAIN[0][0], f" {PLAIN[0][1]}")], (13,)),  # will be the same with its space
    ],
)
def test_7_duplicates_are_found(tmp_path: Path, more: list[Pair], lines: tuple[int, ...]) -> None:
    found = report(tmp_path, jsonl([*PLAIN, *more]))
    finding = said(found, "duplicates")
    assert (finding.lines if finding else ()) == lines
    assert found.kept == 12 + len(more) - len(lines)


@pytest.mark.parametrize(
    ("pair", "long"),
    [
        (("a" * 9_998, "bc"), False),
        (("a" * 9_998, "bcd"), True),
        (("a" * 9_998 + " ->", " bc END"), False),  # what preparation adds does not count
    ],
)
def test_8_long_rows_are_found(tmp_path: Path, pair: Pair, long: bool) -> None:
    found = report(tmp_path, jsonl([*PLAIN, pair]))
    assert remedy(found, "long") == ("Remove 1 long row" if long else "")
    texts = [("", completion) for _, completion in [*PLAIN, ("", "a" * 20_000)]]
    assert not said(report(tmp_path, jsonl(texts)), "long"), "open-ended texts may be long"


@pytest.mark.parametrize(("upper", "offered"), [("AAA bbbbb", True), ("AA bbbb", False)])
@pytest.mark.parametrize("column", ["prompt", "completion"])
def test_9_and_10_capitals_are_found(
    tmp_path: Path,
    column: str,
    upper: str,
    offered: bool,
) -> None:
    made = [(f"{i} {upper}", f"{i} abc") for i in range(12)]
    if column == "completion":
        made = [(completion, prompt) for prompt, completion in made]
    assert bool(remedy(report(tmp_path, jsonl(made)), f"upper-case-{column}")) is offered


@pytest.mark.parametrize(
    ("prompt", "suggested"),
    [
        ("{} {}", " ->"),
        ("{}\n{}", "\n\n###\n\n"),
        ("{} -> {}", "\n\n###\n\n"),
        ("{}\n\n###\n\n{}", "\n\n===\n\n"),
        ("{}\n\n###\n\n\n\n===\n\n{}", "\n\n---\n\n"),
        ("{}" + "".join(SEPARATORS) + "{}", LAST_SEPARATOR),
        ("{} {} ->", ""),
        ("{} {}?", ""),
    ],
)
def test_11_prompts_get_a_separator_that_none_contains(
    tmp_path: Path, prompt: str, suggested: str
) -> None:
    found = report(tmp_path, jsonl(pairs(30, prompt)))
    assert bool(remedy(found, "separator")) is bool(suggested)
    assert found.separator == (suggested or prompt.rsplit("}", 1)[1])


@pytest.mark.parametrize(
    ("prompt", "level", "inside"),
    [
        ("{} {} ->", Level.NOTE, 0),
        ("{} {} and this is it", Level.WARNING, 0),
        ("{} -> {} ->", Level.NOTE, 30),
    ],
)  # fmt: skip
def test_11_a_separator_that_is_there_is_judged(
    tmp_path: Path, prompt: str, level: Level, inside: int
) -> None:
    found = report(tmp_path, jsonl(pairs(30, prompt)))
    separator, repeated = said(found, "separator"), said(found, "separator-inside")
    assert separator
    assert separator.level is level
    assert (repeated.count if repeated else 0) == inside


@pytest.mark.parametrize(
    ("prompt", "removable"),
    [("Question: {} {}", False), ("Questions : {} {}", False), ("The question: {} {}", True)],
)
def test_12_a_long_prefix_of_prompts_is_removed(
    tmp_path: Path,
    prompt: str,
    removable: bool,
) -> None:
    found = report(tmp_path, jsonl(pairs(100, prompt)))
    assert said(found, "prompt-prefix")
    assert bool(remedy(found, "prompt-prefix")) is removable


@pytest.mark.parametrize(
    ("completion", "written", "offered"),
    [
        ("x: {}{}", " x: ", False),
        ("Tell: {}{}", " ", True),
        (" Tell: {}{}", " ", True),
        ("Tell:\n{}{}", " ", True),
    ],
)
def test_13_a_prefix_of_completions_is_removed_and_one_space_stays(
    tmp_path: Path,
    completion: str,
    written: str,
    offered: bool,
) -> None:
    made = [(prompt, completion.format(chr(97 + i), i)) for i, (prompt, _) in enumerate(PLAIN)]
    (tmp_path / "a.jsonl").write_bytes(jsonl(made))
    with Preparation(tmp_path / "a.jsonl") as preparation:
        assert bool(remedy(preparation.examine(), "completion-prefix")) is offered
        first = preparation.write(tmp_path).train.read_text("utf-8").splitlines()[0]
    assert f'"completion":"{written}a0' in first


def test_13_a_prefix_stays_where_a_completion_is_nothing_else(tmp_path: Path) -> None:
    found = report(tmp_path, jsonl([*pairs(20, completion="Answer: {} {}"), ("a b", "Answer: ")]))
    finding = said(found, "completion-prefix")
    assert finding
    assert finding.remedy is None


@pytest.mark.parametrize(
    ("completion", "suggested"),
    [
        ("{} {}", "\n"),
        ("{}\n{}", "."),
        ("{}.\n{}", " END"),
        ("{}.\n END {}", "***"),
        ("END.\n {} {}", "***"),  # with its space it will contain " END"
        ("{}.\n END***+++&&&$$$@@@{}", "%%%"),
        ("{}.\n END***+++&&&$$$@@@%%%{}", LAST_ENDING),
        ("{} {} END", ""),
    ],
)
def test_14_completions_get_an_ending_that_none_contains(
    tmp_path: Path, completion: str, suggested: str
) -> None:
    found = report(tmp_path, jsonl(pairs(30, completion=completion)))
    assert bool(remedy(found, "ending")) is bool(suggested)
    assert found.stop == (suggested or " END")


def test_14_labels_need_no_ending_and_parts_of_words_are_none(tmp_path: Path) -> None:
    found = report(tmp_path, jsonl(labelled(40, ["positive", "negative"])))
    assert (said(found, "ending"), found.stop) == (None, "")
    ended = report(tmp_path, jsonl(labelled(40, [" positive\n", " negative\n"])))
    assert ended.stop == "\n"


@pytest.mark.parametrize(
    ("made", "check"),
    [
        ([("same", completion) for _, completion in PLAIN], "identical-prompts"),
        ([("one", "x"), ("two", "x")], "identical-completions"),
        ([("one", "x"), ("two", " x")], "identical-completions"),
    ],
)
def test_11_and_14_what_is_all_the_same_cannot_be_learned(
    tmp_path: Path, made: list[Pair], check: str
) -> None:
    found = report(tmp_path, jsonl(made))
    assert [finding.check for finding in found.obstacles] == [check]


@pytest.mark.parametrize(("completion", "offered"), [("{} {}", True), (" {} {}", False)])
def test_15_completions_begin_with_a_space(
    tmp_path: Path,
    completion: str,
    offered: bool,
) -> None:
    found = report(tmp_path, jsonl(pairs(20, completion=completion)))
    assert bool(remedy(found, "leading-space")) is offered
    assert found.answer_prefix == " "
    assert report(tmp_path, jsonl(PLAIN), Choice(frozenset())).answer_prefix == ""


@pytest.mark.parametrize(
    ("made", "name", "weight"),
    [
        (labelled(40), "a.jsonl", Weight.RECOMMENDED),
        (labelled(40), "a_prepared_train.jsonl", Weight.OFFERED),
        (PLAIN, "a.jsonl", Weight.OFFERED),
        (PLAIN[:9], "a.jsonl", None),
    ],
)
def test_a_split_is_offered_where_it_shows_something(
    tmp_path: Path, made: list[Pair], name: str, weight: Weight | None
) -> None:
    finding = said(report(tmp_path, jsonl(made), name=name), "split")
    assert (finding.remedy.weight if finding and finding.remedy else None) is weight
