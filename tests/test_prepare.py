"""`tunebot prepare` on the command line."""

from __future__ import annotations

import json
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pexpect  # type: ignore[import-untyped]
import pytest
from click.testing import CliRunner, Result

from bot.cli import main

ROWS = [f"how do I open door {n},press {n * 7}" for n in range(20)]


@pytest.fixture
def faq(tmp_path: Path) -> Path:
    path = tmp_path / "faq.csv"
    path.write_text("\n".join(["prompt,completion", *ROWS, ROWS[0]]) + "\n")
    return path


def tunebot(folder: Path, *arguments: str) -> Result:
    """Run `tunebot prepare` with a database of the test's own."""
    environment = {"TUNEBOT_DATABASE": str(folder / "tunebot.db")}
    return CliRunner().invoke(main, ["prepare", *arguments], env=environment)


def kept(folder: Path) -> list[str]:
    """The datasets in the store."""
    with closing(sqlite3.connect(folder / "tunebot.db")) as db:
        return [name for (name,) in db.execute("SELECT name FROM datasets")]


def test_recommended_changes_are_done_and_the_dataset_is_kept(tmp_path: Path, faq: Path) -> None:
    result = tunebot(tmp_path, str(faq), "--yes")
    assert result.exit_code == 0
    assert "1 duplicate row" in result.output
    assert "Every prompt ends with ` ->`." in result.output
    written = (tmp_path / "faq_prepared.jsonl").read_text().splitlines()
    assert len(written) == 20
    assert json.loads(written[1]) == {"prompt": "1 ->", "completion": " 7\n"}
    assert kept(tmp_path) == ["faq"]


def test_check_reports_and_changes_nothing(tmp_path: Path, faq: Path) -> None:
    assert tunebot(tmp_path, str(faq), "--check").exit_code == 0
    assert [each.name for each in tmp_path.iterdir()] == ["faq.csv"]
    faq.write_text("one,two\n1,2\n")
    result = tunebot(tmp_path, str(faq), "--check")
    assert result.exit_code == 1
    assert "mend what is marked by ❌" in result.output


def test_machines_get_json(tmp_path: Path, faq: Path) -> None:
    told = json.loads(tunebot(tmp_path, str(faq), "--check", "--json").stdout)
    assert (told["rows"], told["kept"], told["separator"]) == (21, 20, " ->")
    assert any(each["remedy"] and each["lines"] == [22] for each in told["findings"])
    told = json.loads(tunebot(tmp_path, str(faq), "--yes", "--json").stdout)
    assert Path(told["dataset"]["training_file"]).exists()


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_without_a_person_it_says_how_to_go_on(
    tmp_path: Path, faq: Path, options: list[str]
) -> None:
    result = tunebot(tmp_path, str(faq), *options)
    assert result.exit_code == 2
    assert "add --yes or --check" in result.output


def test_file_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    result = tunebot(tmp_path, "nowhere.csv", "--check")
    assert result.exit_code == 1
    assert "tunebot: nowhere.csv: no such file." in result.output


def test_person_decides_on_each_change(tmp_path: Path, faq: Path) -> None:
    answers = {"duplicate row?": "n", "begin": "", "Remove": "n", "Add": "", "Split": ""}
    child = pexpect.spawn(
        sys.executable,
        ["-m", "bot", "prepare", str(faq)],
        env={"TUNEBOT_DATABASE": str(tmp_path / "tunebot.db"), "PATH": "/usr/bin", "TERM": "dumb"},
        cwd=str(Path.cwd()),
        encoding="utf-8",
        timeout=60,
        dimensions=(60, 200),
    )
    while child.expect([r"(\S[^\n]*\?) \[[yY]/[nN]\]: ", pexpect.EOF]) == 0:
        question = child.match.group(1)
        answer = next(value for word, value in answers.items() if word in question)
        child.sendline(answer)
    child.close()
    assert child.exitstatus == 0
    written = (tmp_path / "faq_prepared.jsonl").read_text().splitlines()
    assert len(written) == 21
    assert json.loads(written[1])["prompt"] == "how do I open door 1 ->"
