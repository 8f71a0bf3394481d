"""What is found out of a prepared file, for the model that is made from it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.tuning.preparing import described, single_turn, written

ARROW = " ->"


def prepared(folder: Path, *prompts: str) -> Path:
    path = folder / "prepared.jsonl"
    rows = (json.dumps({"prompt": prompt, "completion": " Yes."}) for prompt in prompts)
    path.write_text("\n".join(rows), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("prompts", "single"),
    [
        (["Is it open? ->", "And on Sundays? ->"], True),
        (["Is it open? ->", "Is it open? -> Yes.\nAnd on Sundays? ->"], False),
    ],
)
def test_earlier_exchanges_are_known_by_their_separators(
    prompts: list[str], single: bool, tmp_path: Path
) -> None:
    assert single_turn(prepared(tmp_path, *prompts), ARROW) is single


@pytest.mark.parametrize(
    ("prompts", "single"),
    [
        (["Is it open?", "Really? And on Sundays?"], True),
        (["Is it open?", "Is it open? Yes ENDAnd on Sundays?"], False),
    ],
)
def test_what_ends_questions_may_stand_within_one(
    prompts: list[str], single: bool, tmp_path: Path
) -> None:
    path = prepared(tmp_path, *prompts)
    assert single_turn(path, "?", " END") is single
    assert not single_turn(path, "?"), "without a stop nobody knows"


def test_without_a_separator_nothing_is_known(tmp_path: Path) -> None:
    assert not single_turn(prepared(tmp_path, "Is it open?"), "")


def test_chats_are_never_single_questions(tmp_path: Path) -> None:
    said = [{"role": "user", "content": "Hi ->"}, {"role": "assistant", "content": "Hello"}]
    path = tmp_path / "chat.jsonl"
    path.write_text((json.dumps({"messages": said}) + "\n") * 20, encoding="utf-8")
    assert not described(written(path, tmp_path, None), "chat.jsonl", "", 0.0).single_turn
