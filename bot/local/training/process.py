"""A training as a process: what it is told stands in a file, what it says goes to stdout."""

from __future__ import annotations

import json
import os
import select
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError

from bot.local.training import events
from bot.local.training.events import Event, Tell
from bot.local.training.fault import TrainingFault, fault_of
from bot.local.training.spec import Spec

NICE = 10  # the chat goes first
# Beside a chat that never rests, on two cores of which one writes: at 16 it keeps 94 % of its speed
# and 97 % of that of reading, and the training 67 % of its own; at 10 all, 73 % and 68 %.
SESSION_NICE = 16
AUTOGROUP = Path("/proc/self/autogroup")
THREADS = "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"


def run(
    file: Path,
    train: Callable[[Spec, Tell], None],
    fault_of: Callable[[Exception], TrainingFault] = fault_of,
) -> int:
    """Train as a file says, at low priority; returns the exit status.

    `train` imports what computes: how many threads it takes is read from the environment then.
    """
    report = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # native code may print
    watch = threading.Thread(target=end_unheard, args=(report.fileno(),), daemon=True)
    watch.start()

    def tell(event: Event) -> None:
        print(json.dumps(event), file=report, flush=True)

    try:
        spec = read(file)
        if hasattr(os, "nice"):
            step_back()
        os.environ.update(dict.fromkeys(THREADS, str(spec.threads)))
        train(spec, tell)
    except BrokenPipeError:  # who started it has died
        os._exit(1)
    except Exception as error:  # whatever it is, the person hears of it
        tell(events.error(fault_of(error)))
        return 1
    return 0


def step_back() -> None:
    """Let others go first, those of other sessions too: Linux weighs sessions against each other,
    and niceness only within each, unless it is that of the session (sched(7), autogroup).
    """
    os.nice(NICE)
    if os.getsid(0) == os.getpid():  # else it is the shell's
        with suppress(OSError):
            AUTOGROUP.write_text(str(SESSION_NICE))


def end_unheard(report: int) -> None:
    """End this process when who started it has died, also while nothing is told for long."""
    if hasattr(select, "poll"):
        poll = select.poll()
        poll.register(report, 0)  # for its end alone
        ((_, found),) = poll.poll()
        if found & (select.POLLERR | select.POLLHUP):
            os._exit(1)


def read(file: Path) -> Spec:
    """What a training is told. Raises TrainingFault and OSError."""
    try:
        return Spec.model_validate_json(file.read_bytes())
    except ValidationError as error:
        raise TrainingFault("invalid_spec", f"{file}: {error}") from None
