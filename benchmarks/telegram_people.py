"""People who write to a Telegram bot in a process of its own, and what they see and when.

The Telegram is the one of the tests. The model's first token is the time of its request, so that
both can be told from the text alone: `time.monotonic_ns` is one clock for all processes of a
machine.
"""

from __future__ import annotations

import time

from benchmarks.bot import QUESTION
from benchmarks.machine import peak
from benchmarks.scene import (
    ASKED,
    LAST,
    PATIENCE,
    Command,
    Figures,
    Scene,
    asking,
    living,
    processor_time,
)
from tests.telegram_server import Chat, Limits, TelegramServer
from tests.telegram_server.server import TOKEN


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
        await asking(chats, scene.people, self._ask)
        self.figures = figures = Figures()
        self._telegram.statuses.clear()
        start, cpu = time.monotonic(), processor_time(self._bot)
        await asking(chats, scene.answers, self._ask)
        answered = scene.answers - figures.lost
        figures.answers_a_second = answered / (time.monotonic() - start)
        figures.cpu = (processor_time(self._bot) - cpu) / scene.answers * 1000
        figures.peak = peak(self._bot)
        statuses = self._telegram.statuses
        figures.calls = sum(n for (method, _), n in statuses.items() if method != "getUpdates")
        figures.refused = sum(n for (_, status), n in statuses.items() if status == 429)
        return figures

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


async def play(scene: Scene, command: Command) -> Figures:
    """Let people talk to the bot that a command starts."""
    limits = Limits() if scene.limited else None
    async with (
        TelegramServer(limits=limits, keep_calls=False) as telegram,
        living(command(telegram.api_url), {"TELEGRAM_BOT_TOKEN": TOKEN}) as bot,
    ):
        await telegram.until(lambda: telegram.statuses["getMe", 200], 20)
        return await People(telegram, scene, bot).talk()
