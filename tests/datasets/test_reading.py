"""Reading: every file gives rows or a sentence, and what is wrong with a line is said with it."""

from __future__ import annotations

import json
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from bot.datasets.reading import Problems, jsonvalues, open_rows
from bot.datasets.reading.delimited import delimiter_of
from bot.datasets.reading.kind import Kind
from bot.errors import DatasetError
from tests.datasets.files import jsonl, pairs, table, workbook
from tests.shared import FOLDER

A_B = b"prompt,completion\na,b\n"
ROW = {"prompt": "a", "completion": "b"}
RUSSIAN = "Как мне вернуть товар который я купил вчера в вашем магазине? Он не работает."
HALF = b'{"prompt": "\\ud800", "completion": "b"}\n'
LINE = b'{"prompt": "a", "completion": "b"}\n'
NUL = b'{"prompt": "\\u0000", "completion": "b"}\n'
DEEP = b"[" * 600 + b"]" * 600
CHAT = b'{"messages": [{"role": "user", "content": "Is it 9:30?"}]}\n'


def read(path: Path) -> tuple[list[tuple[int, dict[str, Any]]], Problems, Kind]:
    """All rows of a file with their lines."""
    problems = Problems()
    source = open_rows(path, problems, lambda _: None)
    rows = [row for chunk in source.chunks for row in zip(chunk.lines, chunk.rows, strict=True)]
    return rows, problems, source.kind


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a file is put."""
    return tmp_path


@pytest.mark.parametrize(
    ("name", "content", "rows"),
    [
        ("a.csv", A_B, [(2, ROW)]),
        ("a.csv", b"\xef\xbb\xbf" + A_B, [(2, ROW)]),
        ("a.csv", A_B.decode().encode("utf-16"), [(2, ROW)]),
        ("a.csv", A_B.decode().encode("utf-16-be"), [(2, ROW)]),
        ("a.csv", A_B.decode().encode("utf-32"), [(2, ROW)]),
        ("a.csv", b"prompt;completion\na;b\n", [(2, ROW)]),
        ("a.csv", b"prompt\tcompletion\na\tb\n", [(2, ROW)]),
        ("a.csv", b"prompt|completion\r\na|b\r\n", [(2, ROW)]),
        ("a.csv", b"prompt,completion\ra,b\r", [(2, ROW)]),
        ("a.csv", b"\n\nprompt,completion\n\na,b", [(5, ROW)]),
        ("a.csv", b'prompt,completion\n"a\n""x""",b\nc,d\n',
         [(2, {"prompt": 'a\n"x"', "completion": "b"}), (4, {"prompt": "c", "completion": "d"})]),
        ("a.csv", b"prompt,completion,prompt,\na,b,c,d\n",
         [(2, {**ROW, "prompt (3)": "c", "column 4": "d"})]),
        ("a.csv", b"prompt,completion,,\na,b,,,,\n",
         [(2, {**ROW, "column 3": "", "column 4": ""})]),
        ("a.csv", "prompt,completion\ncaf\u00e9,b\n".encode("cp1252"),
         [(2, {"prompt": "caf\u00e9", "completion": "b"})]),
        ("a.csv", f"prompt,completion\n{RUSSIAN},b\n".encode("cp1251"),
         [(2, {"prompt": RUSSIAN, "completion": "b"})]),
        ("a.csv", LINE, [(1, ROW)]),
        ("a.txt", LINE * 2, [(1, ROW), (2, ROW)]),
        ("a", LINE, [(1, ROW)]),
        ("a.jsonl", A_B, [(2, ROW)]),
        ("a.jsonl", LINE.strip(), [(1, ROW)]),
        ("a.jsonl", b"\n" + LINE.replace(b"\n", b"\r\n") + b"\n" + LINE, [(2, ROW), (4, ROW)]),
        ("a.jsonl", LINE.decode().encode("utf-16"), [(1, ROW)]),
        ("a.jsonl", b"[" + LINE + b"]", [(1, ROW)]),
        ("a.jsonl", json.dumps(ROW, indent=1).encode() * 2, [(1, ROW), (4, ROW)]),
        ("a.json", b"[\n\n" + LINE + b",\n" + LINE + b"]\n", [(3, ROW), (5, ROW)]),
        ("a.json", b'{"prompt": ["a"], "completion": ["b"]}', [(1, ROW)]),
        ("a.json", b'{"prompt": {"0": "a"}, "completion": {"0": "b"}}', [(1, ROW)]),
        ("a.json", LINE, [(1, ROW)]),
        ("a.json", b"[]", []),
        ("a.txt", b"a\n\nb",
         [(i, {"prompt": "", "completion": c}) for i, c in enumerate(("a", "", "b"), 1)]),
        ("a.xlsx", workbook([("a", "b")]), [(2, ROW)]),
        ("a.csv", workbook([("a", "b")]), [(2, ROW)]),
        ("a.xlsx", workbook([(), (1, 2.5), (True, None)]),
         [(3, {"prompt": "1", "completion": "2.5"}), (4, {"prompt": "True", "completion": ""})]),
    ],
)  # fmt: skip
def test_rows_are_read_with_the_line_where_they_begin(
    path: Path, name: str, content: bytes, rows: list[tuple[int, dict[str, str]]]
) -> None:
    (path / name).write_bytes(content)
    assert read(path / name)[0] == rows


