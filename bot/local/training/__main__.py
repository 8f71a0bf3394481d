"""`python -m bot.local.training SPEC.json`; see the package."""

from __future__ import annotations

import sys
from pathlib import Path

from bot.local.training import process
from bot.local.training.events import Tell
from bot.local.training.spec import Spec


def train(spec: Spec, tell: Tell) -> None:
    from bot.local.training import trainer  # noqa: PLC0415 - it imports numpy

    trainer.train(spec, tell)


if __name__ == "__main__":
    sys.exit(process.run(Path(sys.argv[1]), train))
