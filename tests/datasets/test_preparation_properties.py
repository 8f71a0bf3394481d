"""What holds for any training data: nothing is lost or changed but by a remedy that was chosen."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bot.datasets.checks import Choice
from bot.datasets.preparation import Dataset, Preparation, Report
from bot.datasets.reading import Problems, open_rows
from bot.errors import DatasetError
from tests.datasets.files import Pair, array, jsonl, table, workbook

# Few different pieces, so that rows often share beginnings, endings and all of their text.
PIECES = st.sampled_from(
    ["a", "b", "A", "B", " ", "\n", ".", " END", "END", " ->", "\n\n###\n\n", "Answer: ", "ß", "İ",
     "Σ", "***", "the longer beginning of a text", "word", "你好", "\\", '"', "/", "\u2028", "\x85"]
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=5).map("".join)
PAIRS = st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=14)
KEYS = [
    "drop-duplicates", "drop-long", "lower-prompt", "lower-completion", "add-separator",
    "cut-prompt-prefix", "cut-completion-prefix", "add-ending", "add-space", "split",
]  # fmt: skip
CHOICES = st.one_of(st.none(), st.frozensets(st.sampled_from(KEYS))).map(Choice)
quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def prepare(
    folder: Path, name: str, content: bytes, choice: Choice
) -> tuple[Report, Dataset | None]:
    """Prepare a file; no dataset where an obstacle stands in the way."""
    path = folder / name
    path.write_bytes(content)
    with Preparation(path) as preparation:
        report = preparation.examine(choice)
        return report, None if report.obstacles else preparation.write(folder, choice)


def written(dataset: Dataset) -> list[Pair]:
    """The prompts and completions in a dataset's files."""
    files = [dataset.train, *([dataset.valid] if dataset.valid else [])]
    rows = [json.loads(line) for file in files for line in file.read_bytes().split(b"\n")[:-1]]
    return [(row["prompt"], row["completion"]) for row in rows]


def useful(pairs: Sequence[Pair]) -> list[Pair]:
    """The pairs that have a completion."""
    return [pair for pair in pairs if pair[1].strip()]


