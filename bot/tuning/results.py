"""The result file of a job: a table of its metrics, one row a step. Pure."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from io import StringIO

from bot.tuning.progress import finite, whole

STEP = ("step", "elapsed_steps")
TRAINING = ("train_loss", "training_loss")
VALIDATION = ("valid_loss", "validation_loss", "full_valid_loss")

Curve = tuple[tuple[int, float], ...]


def curves(content: bytes) -> tuple[Curve, Curve]:
    """Training and validation loss over the steps; empty where a file has none, or is no table."""
    try:
        rows = list(csv.DictReader(StringIO(content.decode("utf-8-sig", "replace"))))
    except csv.Error:
        return (), ()
    return curve(rows, TRAINING), curve(rows, VALIDATION)


def curve(rows: Sequence[dict[str | None, str]], names: Sequence[str]) -> Curve:
    """The points of the first of these columns that has any."""
    for name in names:
        points = ((step_of(row, i), finite(row.get(name))) for i, row in enumerate(rows, 1))
        if found := tuple((step, loss) for step, loss in points if loss is not None):
            return found
    return ()


def step_of(row: dict[str | None, str], number: int) -> int:
    """The step of a row, which is its number where no column says it."""
    return next((step for name in STEP if (step := whole(row.get(name)))), number)
