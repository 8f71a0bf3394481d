"""`python -m bot.local.training SPEC.json`; see the package."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from pydantic import ValidationError

from bot.local.training import events
from bot.local.training.events import Event
from bot.local.training.fault import TrainingFault, fault_of
from bot.local.training.spec import Spec

NICE = 10  # the chat goes first
THREADS = "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"


def main() -> int:
    report = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # native code may print

    def tell(event: Event) -> None:
        print(json.dumps(event), file=report, flush=True)

    try:
        run(Path(sys.argv[1]), tell)
    except BrokenPipeError:  # who started it has died
        os._exit(1)
    except Exception as error:  # whatever it is, the person hears of it
        tell(events.error(fault_of(error)))
        return 1
    return 0


def run(file: Path, tell: events.Tell) -> None:
    try:
        spec = Spec.model_validate_json(file.read_bytes())
    except ValidationError as error:
        raise TrainingFault("invalid_spec", f"{file}: {error}") from None
    if hasattr(os, "nice"):
        os.nice(NICE)
    for variable in THREADS:  # read when numpy is imported
        os.environ[variable] = str(spec.threads)
    from bot.local.training.trainer import train  # noqa: PLC0415 - it imports numpy

    train(spec, tell)


if __name__ == "__main__":
    sys.exit(main())
