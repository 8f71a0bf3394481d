"""Whether two files share examples."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.datasets import duplicates
from bot.datasets.overlap import overlap
from bot.errors import DatasetError
from tests.datasets.examples import chat, message
from tests.datasets.files import jsonl, pairs


def put(path: Path, content: bytes) -> Path:
    """A file."""
    path.write_bytes(content)
    return path


def test_shared_examples_are_told_with_their_lines(tmp_path: Path) -> None:
    made = pairs(20)
    training = put(tmp_path / "train.jsonl", jsonl(made))
    shared = [(made[4][0].upper(), f" {made[4][1]}"), made[7], ("another", "one")]
    finding = overlap(training, put(tmp_path / "valid.jsonl", jsonl(shared)))
    assert finding
    assert (finding.lines, finding.count, finding.remedy) == ((5, 8), 2, None)
    assert finding.says.startswith("2 training examples of this file stand in")
    assert overlap(training, put(tmp_path / "other.jsonl", jsonl(pairs(20, "{}? {}")))) is None


def test_instructions_do_not_make_chats_different(tmp_path: Path) -> None:
    rows = [chat(), chat(message("system", "Be kind."), message("user"), message("assistant"))]
    files = [put(tmp_path / f"{n}.jsonl", json.dumps(row).encode()) for n, row in enumerate(rows)]
    assert overlap(*files)


def test_many_examples_are_estimated_in_bounded_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(duplicates, "MOST_KEYS", 100)
    both = put(tmp_path / "both.jsonl", jsonl(pairs(1_000)))
    finding = overlap(both, both)
    assert finding
    assert finding.says.startswith("About ")
    assert 500 <= finding.count <= 2_000


def test_a_file_that_cannot_be_read_is_a_sentence(tmp_path: Path) -> None:
    good = put(tmp_path / "good.jsonl", jsonl(pairs(5)))
    with pytest.raises(DatasetError, match="empty"):
        overlap(good, put(tmp_path / "empty.jsonl", b""))
