"""Heavy work in a process of its own."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest

from bot.apart import Died, apart
from bot.errors import CommandError


def niceness() -> tuple[int, int]:
    print("this disturbs nothing")  # noqa: T201
    return os.getpid(), os.nice(0)


def refuse(sentence: str) -> None:
    raise CommandError(sentence)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def linger(path: Path) -> None:
    path.write_text(str(os.getpid()))
    time.sleep(600)


async def test_work_is_done_elsewhere_and_less_important() -> None:
    process, nice = await apart(niceness)
    assert process != os.getpid()
    assert nice > os.nice(0)


async def test_its_errors_rise_where_it_is_waited_for() -> None:
    with pytest.raises(CommandError, match="no rows"):
        await apart(refuse, "no rows")


async def test_process_that_dies_is_an_error() -> None:
    with pytest.raises(Died):
        await apart(die)


async def test_who_waits_no_longer_ends_it(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    work = asyncio.create_task(apart(linger, pipe))
    process = int(await asyncio.to_thread(pipe.read_text))
    work.cancel()
    await asyncio.wait([work])
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)
