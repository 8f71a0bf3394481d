"""The result file: the metrics of every step, under OpenAI's names."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bot.local.training.atomic import replacing

COLUMNS = {
    "step": "step",
    "train_loss": "train_loss",
    "train_accuracy": "train_mean_token_accuracy",
    "valid_loss": "valid_loss",
    "valid_mean_token_accuracy": "valid_mean_token_accuracy",
}


def write(path: Path, history: Iterable[dict[str, Any]]) -> None:
    """Write a CSV file with a line for each step; empty where nothing was measured."""
    with replacing(path) as partial, partial.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows([step.get(key, "") for key in COLUMNS.values()] for step in history)
