"""`python -m bot.local.trl [--beside BASE.gguf] SPEC.json`; see the package."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser
from pathlib import Path

from bot.local.training import process
from bot.local.training.events import Tell
from bot.local.training.spec import Spec
from bot.local.trl.fault import fault_of

# Read when the packages are imported. More than one GPU would need a launcher of its own.
FIXED = {"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "TOKENIZERS_PARALLELISM": "false"}
USUAL = {"CUDA_VISIBLE_DEVICES": "0"}


def main() -> int:
    parser = ArgumentParser(prog="python -m bot.local.trl")
    parser.add_argument("--beside", type=Path, help="the GGUF file that llama.cpp serves")
    parser.add_argument("spec", type=Path)
    asked = parser.parse_args()

    def train(spec: Spec, tell: Tell) -> None:
        os.environ.update({**USUAL, **os.environ, **FIXED})
        from bot.local.trl import trainer  # noqa: PLC0415 - it imports torch

        trainer.train(spec, tell, asked.beside)

    return process.run(asked.spec, train, fault_of)


if __name__ == "__main__":
    sys.exit(main())
