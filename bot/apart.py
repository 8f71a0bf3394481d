"""Heavy work in a process of its own: the chat stays fast, and the memory goes with the process.

`python -m bot.apart` is that process. It reads what to do from its standard input.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import ParamSpec, TypeVar, cast

P = ParamSpec("P")
T = TypeVar("T")
NICER = 10  # than the bot: chat goes first


class Died(Exception):
    """The process ended before its work did: killed, or out of memory."""


async def apart(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What `work` returns, a function of a module; arguments and result must be picklable.

    Raises what it raises, or Died. Who no longer waits ends the process.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot.apart"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        written, _ = await process.communicate(pickle.dumps((work, args, kwargs)))
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.returncode:
        raise Died(f"{work.__name__} ended with {process.returncode}")
    outcome = pickle.loads(written)  # noqa: S301  our own process wrote it
    if isinstance(outcome, Failed):
        raise outcome.error
    return cast("T", outcome)


class Failed:
    """What a work raised."""

    def __init__(self, error: Exception) -> None:
        self.error = error


def main() -> None:
    """Do one work. What it prints goes to standard error; Ctrl-C is for who started it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(NICER)
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    work, args, kwargs = pickle.load(sys.stdin.buffer)  # noqa: S301  who started us wrote it
    try:
        outcome = work(*args, **kwargs)
    except Exception as error:
        outcome = Failed(error)
    with out:
        pickle.dump(outcome, out)


if __name__ == "__main__":
    # What is pickled names this class by its module, not by "__main__".
    from bot.apart import main as work_apart

    work_apart()