@pytest.mark.parametrize(
    ("name", "content", "left", "key", "lines"),
    [
        ("a.csv", A_B + b"c,d,e\n", 1, "long-row", (3,)),
        ("a.csv", A_B + b"c\n", 2, "short-row", (3,)),
        ("a.csv", A_B + b"c\0,d\n", 2, "nul", (3,)),
        ("a.csv", A_B + "ß,ß\n".encode() + b"c\xff,d\n", 3, "lost-character", (4,)),
        ("a.jsonl", LINE + b'{"prompt": "a", \n' + LINE, 2, "not-json", (2,)),
        ("a.jsonl", b"{\n" + LINE, 1, "not-json", (1,)),
        ("a.jsonl", LINE + b"[1]\n", 1, "not-object", (2,)),
        ("a.jsonl", LINE + b'{"prompt": "a", "prompt": "b"}\n', 2, "key-twice", (2,)),
        ("a.jsonl", CHAT + CHAT.replace(b"}]", b', "role": "user"}]'), 2, "key-twice", (2,)),
        ("a.jsonl", LINE + b'{"prompt": "a", "completion": NaN}\n', 2, "not-finite", (2,)),
        ("a.jsonl", LINE + HALF, 2, "lost-character", (2,)),
        ("a.jsonl", LINE + NUL, 2, "nul", (2,)),
        ("a.jsonl", LINE + "{'ß'}\n".encode() + b'{"prompt": "\xff"}\n', 1, "not-utf8", (3,)),
        ("a.jsonl", LINE + b"[" * 100_000 + b"\n", 1, "not-json", (2,)),
        ("a.jsonl", NUL + b'{"prompt": ' + DEEP + b"}\n", 1, "too-deep", (2,)),
        ("a.json", b"[" + LINE + b',{"prompt": ' + DEEP + b"}]", 1, "too-deep", (2,)),
        ("a.json", b"[\n1,\n" + LINE + b"]", 1, "not-object", (2,)),
        ("a.json", b'[{"a": 1,\n "a": Infinity}]', 1, "key-twice", (1,)),
        ("a.json", b'[{"messages": [{"role": "user", "role": "user"}]}]', 1, "key-twice", (1,)),
        ("a.xlsx", workbook([("a", "b", "c")]), 0, "long-row", (2,)),
    ],
)
def test_what_is_wrong_with_a_line_is_said_with_the_line(
    path: Path, name: str, content: bytes, left: int, key: str, lines: tuple[int, ...]
) -> None:
    (path / name).write_bytes(content)
    rows, problems, _ = read(path / name)
    assert len(rows) == left
    (found,) = [each for each in problems.findings() if each.check == key]
    assert (found.lines, found.count) == (lines, 1)
    assert f"line {lines[0]}" in found.says


HUGE = b"x" * 1_000_001


