"""The same remedies and the same bytes as the original tool, but for what differences.toml lists.

One process of the original tool, in an environment of its own, prepares all files.
"""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest

from bot.datasets.preparation import Preparation
from bot.errors import DatasetError
from tests.datasets.files import compared, real
from tests.shared import FOLDER

ROOT = Path(__file__).parent.parent.parent
PYTHON = ROOT / ".venv/oracle/bin/python"
READY = ROOT / ".venv/oracle/ready"
DIFFERENCES: dict[str, dict[str, str]] = tomllib.loads(
    (Path(__file__).parent / "differences.toml").read_text("utf-8")
)
KEYS = {
    r"Your format": "convert",
    r"Lower case column name to `prompt`": "column-prompt",
    r"Lower case column name to `completion`": "column-completion",
    r"Remove additional columns": "extra-columns",
    r"Remove \d+ rows with empty": "drop-empty",
    r"Remove \d+ duplicate rows": "drop-duplicates",
    r"Remove \d+ long": "drop-long",
    r"Lowercase .*`prompt`": "lower-prompt",
    r"Lowercase .*`completion`": "lower-completion",
    r"Add a suffix separator": "add-separator",
    r"Remove prefix .* prompts": "cut-prompt-prefix",
    r"Remove prefix .* completions": "cut-completion-prefix",
    r"Add a suffix ending": "add-ending",
    r"Add a whitespace": "add-space",
}

Lines = Sequence[bytes]


def key(offered: str) -> str:
    """Our key for what the original tool offers."""
    return next(key for pattern, key in KEYS.items() if re.match(pattern, offered, re.DOTALL))


def theirs(name: str, found: dict[str, Any], content: bytes) -> tuple[list[str], Lines]:
    """The keys of the remedies, and the lines that were written; nothing if it failed."""
    if found["error"]:
        return ["error"], []
    keys = [key(each) for each in found["offered"]]
    if name.endswith(".json"):  # it says so only of JSON lines, and converts in any case
        keys = ["convert", *(each for each in keys if each != "convert")]
    written: dict[str, str] = found["written"]
    if len(written) == 2:
        keys.append("split")
    texts = written.values() or [content.decode()]  # it writes nothing where there is nothing to do
    rows = (json.loads(line) for text in texts for line in text.split("\n") if line)
    return keys, [orjson.dumps(row) for row in rows]


def ours(path: Path) -> tuple[list[str], Lines]:
    """The same of our preparation."""
    try:
        with Preparation(path) as preparation:
            report = preparation.examine()
            dataset = preparation.write(path.parent)
    except DatasetError:
        return ["error"], []
    files = [dataset.train, *([dataset.valid] if dataset.valid else [])]
    lines = [line for file in files for line in file.read_bytes().split(b"\n")[:-1]]
    return [remedy.key for remedy in report.applied], lines


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    """All files that are compared."""
    return compared() | (real(FOLDER / "data") if (FOLDER / "data").exists() else {})


@pytest.fixture(scope="module")
def oracle(files: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the original tool did with each."""
    if not READY.exists():
        pytest.skip("the original tool is not in .venv/oracle: make test installs it")
    folder = tmp_path_factory.mktemp("oracle")
    for name, content in files.items():
        (folder / name).write_bytes(content)
    script = Path(__file__).with_name("oracle.py")
    subprocess.run([PYTHON, script, folder], check=True, timeout=100)  # noqa: S603  our own
    found: dict[str, Any] = json.loads((folder / "oracle.json").read_text("utf-8"))
    return found


@pytest.mark.xdist_group("oracle")
def test_every_file_is_prepared_as_the_original_tool_does(
    files: dict[str, bytes], oracle: dict[str, Any], tmp_path: Path
) -> None:
    assert len(files) >= 40
    differ, alike = {}, []
    for name, content in files.items():
        folder = tmp_path / name
        folder.mkdir()
        (folder / name).write_bytes(content)
        their_keys, their_lines = theirs(name, oracle[name], content)
        our_keys, our_lines = ours(folder / name)
        if "split" in our_keys:  # which rows are held back is a matter of chance
            their_lines, our_lines = sorted(their_lines), sorted(our_lines)
        if (their_keys, their_lines) != (our_keys, our_lines):
            differ[name] = (their_keys, our_keys, len(their_lines), len(our_lines))
        else:
            alike.append(name)
    assert {name: seen for name, seen in differ.items() if name not in DIFFERENCES} == {}
    assert [name for name in alike if name in DIFFERENCES] == [], "the table has to be true"
