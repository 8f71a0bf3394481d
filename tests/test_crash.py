"""Between any two steps the process may die: nothing is lost, and nothing is said twice."""

from __future__ import annotations

import asyncio
import random
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from tests.crashing import SCRIPT
from tests.fakes import Wall
from tests.scripted_model import ScriptedModel

STRIDE = 8  # tests that share the moments of a run, to be spread over the cores

Live = Callable[[str, int], Awaitable[int]]


@pytest.fixture
async def live(tmp_path: Path) -> AsyncIterator[Live]:
    """Lets a bot live in a folder until a moment; returns how it ended."""
    async with ScriptedModel(rate=400) as model:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.crashing", str(tmp_path), model.base_url),
            stdin=PIPE,
            stdout=PIPE,
        )
        assert process.stdin
        assert process.stdout
        stdin, stdout = process.stdin, process.stdout

        async def live(name: str, moment: int) -> int:
            (tmp_path / name).mkdir(exist_ok=True)
            stdin.write(f"{name} {moment}\n".encode())
            return int(await stdout.readline())

        yield live
        stdin.close()
        await process.wait()


def everything_is_said_once(folder: Path) -> None:
    """What people see is what they would see had nothing happened."""
    wall = Wall(folder / "wall.jsonl")
    first, model, second = wall.posts("ops").values()
    assert first == f"You said: {SCRIPT[0][1]}"
    assert model.startswith("**assistant** answers here")
    assert second == f"You said: {SCRIPT[2][1]}"
    assert list(wall.posts("dev").values()) == [f"You said: {SCRIPT[3][1]}"]


@pytest.mark.parametrize("offset", range(STRIDE))
async def test_after_a_kill_at_any_moment_everything_is_answered_once(
    live: Live, tmp_path: Path, offset: int
) -> None:
    moment = offset + 1
    while await live(f"{moment}", moment) == -signal.SIGKILL:
        assert await live(f"{moment}", 0) == 0
        everything_is_said_once(tmp_path / f"{moment}")
        moment += STRIDE
    assert moment > 3 * STRIDE, "a run has many moments"


@pytest.mark.parametrize("seed", range(4))
async def test_after_many_kills_everything_is_answered_once(
    live: Live, tmp_path: Path, seed: int
) -> None:
    moments = random.Random(seed)
    for _ in range(12):
        if await live("many", moments.randint(1, 30)) == 0:
            break
    assert await live("many", 0) == 0
    everything_is_said_once(tmp_path / "many")