@pytest.mark.parametrize(
    ("name", "content", "says", "line"),
    [
        ("a.csv", b"", "is empty", 0),
        ("a.jsonl", b"\xef\xbb\xbf \r\n\n", "is empty", 0),
        ("a.csv", A_B + b'c,"d\ne,f\n' * 1 + b"g,h\n", "mark in line 3 is never closed", 3),
        ("a.csv", A_B + HUGE + b",b\n", "Line 3 has a cell of", 3),
        ("a.jsonl", LINE + b'{"prompt": "%b"}' % HUGE, "Line 2 has a cell of", 2),
        ("a.json", b"[\n" + b'{"prompt": "%b"}' % HUGE + b"]", "Line 2 has a cell of", 2),
        ("a.txt", b"a\n" + HUGE, "Line 2 has a cell of", 2),
        ("a.jsonl", LINE + b"x" * 8_000_001, "Line 2 is over 8 MB", 2),
        ("a.csv", b"a," * 1001 + b"\n", "Line 1 has 1,002 columns", 1),
        ("a.json", b'[\n{"a": 1}', "Line 2 is no valid JSON: the array is never closed", 2),
        ("a.json", b'[\n{"a": 1}\n{"a" 1}]', "Line 3 is no valid JSON", 3),
        ("a.json", b"[]\n]", "after the end of the array", 2),
        ("a.json", b'{"prompt": ["a", "b"], "completion": []}', "has 2, completion has 0", 1),
        ("a.json", b"[" * 100_000, "too deep", 1),
        ("a.xlsx", b"PK\x03\x04 no archive", "damaged", 0),
        ("a.csv", b"\x1f\x8b\x08", "gzip", 0),
        ("a.xls", b"\xd0\xcf\x11\xe0\xa1", "Save it as .xlsx", 0),
        ("a.pdf", b"%PDF-1.4", "PDF", 0),
        ("a.csv", bytes(range(256)) * 20, "no text", 0),
        ("a.doc", b"some words", "is no .jsonl, .json, .csv", 0),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_sentence(
    path: Path, name: str, content: bytes, says: str, line: int
) -> None:
    (path / name).write_bytes(content)
    with pytest.raises(DatasetError, match=says) as refused:
        read(path / name)
    assert refused.value.line == line


def test_a_file_that_is_not_there_is_refused(path: Path) -> None:
    with pytest.raises(DatasetError, match="cannot be opened: No such file"):
        read(path / "nothing.csv")


def test_a_workbook_that_would_fill_memory_is_refused(path: Path) -> None:
    with zipfile.ZipFile(path / "a.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        with archive.open("xl/sharedStrings.xml", "w") as part:
            for _ in range(201):
                part.write(bytes(1_000_000))
    assert (path / "a.xlsx").stat().st_size < 1_000_000
    with pytest.raises(DatasetError, match="unpacks to 201 MB"):
        read(path / "a.xlsx")


def test_a_sheet_that_says_it_is_endless_is_refused(path: Path) -> None:
    whole = path / "whole.xlsx"
    whole.write_bytes(workbook([("a", "b")]))
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(path / "a.xlsx", "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name.endswith("sheet1.xml"):
                content = content.replace(b'<row r="2"', b'<row r="99999999999"')
                content = content.replace(b'r="A2"', b'r="A99999999999"')
            target.writestr(name, content)
    with pytest.raises(DatasetError, match=r"more than 1,048,576 rows|damaged"):
        read(path / "a.xlsx")


@pytest.mark.parametrize(
    ("name", "content", "notes"),
    [
        ("a.jsonl", LINE, []),
        ("a.json", b"[" + LINE + b"]", ["format"]),
        ("a.csv", LINE, ["name", "format"]),
        ("a.jsonl", LINE.decode().encode("utf-16"), ["format"]),
        ("a.csv", "prompt,completion\ncaf\u00e9,b".encode("latin-1"), ["encoding", "format"]),
    ],
)
def test_a_file_that_is_not_what_it_seems_gets_a_note(
    path: Path, name: str, content: bytes, notes: list[str]
) -> None:
    (path / name).write_bytes(content)
    source = open_rows(path / name, Problems(), lambda _: None)
    assert [note.check for note in source.notes] == notes


def test_progress_goes_from_nothing_to_all(path: Path) -> None:
    (path / "a.jsonl").write_bytes(jsonl(pairs(20_000)))
    seen: list[float] = []
    for _ in open_rows(path / "a.jsonl", Problems(), seen.append).chunks:
        pass
    assert seen == sorted(seen)
    assert 0 < seen[0] < 1 == seen[-1]


def test_a_delimiter_is_what_cuts_all_lines_alike() -> None:
    assert delimiter_of(["a;b", "1,5;2", "1;2,5"]) == ";"
    assert delimiter_of(["a,b;c", "1,2;3", "1,2"]) == ","
    assert delimiter_of(["a"], tabs=True) == "\t"


@pytest.mark.parametrize("folder", ["tabular", "json", "strings"])
def test_every_hostile_file_gives_rows_or_a_sentence(folder: str) -> None:
    if not (FOLDER / "data" / folder).exists():
        pytest.skip(f"../shared/data/{folder} is not here")
    read_well = 0
    for file in (FOLDER / "data" / folder).iterdir():
        with suppress(DatasetError):
            rows, problems, _ = read(file)
            read_well += bool(rows or problems.findings())
    assert read_well


def test_csv_spectrum_is_read_as_its_authors_mean_it() -> None:
    folder = FOLDER / "data/tabular"
    if not folder.exists():
        pytest.skip("../shared/data/tabular is not here")
    read_rows = {
        name: [row for _, row in read(folder / f"spectrum_{name}.csv")[0]]
        for name in ("escaped_quotes", "newlines_crlf", "utf8", "json", "comma_in_quotes")
    }
    assert read_rows["escaped_quotes"] == [{"a": "1", "b": 'ha "ha" ha'}, {"a": "3", "b": "4"}]
    assert read_rows["newlines_crlf"][1] == {"a": "Once upon \r\na time", "b": "5", "c": "6"}
    assert read_rows["utf8"][1]["c"] == "ʤ"
    assert json.loads(read_rows["json"][0]["val"])["coordinates"] == [102.0, 0.5]
    assert read_rows["comma_in_quotes"][0]["city"] == "Anytown, WW"


def test_every_case_of_the_json_test_suite_is_a_row_or_a_problem(path: Path) -> None:
    suite = FOLDER / "data/json/json_test_suite_parsing.json"
    if not suite.exists():
        pytest.skip("../shared/data/json is not here")
    for case in json.loads(suite.read_text("utf-8")):
        if not isinstance(case.get("input"), str):
            continue
        line = '{"prompt": "a", "completion": ' + case["input"].replace("\n", " ") + "}\n"
        raw = line.encode("utf-8", "surrogatepass")
        (path / "a.jsonl").write_bytes(LINE + raw + LINE)
        rows, problems, _ = read(path / "a.jsonl")
        assert len(rows) + problems.dropped in {2, 3}, case["name"]
        if case["name"].startswith("y_"):
            assert not problems.dropped, case["name"]


def test_a_long_table_is_read_in_little_memory(path: Path) -> None:
    import tracemalloc  # noqa: PLC0415  slows everything down, hence only here

    (path / "a.csv").write_bytes(table(pairs(30_000)))
    tracemalloc.start()
    try:
        chunks = open_rows(path / "a.csv", Problems(), lambda _: None).chunks
        count = sum(len(chunk.rows) for chunk in chunks)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert count == 30_000
    assert most < 8_000_000


def test_columns_that_would_fill_the_memory_are_a_sentence(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jsonvalues, "MOST_COLUMN_BYTES", 3_000_000)
    column = ["word " * 200] * 3_000
    (path / "a.json").write_text(json.dumps({"prompt": column, "completion": column}))
    with pytest.raises(DatasetError, match="over 3 MB long"):
        read(path / "a.json")
    (path / "b.json").write_text(json.dumps({"prompt": column[:500], "completion": column[:500]}))
    assert len(read(path / "b.json")[0]) == 500


def test_columns_without_rows_are_no_rows(path: Path) -> None:
    (path / "a.json").write_text('{"prompt": [], "completion": []}')
    assert read(path / "a.json")[0] == []
