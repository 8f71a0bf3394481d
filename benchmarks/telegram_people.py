"""People who write to a Telegram bot in a process of its own, and what they see and when.

The Telegram is the one of the tests. The model's first token is the time of its request, so that
both can be told from the text alone: `time.monotonic_ns` is one clock for all processes of a
machine. For Linux: what a bot takes is read in /proc.
"""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import count, islice
from pathlib import Path

from benchmarks.bot import QUESTION
from tests.telegram_server import Chat, Limits, TelegramServer
from tests.telegram_server.server import TOKEN

ASKED = re.compile(r"\d{6,}")
LAST = "word59"
PATIENCE = 60.0  # seconds until an answer counts as lost
Command = Callable[[str], Sequence[str]]  # from Telegram's address to what starts a bot
FIRST_CORE = min(os.sched_getaffinity(0))  # before this process is kept on another
TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Scene:
    """So many people, who ask `answers` questions in all, each after the last answer. The model
    takes `gap` seconds between two tokens.
    """

    name: str
    people: int
    answers: int
    limited: bool
    gap: float


@dataclass
class Figures:
    """What was found: times in ms, `cpu` in ms an answer, memory in MiB.

    `asked` is from the message to the request at the model, `shown` from the model's first token to
    the first text that is seen. `lost` answers did not come in a minute, `refused` calls were over
    a limit, of `calls` in all; `more` messages were seen than answers are.
    """

    asked: list[float] = field(default_factory=list)
    shown: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)
    answers_a_second: float = 0.0
    cpu: float = 0.0
    peak: float = 0.0
    lost: int = 0
    more: int = 0
    calls: int = 0
    refused: int = 0


class People:
    """Everyone in a scene, in front of a bot that runs."""

    def __init__(self, telegram: TelegramServer, scene: Scene, bot: int) -> None:
        self.figures = Figures()
        self._telegram = telegram
        self._scene = scene
        self._bot = bot

    async def talk(self) -> Figures:
        """All questions and answers, after one round that warms everything up."""
        scene, figures = self._scene, self.figures
        chats = [self._telegram.private(1000 + number) for number in range(scene.people)]
        await self._round(chats, scene.people)
        self.figures = figures = Figures()
        self._telegram.statuses.clear()
        start, cpu = time.monotonic(), processor_time(self._bot)
        await self._round(chats, scene.answers)
        answered = scene.answers - figures.lost
        figures.answers_a_second = answered / (time.monotonic() - start)
        figures.cpu = (processor_time(self._bot) - cpu) / scene.answers * 1000
        figures.peak = peak(self._bot)
        statuses = self._telegram.statuses
        figures.calls = sum(n for (method, _), n in statuses.items() if method != "getUpdates")
        figures.refused = sum(n for (_, status), n in statuses.items() if status == 429)
        return figures

    async def _round(self, chats: Sequence[Chat], answers: int) -> None:
        left = islice(count(), answers)

        async def person(chat: Chat) -> None:
            for _ in left:
                await self._ask(chat)

        async with asyncio.TaskGroup() as people:
            for chat in chats:
                people.create_task(person(chat))

    async def _ask(self, chat: Chat) -> None:
        figures, at = self.figures, time.monotonic_ns()
        before = len(chat.answers)
        await chat.writes(QUESTION)
        try:
            await chat.sees(lambda _: begun(chat, at), PATIENCE)
            seen, asked = time.monotonic_ns(), begun(chat, at)
            await chat.sees(lambda messages: messages[-1].text.endswith(LAST), PATIENCE)
        except TimeoutError:
            figures.lost += 1
            return
        figures.asked.append((asked - at) / 1e6)
        figures.shown.append((seen - asked) / 1e6)
        figures.whole.append((time.monotonic_ns() - at) / 1e6)
        figures.more += len(chat.answers) - before - 1


def begun(chat: Chat, after: int) -> int:
    """When the answer that is being seen was asked for; 0 while nothing of it is seen."""
    for text in (chat.draft.text if chat.draft else "", chat.messages[-1].text):
        found = ASKED.match(text)
        if found and int(found[0]) > after:
            return int(found[0])
    return 0


@asynccontextmanager
async def living(command: Sequence[str]) -> AsyncIterator[int]:
    """A bot on the first core; its process id."""
    bot = await asyncio.create_subprocess_exec(
        *command,
        env={**os.environ, "TELEGRAM_BOT_TOKEN": TOKEN},
        stderr=asyncio.subprocess.DEVNULL,
        preexec_fn=partial(os.sched_setaffinity, 0, {FIRST_CORE}),
    )
    try:
        yield bot.pid
    finally:
        with suppress(ProcessLookupError):
            bot.terminate()
        await bot.wait()


async def play(scene: Scene, command: Command) -> Figures:
    """Let people talk to the bot that a command starts."""
    limits = Limits() if scene.limited else None
    async with (
        TelegramServer(limits=limits, keep_calls=False) as telegram,
        living(command(telegram.api_url)) as bot,
    ):
        await telegram.until(lambda: telegram.statuses["getMe", 200], 20)
        return await People(telegram, scene, bot).talk()


def processor_time(process: int) -> float:
    """The seconds of processor time that a process took so far (proc(5), stat)."""
    stat = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(stat[11]) + int(stat[12])) / TICK


def peak(process: int) -> float:
    """The most MiB of memory that a process ever held."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))
