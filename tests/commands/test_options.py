"""What stands after a command: whatever is typed, it is understood or answered by a sentence."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import bot.datasets
from bot.commands.finetune.data import FROM_HERE
from bot.commands.finetune.findings import toggled
from bot.commands.finetune.start import OPTIONS
from bot.commands.options import parsed, whole_number
from bot.datasets.checks import Choice
from bot.datasets.examples import Format
from bot.datasets.findings import Finding, Level, Remedy
from bot.datasets.personal import KINDS
from bot.datasets.preparation import Report
from bot.errors import CommandError
from tests.fakes import Bot

PIECES = st.one_of(
    st.text(max_size=20),
    st.sampled_from([*(f"--{name}" for name in OPTIONS), *(f"—{name}=" for name in FROM_HERE)]),
    st.sampled_from(['"', "'", "\\", "²", "9" * 5000, "1e999", "nan", "2026-13-01", "--", "-"]),
)
MOST_DRAFTS = 9_999_999


@given(st.lists(PIECES, max_size=8), st.sampled_from([OPTIONS, FROM_HERE]))
def test_any_text_is_words_and_options_or_a_sentence(pieces: list[str], known: dict) -> None:  # type: ignore[type-arg]
    sentence, named = "", set()
    try:
        named = set(parsed(" ".join(pieces), known).named)
    except CommandError as error:
        sentence = str(error)
    assert named <= set(known)
    assert not sentence or (sentence.endswith((".", "?")) and len(sentence) < 400)


@given(st.text(max_size=30))
def test_number_is_one_that_a_database_holds(text: str) -> None:
    number = whole_number(text)
    assert number is None or (0 <= number < 2**63 and int(text) == number)


@pytest.mark.parametrize("number", ["²", "9" * 18, "9" * 30, "9" * 5000, "-1", "٣", "1.5"])
async def test_number_that_is_none_is_a_sentence(bot: Bot, number: str) -> None:
    for command in ("confirm", "decline", "prepare", "status", "use", "checkpoints", "cancel"):
        said = (await bot.hears(f"/finetune {command} {number}", person="op"))[-1]
        assert "went wrong" not in said, said
    said = (await bot.hears(f"/finetune use last {number}", person="op"))[-1]
    assert "went wrong" not in said, said


def keys() -> set[str]:
    """The key of every change that there is, as the sources have it."""
    folder = Path(bot.datasets.__file__).parent
    found = {
        key
        for source in folder.rglob("*.py")
        for key in re.findall(r'Remedy\(\s*"([\w-]+)"', source.read_text())
    }
    return found | {kind.remedy.key for kind in KINDS} | {"lower-completion", "lower-prompt"}


@pytest.mark.parametrize("key", sorted(keys()))
def test_button_of_every_change_fits_on_every_platform(key: str) -> None:
    assert len(f"/finetune prepare {MOST_DRAFTS} +{key}".encode()) <= 48


def test_change_is_taken_in_and_out_again() -> None:
    finding = Finding("long", Level.WARNING, "Long.", remedy=Remedy("drop-long", "Remove"))
    report = Report(Format.CHAT, 9, 9, (finding,), Choice())
    assert toggled(report, "-drop-long") == frozenset()
    assert toggled(report, "+drop-long") == {"drop-long"}
