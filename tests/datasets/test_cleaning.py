"""Secrets, special tokens, near duplicates and length, in prompts and completions."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bot.datasets import near_duplicates
from bot.datasets.checks import Choice
from bot.datasets.findings import Finding, Weight
from bot.datasets.personal import KINDS, kinds_in
from bot.datasets.preparation import Preparation, Report
from tests.datasets.files import Pair, jsonl, labelled, pairs
from tests.datasets.test_personal import SECRETS
from tests.datasets.test_preparation_properties import prepare, useful, written

NOTHING = Choice(frozenset())
MASKS = frozenset(kind.remedy.key for kind in KINDS)
# The keys of remedies that are about what this file is about.
CLEANING = MASKS | {"strip-special"}
LEAVING = frozenset({"drop-near-duplicates", "drop-too-long"})


def prepared(
    folder: Path, made: list[Pair], choice: Choice | None = None, model: str = ""
) -> tuple[Report, list[Pair]]:
    """The report on a file, and what is written."""
    path = folder / "data.jsonl"
    path.write_bytes(jsonl(made))
    with Preparation(path, model=model) as preparation:
        report = preparation.examine(choice)
        return report, [] if report.obstacles else written(preparation.write(folder, choice))


def found(report: Report, check: str) -> Finding | None:
    """The finding of a check."""
    return next((finding for finding in report.findings if finding.check == check), None)


@pytest.mark.parametrize(("check", "secret"), SECRETS)
@pytest.mark.parametrize("column", [0, 1])
def test_secrets_are_found_and_masked_where_that_is_chosen(
    tmp_path: Path, check: str, secret: str, column: int
) -> None:
    made = pairs(20)
    made[3] = ("Tell me", f"It is {secret} Bye") if column else (f"It is {secret} Bye", "Well")
    report, left = prepared(tmp_path, made, Choice(MASKS))
    finding = found(report, check)
    assert finding
    assert (finding.lines, finding.count) == ((4,), 1)
    assert finding.remedy in report.applied
    assert secret not in repr(report)
    assert left[:3] + left[4:] == made[:3] + made[4:]
    assert left[3][column].startswith("It is [")
    _, as_it_was = prepared(tmp_path, made, NOTHING)
    assert as_it_was == made


def test_what_is_masked_is_judged_as_it_will_be(tmp_path: Path) -> None:
    keys = ["sk-" + f"a{number:02}B" * 6 for number in range(20)]
    made = [
        (f"{words}: {key}", answer) for key, (words, answer) in zip(keys, pairs(20), strict=True)
    ]
    report, left = prepared(tmp_path, [*made, (made[0][0].replace("a00B", "b11C"), made[0][1])])
    duplicates = found(report, "duplicates")
    assert duplicates
    assert duplicates.lines == (21,), "with their keys masked two rows are the same"
    assert report.separator == ": [API key]"
    assert all(prompt.endswith(": [API key]") for prompt, _ in left)


def test_a_special_token_that_ends_all_completions_makes_room_for_an_ending(tmp_path: Path) -> None:
    report, left = prepared(tmp_path, pairs(20, completion=" {} {}<|endoftext|>"))
    assert found(report, "special")
    assert report.stop == "\n"
    assert all(text.endswith("\n") and "<|" not in text for _, text in left)
    report, _ = prepared(tmp_path, pairs(20, completion=" {} {}<|endoftext|>"), NOTHING)
    assert report.stop == "<|endoftext|>"


def test_a_completion_of_nothing_but_special_tokens_goes(tmp_path: Path) -> None:
    made = [*pairs(20), ("What now?", " <|im_end|>")]
    assert len(prepared(tmp_path, made)[1]) == 20
    assert len(prepared(tmp_path, made, NOTHING)[1]) == 21
    report, _ = prepared(tmp_path, [("a", "<s>"), ("b", "</s>")])
    assert [obstacle.check for obstacle in report.obstacles] == ["none"]


def test_secrets_that_are_left_are_in_no_sentence(tmp_path: Path) -> None:
    secret = SECRETS[0][1]
    report, _ = prepared(tmp_path, pairs(20, prompt=secret + " {} {}"), NOTHING)
    assert found(report, "prompt-prefix")
    assert secret not in repr(report.findings)


@pytest.mark.parametrize(("model", "kept"), [("babbage-002", 20), ("gpt-4o-mini", 21), ("", 21)])
def test_examples_over_the_models_window_go(tmp_path: Path, model: str, kept: int) -> None:
    made = [*pairs(20), ("Why is that?", " " + "word " * 20_000)]
    report, left = prepared(tmp_path, made, Choice(LEAVING), model)
    assert bool(found(report, "too-long")) is (kept == 20)
    assert len(left) == report.kept == kept


def test_near_duplicates_are_offered_and_go_where_that_is_chosen(tmp_path: Path) -> None:
    asked = "Please tell me how I can cancel the order that I placed with you last week on Monday"
    made = [*pairs(20), (asked, "You cannot do that"), (asked + " please", "You cannot do that")]
    report, left = prepared(tmp_path, made, NOTHING)
    finding = found(report, "near-duplicate")
    assert finding
    assert finding.remedy
    assert (finding.lines, finding.remedy.weight) == ((22,), Weight.OFFERED)
    assert left == made
    assert prepared(tmp_path, made, Choice(LEAVING))[1] == made[:-1]


def test_what_near_duplicates_leave_is_judged_anew(tmp_path: Path) -> None:
    asked = "how can I cancel the order that I placed with you last week on Monday at noon"
    made = [*pairs(20, prompt="{} {} ->"), (f"Say {asked} ->", "No"), (f"Tell {asked}", "No")]
    report, _ = prepared(tmp_path, made, Choice(LEAVING))
    assert (report.kept, report.separator) == (21, " ->")


def test_the_first_examples_show_whether_there_are_near_duplicates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(near_duplicates, "MOST_LOOKED_AT", 10)
    twice = [(f"{text} and some more words", "Yes") for text, _ in pairs(30) for _ in range(2)]
    finding = found(prepared(tmp_path, twice, NOTHING)[0], "near-duplicate")
    assert finding
    assert finding.says.startswith("Among the first 10, 5 examples say")
    report, left = prepared(tmp_path, twice, Choice(LEAVING))
    assert len(left) == report.kept == 30


@pytest.mark.parametrize(("rows", "few"), [(9, True), (10, False)])
def test_fewer_than_openai_takes_are_told(tmp_path: Path, rows: int, *, few: bool) -> None:
    assert bool(found(prepared(tmp_path, pairs(rows))[0], "too-few")) is few


def test_a_split_shares_no_example_even_where_duplicates_stay(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_bytes(jsonl(labelled(40) + [(p.upper(), c) for p, c in labelled(40)[:30]]))
    for seed in range(5):
        with Preparation(path) as preparation:
            dataset = preparation.write(tmp_path, Choice(frozenset({"split"})), seed=seed)
        assert dataset.valid
        train, valid = (
            {line.casefold() for line in file.read_text().splitlines()}
            for file in (dataset.train, dataset.valid)
        )
        assert not train & valid


def test_where_everything_stands_twice_nothing_is_held_back(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_bytes(jsonl(labelled(20) * 2))
    with Preparation(path) as preparation:
        dataset = preparation.write(tmp_path, Choice(frozenset({"split"})))
    assert (dataset.train_rows, dataset.valid_rows, dataset.valid) == (40, 0, None)
    assert dataset.train.name == "data_prepared.jsonl"


PIECES = st.sampled_from(
    [*(secret for _, secret in SECRETS[::3]), SECRETS[-1][1], "4242424242424242", "1@b.co", "<s>",
     "</s>", "<|im_end|>", "[INST]", "sk-", "a1B2" * 6, "a", "B", " ", "\n", ".", " END", " ->",
     "Answer: ", "word", "ß", "SK-"]
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=5).map("".join)
PAIRS = st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=10)
CHOICES = st.none() | st.frozensets(
    st.sampled_from(sorted(CLEANING | LEAVING | {"drop-duplicates", "add-space", "add-ending"}))
)
quick = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@quick
@given(pairs=PAIRS, choice=CHOICES.map(Choice))
@example(pairs=[("a", "4242424242424242 1@b.co")], choice=Choice(CLEANING))
@example(pairs=[("a", "sk-<s>" + "a1B2" * 6)], choice=Choice(CLEANING))
def test_rows_change_by_chosen_remedies_only_and_nothing_told_holds_a_secret(
    pairs: list[Pair], choice: Choice
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        report, dataset = prepare(Path(folder), "a.jsonl", jsonl(pairs), choice)
        assert not [said for said in report.findings if kinds_in({"says": said.says})]
        if not dataset:
            return
        applied = {remedy.key for remedy in report.applied}
        before, after = useful(pairs), written(dataset)
        if not applied & (LEAVING | {"drop-duplicates", "strip-special"}):
            assert len(after) == len(before)
        if not applied & CLEANING:
            assert (
                {prompt for prompt, _ in after}
                <= {
                    prompt + report.separator * ("add-separator" in applied) for prompt, _ in before
                }
                or "cut-prompt-prefix" in applied
                or "lower-prompt" in applied
            )
        assert all(text.endswith(report.stop) for _, text in after)
        assert all(prompt.endswith(report.separator) for prompt, _ in after)


@quick
@given(pairs=PAIRS, everything=st.booleans())
@example(pairs=[("a", "4242424242424242 1@b.co")], everything=True)
@example(pairs=[("a", "sk-<s>" + "a1B2" * 6), ("b", "<<s>s>")], everything=False)
@example(pairs=[("<|IM_END|>A B", "A <|IM_END|>"), ("C", "D")], everything=False)
def test_what_was_cleaned_needs_no_more(pairs: list[Pair], *, everything: bool) -> None:
    recommended = frozenset({
        "drop-duplicates", "drop-long", "lower-prompt", "lower-completion", "add-separator",
        "cut-prompt-prefix", "cut-completion-prefix", "add-ending", "add-space",
    })  # fmt: skip
    choice = Choice(recommended | CLEANING | LEAVING) if everything else Choice()
    with tempfile.TemporaryDirectory() as folder:
        _, first = prepare(Path(folder), "a.jsonl", jsonl(pairs), choice)
        cuts = {"cut-prompt-prefix", "cut-completion-prefix"}
        if not first or cuts & {remedy.key for remedy in first.report.applied}:
            return  # where a beginning is cut, what stood behind it may look like a secret now
        whole = first.train.read_bytes() + (first.valid.read_bytes() if first.valid else b"")
        report, second = prepare(Path(folder), "again_prepared_train.jsonl", whole, choice)
        assert second
        assert report.applied == ()
        assert second.train.read_bytes() == whole
