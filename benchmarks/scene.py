"""A scene: people in front of a bot that runs in a process of its own, and what is found of it.

For Linux: what a bot takes is read in /proc.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

ASKED = re.compile(r"\d{6,}")  # what an answer begins with: when the model was asked for it
LAST = "word59"  # what it ends with
PATIENCE = 60.0  # seconds until an answer counts as lost
Asker = TypeVar("Asker")  # a person as a platform has it
Command = Callable[[str], Sequence[str]]  # from the platform's address to what starts a bot
FIRST_CORE = min(os.sched_getaffinity(0))  # before this process is kept on another
TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Scene:
    """So many people, who ask `answers` questions in all, each after the last answer. The model
    takes `gap` seconds between two tokens. Before it begins, everybody is answered once, and then
    rests for so many seconds.
    """

    name: str
    people: int
    answers: int
    limited: bool
    gap: float
    rest: float = 0.0


@dataclass
class Figures:
    """What was found: times in ms, `cpu` in ms an answer, memory in MiB.

    `asked` is from the message to the request at the model, `shown` from the model's first token to
    the first text that is seen. `lost` answers did not come in a minute, `refused` calls were over
    a limit, of `calls` in all; `more` messages were seen than answers are. `acknowledged` is from
    what the platform sends to its acknowledgement, where it waits for one.
    """

    asked: list[float] = field(default_factory=list)
    shown: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)
    acknowledged: list[float] = field(default_factory=list)
    answers_a_second: float = 0.0
    cpu: float = 0.0
    peak: float = 0.0
    lost: int = 0
    more: int = 0
    calls: int = 0
    refused: int = 0


async def asking(
    people: Iterable[Asker], answers: int, ask: Callable[[Asker], Awaitable[None]]
) -> None:
    """Let people ask so many questions in all, each after the last answer."""
    left = iter(range(answers))

    async def talk(person: Asker) -> None:
        for _ in left:
            await ask(person)

    async with asyncio.TaskGroup() as talks:
        for person in people:
            talks.create_task(talk(person))


@asynccontextmanager
async def living(command: Sequence[str], secrets: Mapping[str, str]) -> AsyncIterator[int]:
    """A bot on the first core, with what it finds in its environment; its process id."""
    bot = await asyncio.create_subprocess_exec(
        *command,
        env={**os.environ, **secrets},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        preexec_fn=partial(os.sched_setaffinity, 0, {FIRST_CORE}),
    )
    try:
        yield bot.pid
    finally:
        with suppress(ProcessLookupError):
            bot.terminate()
        await bot.wait()


def processor_time(process: int) -> float:
    """The seconds of processor time that a process took so far (proc(5), stat)."""
    stat = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(stat[11]) + int(stat[12])) / TICK
