"""A file with every fault, through the whole preparation; and real data."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from bot.datasets import chat as chat_data
from bot.datasets.checks import Choice
from bot.datasets.duplicates import Overlap
from bot.datasets.findings import Level
from bot.datasets.general import checks
from bot.datasets.preparation import Preparation
from tests.datasets.examples import (
    RECOMMENDED,
    as_json,
    chat,
    keys,
    message,
    numbered,
    passed,
)
from tests.datasets.test_chat import FAULTS
from tests.datasets.test_chat import WEATHER as TOOLS
from tests.datasets.test_personal import SECRETS
from tests.shared import FOLDER


def good(number: int) -> dict[str, Any]:
    """An example like no other."""
    told = " ".join(f"{word}{number}" for word in ("is", "it", "sunny", "there", "now"))
    return chat(message("user", told), message("assistant", f"Yes, {number}!"), tools=TOOLS)


def test_file_with_every_fault_is_prepared_to_one_without(tmp_path: Path) -> None:
    faulty = [example for _, example in FAULTS if isinstance(example, dict)]
    leaks = [chat(message("user", secret), message("assistant", "Ok.")) for _, secret in SECRETS]
    examples = [*map(good, range(20)), *faulty, *leaks]
    file = tmp_path / "support.jsonl"
    file.write_text("\n".join(map(as_json, examples)), encoding="utf-8")
    with Preparation(file, model="gpt-4o-mini") as preparation:
        report = preparation.examine()
        dataset = preparation.write(tmp_path)
    assert {rule for rule, example in FAULTS if isinstance(example, dict)} <= keys(report.findings)
    assert not report.obstacles
    assert not [secret for check, secret in SECRETS if "mail" not in check
                and secret in dataset.train.read_text(encoding="utf-8")]  # fmt: skip
    with Preparation(dataset.train, model="gpt-4o-mini") as again:
        findings = again.examine().findings
    assert not [finding for finding in findings if finding.level is Level.ERROR]
    remedies = [finding.remedy for finding in findings if finding.remedy]
    assert not [remedy for remedy in remedies if RECOMMENDED.takes(remedy)]


def table(name: str) -> list[dict[str, str]]:
    """A real data set."""
    file = FOLDER / "data" / name
    if not file.exists():
        pytest.skip(f"../shared/data/{name} is not here")
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def test_support_questions_are_near_duplicates_and_hold_nothing_personal() -> None:
    examples = [
        chat(message("user", row["instruction"]), message("assistant", row["response"]))
        for row in table("bitext/customer_support.csv")
    ]
    left, findings = passed(chat_data.checks(RECOMMENDED, "gpt-4o-mini"), numbered(examples))
    assert "near-duplicate" in keys(findings)
    assert not [f for f in findings if f.check.startswith(("personal", "special", "long"))]
    assert len(left) > 2_900


def test_bank_questions_do_not_leak_from_training_to_test() -> None:
    def rows(name: str) -> list[Any]:
        return numbered(
            {"prompt": row["text"], "completion": row["category"]} for row in table(name)
        )

    training, test = rows("banking77/train_first5000.csv"), rows("banking77/test.csv")
    left, findings = passed([Overlap(RECOMMENDED, test)], training)
    assert len(training) - len(left) == sum(finding.count for finding in findings) < 20
    near = Choice(frozenset({"drop-near-duplicates"}))
    left, findings = passed(checks(near, "babbage-002"), training)
    assert keys(findings) == {"near-duplicate"}
    assert 4_500 < len(left) < 5_000
