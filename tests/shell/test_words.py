"""What words of a shell mean, and what of a card can be shown on one."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import CommandError
from bot.messages import Document
from bot.shell.screen import printable, saved, styled
from bot.shell.words import confirmed, typed


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ([], "/finetune"),
        (["list"], "/finetune list"),
        (["start", "my data", "davinci-002"], "/finetune start 'my data' davinci-002"),
        (["try", "last", "who", "are you?"], "/finetune try last who are you?"),
        (["prepare", "3", "-drop-long"], "/finetune prepare 3 -drop-long"),
        (["prepare", "a  b", "--as", "chat"], "/finetune prepare 'a  b' --as chat"),
        (["delete", "ft:davinci-002:a::b"], "/finetune delete ft:davinci-002:a::b"),
    ],
)
def test_words_are_the_command_of_the_chat(words: list[str], text: str) -> None:
    assert typed(words).text == text
    assert typed(words).file is None


def test_file_goes_with_prepare_and_start_alone(tmp_path: Path) -> None:
    path = tmp_path / "faq.csv"
    path.touch()
    assert typed(["prepare", str(path)]).file == path
    started = typed(["start", str(path), "m", "--epochs", "3"], yes=True)
    assert (started.text, started.file) == ("/finetune start m --epochs 3 --yes", path)
    assert typed(["delete", str(path)]).file is None
    with pytest.raises(CommandError, match="no such file"):
        typed(["start", "other.CSV", "m"])


@pytest.mark.parametrize("path", ["~no-such-person/faq.csv", "a\0.csv", "x" * 5000 + ".csv"])
def test_path_that_could_not_be_a_file_is_said_to_be_none(path: str) -> None:
    with pytest.raises(CommandError, match="no such file"):
        typed(["prepare", path])


@given(st.text())
def test_whatever_is_typed_is_a_command_or_refused_in_words(text: str) -> None:
    with suppress(CommandError):
        assert typed(["prepare", text]).verb == "prepare"


def test_only_a_confirmation_begins_a_job() -> None:
    assert confirmed("/finetune confirm 12") == 12
    assert confirmed("/finetune decline 12") is None
    assert confirmed("/finetune confirm x") is None


def test_marks_of_cards_become_styles() -> None:
    text = styled("**a** · *b*  \n`/finetune list` 2 * 3 * 4")
    assert text.plain == "a · b\n`tunebot finetune list` 2 * 3 * 4"
    assert [text.plain[span.start : span.end] for span in text.spans] == [
        "a",
        "b",
        "`tunebot finetune list`",
    ]


@given(st.text())
def test_no_text_commands_the_terminal(text: str) -> None:
    shown = printable(text)
    assert len(shown) == len(text)
    assert all(each.isprintable() or each == "\n" for each in shown)
    assert "\x1b" not in styled(text).plain


def test_saved_file_takes_no_other_ones_place(tmp_path: Path) -> None:
    document = Document("../..\x1b/.a.csv", "text/csv", b"1")
    assert saved(document, tmp_path) == f"Saved {tmp_path / 'a.csv'}"
    assert saved(document, tmp_path) == f"Saved {tmp_path / 'a (1).csv'}"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a (1).csv", "a.csv"]
    assert "could not be saved here" in saved(document, tmp_path / "nowhere")
