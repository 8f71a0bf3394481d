"""Files of this machine that a person at the terminal names in a command."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adapters.terminal.attaching import attachment, named_file
from bot.ports import CommandInfo

START = CommandInfo("/finetune start", "FILE MODEL", "", operator=True, takes_file=True)
HELP = CommandInfo("/help", "[COMMAND]", "", operator=False)


@pytest.mark.parametrize(
    ("typed", "left"),
    [
        ("/finetune start {file} davinci-002 --yes", "/finetune start davinci-002 --yes"),
        ("/Finetune Start {file}", "/finetune start"),
        ("/finetune start '{file}' davinci-002", "/finetune start davinci-002"),
    ],
)
def test_file_goes_with_the_command_that_names_it(tmp_path: Path, typed: str, left: str) -> None:
    file = tmp_path / "faq.csv"
    file.write_text("a,b\n")
    assert named_file(typed.format(file=file), [HELP, START]) == (left, file)


@pytest.mark.parametrize(
    "typed", ["/finetune start faq davinci-002", "/help {file}", "{file}", "/finetune start", ""]
)
def test_what_names_no_file_stays_as_it_was_typed(tmp_path: Path, typed: str) -> None:
    file = tmp_path / "faq.csv"
    file.write_text("a,b\n")
    text = typed.format(file=file)
    assert named_file(text, [HELP, START]) == (text, None)


def test_name_with_blanks_is_a_file_too(tmp_path: Path) -> None:
    file = tmp_path / "my faq.csv"
    file.write_text("a,b\n")
    assert named_file(f"/finetune start {file}", [START]) == ("/finetune start", file)


def test_copy_keeps_its_name_and_lies_with_the_core(tmp_path: Path) -> None:
    file, folder = tmp_path / "faq.csv", tmp_path / "files"
    file.write_text("a,b\n")
    folder.mkdir()
    made = attachment(file, folder)
    assert (made.name, made.media_type, made.size) == ("faq.csv", "text/csv", 4)
    assert Path(made.path).parent == folder
    assert Path(made.path).read_text() == "a,b\n"


@given(st.text())
@example("~nobody/faq.csv")
def test_nothing_that_is_typed_is_an_error(text: str) -> None:
    assert named_file(f"/finetune start {text}", [START])[0]
