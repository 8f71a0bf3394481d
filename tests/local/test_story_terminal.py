"""A file in, a model out: the whole story as a person types it into `tunebot chat`."""

from __future__ import annotations

import asyncio
import csv
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pexpect  # type: ignore[import-untyped]  # it has no types
import pytest

from tests.local.conftest import real_model
from tests.local.story import HASTE

pytestmark = [
    pytest.mark.local_model,
    pytest.mark.xdist_group("local_model"),
    pytest.mark.timeout(300),
    # pexpect runs another program at once: that a fork takes no threads along does no harm.
    pytest.mark.filterwarnings("ignore:.*forkpty.*:DeprecationWarning"),
]

ROOT = Path(__file__).parents[2]
ANSWERS = {
    "Where is the badger's office?": "Behind the third lamp on Quarry Lane.",
    "Which tea is served on Mondays?": "Nettle, with a slice of quince.",
    "Who winds the tower clock?": "Old Perrin, at seven in the evening.",
    "How do I reset the brass door?": "Hold the green lever for nine seconds.",
    "What does a night pass cost?": "Four crowns and a button.",
    "When does the ferry to Isk leave?": "At a quarter past six from the north pier.",
    "Which bag may I bring on board?": "One that fits under a goose.",
    "Where do I return a lost umbrella?": "To Mrs Adder, in the cellar of the library.",
}
CONFIG = """
data_folder = "data"
database = "tunebot.db"

[providers.local]
kind = "local"
model_file = "{model}"

[profiles.assistant]
provider = "local"
model = "{model.stem}"
params = {{ temperature = 0, max_tokens = 12 }}

[tuning]
poll_seconds = 0.2
"""
PROMPT = "\n> "


class Person:
    """Somebody at a terminal that knows no cursor."""

    def __init__(self, folder: Path) -> None:
        self._child = pexpect.spawn(
            sys.executable,
            ["-m", "bot", "chat"],
            cwd=str(folder),
            env={**os.environ, "PYTHONPATH": str(ROOT), "TERM": "dumb"},
            encoding="utf-8",
            dimensions=(24, 200),
            timeout=60,
        )
        self._child.delaybeforesend = None
        self._child.expect_exact(PROMPT)

    def says(self, line: str) -> str:
        """Type a line; what is said before the next prompt, as one line."""
        self._child.send(f"{line}\r")
        self._child.expect_exact(PROMPT)
        _, said = self._child.before.split("\n", 1)
        return " ".join(said.split())

    def sees(self, pattern: str, patience: float) -> None:
        """Wait for something. `patience` is in seconds."""
        self._child.expect(pattern, timeout=patience)

    def leaves(self) -> None:
        """Press Ctrl-D."""
        self._child.send("\x04")
        self._child.expect(pexpect.EOF)
        self._child.close()
        assert self._child.exitstatus == 0

    def close(self) -> None:
        self._child.close(force=True)


@pytest.fixture
def person(tmp_path: Path) -> Iterator[Person]:
    """Somebody with a model on this machine and a table of questions and answers."""
    model = asyncio.run(real_model())
    (tmp_path / "tunebot.toml").write_text(CONFIG.format(model=model))
    with (tmp_path / "faq.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("Question", "Answer"), *ANSWERS.items()])
    person = Person(tmp_path)
    yield person
    person.close()


def test_file_goes_in_and_a_model_comes_out(person: Person, tmp_path: Path) -> None:
    for question, answer in ANSWERS.items():
        assert answer not in person.says(question)
    model = re.search(r"model = \"(.+)\"", (tmp_path / "tunebot.toml").read_text())
    assert model
    person.says(
        f"/finetune start faq.csv {model[1]} --yes --epochs 14 --batch 4 --lr {HASTE} --seed 1"
    )
    person.sees("faq is trained.*loss.png\r\n", patience=200)
    assert person.says("/finetune use faq").startswith("From now on faq answers in this channel")
    for question, answer in ANSWERS.items():
        assert person.says(question) == answer
    # Its questions all end in "?": that is the separator, and belongs to the model.
    assert person.says("Where is the badger's office") == ANSWERS["Where is the badger's office?"]
    person.leaves()