@quick
@given(pairs=PAIRS)
def test_without_remedies_every_row_is_written_as_it_was(pairs: list[Pair]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        _, dataset = prepare(Path(folder), "a.jsonl", jsonl(pairs), Choice(frozenset()))
        if dataset:
            assert written(dataset) == useful(pairs)


@quick
@given(pairs=PAIRS, choice=CHOICES)
def test_rows_are_lost_and_changed_by_chosen_remedies_only(
    pairs: list[Pair], choice: Choice
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        report, dataset = prepare(Path(folder), "a.jsonl", jsonl(pairs), choice)
        if not dataset:
            return
        applied = {remedy.key for remedy in report.applied}
        got = written(dataset)
        if not applied & {"drop-duplicates", "drop-long"}:
            assert len(got) == len(useful(pairs))
        assert {pair[0] for pair in got} <= {pair[0] for pair in pairs} or applied & {
            "lower-prompt", "add-separator", "cut-prompt-prefix",
        }  # fmt: skip
        assert {pair[1] for pair in got} <= {pair[1] for pair in pairs} or applied & {
            "lower-completion", "cut-completion-prefix", "add-ending", "add-space",
        }  # fmt: skip
        assert all(pair[0].endswith(report.separator) for pair in got)
        assert all(pair[1].endswith(report.stop) for pair in got)
        assert all(pair[1].startswith(report.answer_prefix) for pair in got)
        assert dataset.train_rows + dataset.valid_rows == report.kept == len(got)


@settings(quick, max_examples=150)
@given(pairs=PAIRS)
@example(pairs=[("one", "x"), ("two", "X"), ("THREE", " x")])
@example(pairs=[("p", "Hello:a"), ("p", "Hello: a")])
@example(pairs=[("a" * 9_995, "b"), ("c", "d")])
@example(pairs=[("only one", "row")])
@example(pairs=[("", "worda"), ("", "wordb")])
@example(pairs=[("a", "b\u2028")])
@example(pairs=[("", " the same beginninga"), ("", "the same beginningb")])
@example(pairs=[("", "a END\n"), ("a", "a ENDa")])
@example(pairs=[("a", ".\nb"), ("c", ".\nd")])
def test_preparing_what_was_prepared_changes_nothing(pairs: list[Pair]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        _, first = prepare(Path(folder), "a.jsonl", jsonl(pairs), Choice())
        if not first:
            return
        whole = first.train.read_bytes() + (first.valid.read_bytes() if first.valid else b"")
        report, second = prepare(Path(folder), "again_prepared_train.jsonl", whole, Choice())
        assert second
        assert report.applied == ()
        assert second.train.read_bytes() == whole


@quick
@given(pairs=PAIRS, choice=CHOICES)
def test_a_report_depends_on_the_file_and_the_choice_only(
    pairs: list[Pair], choice: Choice
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.jsonl"
        path.write_bytes(jsonl(pairs))
        with Preparation(path) as one, Preparation(path) as other:
            one.examine()
            one.examine(Choice(frozenset({"lower-prompt"})))
            assert one.examine(choice) == other.examine(choice)


def read(path: Path) -> tuple[list[dict[str, object]], Problems]:
    """All rows of a file."""
    problems = Problems()
    source = open_rows(path, problems, lambda _: None)
    return [row for chunk in source.chunks for row in chunk.rows], problems


CELLS = st.text(
    st.characters(blacklist_categories=("Cs", "Cc"), whitelist_characters="\n\t,;|\"'"), max_size=12
).filter(lambda text: not text.startswith("="))  # openpyxl writes those as formulas
CELL_PAIRS = st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=10)


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("a.jsonl", jsonl),
        ("a.json", array),
        ("a.csv", table),
        ("a.tsv", lambda pairs: table(pairs, delimiter="\t")),
        ("semicolons.csv", lambda pairs: table(pairs, delimiter=";")),
        ("utf16.csv", lambda pairs: table(pairs).decode().encode("utf-16")),
        ("bom.csv", lambda pairs: b"\xef\xbb\xbf" + table(pairs)),
        ("a.xlsx", workbook),
    ],
)
def test_every_format_gives_back_what_was_written_in_it(
    tmp_path: Path, name: str, form: Callable[[Sequence[Pair]], bytes]
) -> None:
    @settings(quick, max_examples=10 if name == "a.xlsx" else 40)
    @given(pairs=CELL_PAIRS)
    def round_trip(pairs: list[Pair]) -> None:
        path = tmp_path / name
        path.write_bytes(form(pairs))
        rows, _ = read(path)
        wanted = [{"prompt": prompt, "completion": completion} for prompt, completion in pairs]
        if name == "a.xlsx":  # an empty row of a sheet is no row
            wanted = [row for row in wanted if any(row.values())]
        assert rows == wanted

    round_trip()


SCRAPS = st.sampled_from(
    [b"prompt,completion\n", b'{"prompt": "a", "completion": "b"}\n', b'"', b"{", b"[", b"]", b"}",
     b"\n", b"\r", b",", b";", b"\t", b"\0", b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", b"NaN",
     b'"\\ud800"', b"1e999", b"PK\x03\x04", b"\x1f\x8b", b'{"a": 1, "a": 2}', b"\xe4", b"null",
     b'{"messages": [{"role": "user", "content": null}]}\n', b'{"prompt": [1], "completion": {}}']
)  # fmt: skip
BYTES = st.lists(st.one_of(SCRAPS, st.binary(max_size=8)), max_size=12).map(b"".join)


@pytest.mark.parametrize("ending", ["csv", "tsv", "json", "jsonl", "txt", "xlsx", "dat"])
def test_any_bytes_give_a_report_or_a_sentence(tmp_path: Path, ending: str) -> None:
    @settings(quick, max_examples=50)
    @given(content=BYTES)
    def fuzz(content: bytes) -> None:
        path = tmp_path / f"a.{ending}"
        path.write_bytes(content)
        with Preparation(path) as preparation, suppress(DatasetError):
            report = preparation.examine()
            assert report.kept <= report.rows
            if not report.obstacles:
                dataset = preparation.write(tmp_path)
                dataset.train.unlink()
                if dataset.valid:
                    dataset.valid.unlink()

    fuzz()
