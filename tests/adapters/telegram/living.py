"""tunebot in a process of its own, in front of the Telegram and the model of the tests."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from tests.scripted_model import ScriptedModel
from tests.telegram_server import TelegramServer

DATABASE = "bot.db"
DYING = "tests.adapters.telegram.dying"
CONFIGURATION = """
database = {database}
log_level = {log_level}

[providers.scripted]
base_url = {base_url}

[profiles.assistant]
provider = "scripted"
model = "gpt-4o-mini"

[adapters.telegram]
api_url = {api_url}
{settings}

[access]
users = ["*"]
messages_per_minute = 0
"""


def command(
    folder: Path, api_url: str, base_url: str, *, log_level: str = "DEBUG", settings: str = ""
) -> Sequence[str]:
    """What starts the program, with its configuration and its database in a folder. `settings` are
    further lines of [adapters.telegram].
    """
    config = folder / "tunebot.toml"
    values = {
        "database": str(folder / DATABASE),
        "base_url": base_url,
        "api_url": api_url,
        "log_level": log_level,
    }
    quoted = {name: json.dumps(value) for name, value in values.items()}
    config.write_text(CONFIGURATION.format(**quoted, settings=settings))
    return [sys.executable, "-m", "bot", "run", "--config", str(config)]


class Tunebot:
    """The program that operators start. `log` has what all its lives wrote."""

    def __init__(self, folder: Path, telegram: TelegramServer, model: ScriptedModel) -> None:
        self.database = folder / DATABASE
        self._log = folder / "log"
        self._telegram = telegram
        self._command = command(folder, telegram.api_url, model.base_url)
        self._process: asyncio.subprocess.Process | None = None

    @property
    def log(self) -> str:
        """Everything that was logged or printed."""
        return self._log.read_text()

    async def start(self, dies_at: int | None = None) -> None:
        """Run until it polls; with a moment of tests.adapters.telegram.dying at which it dies."""
        python, option, module, *rest = self._command
        dying = (option, DYING, str(dies_at)) if dies_at is not None else (option, module)
        polls = len(self._telegram.called("getUpdates"))
        with self._log.open("a") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(python, *dying, *rest),
                env={**os.environ, "TELEGRAM_BOT_TOKEN": self._telegram.token},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        await self._telegram.until(lambda: len(self._telegram.called("getUpdates")) > polls, 30)

    async def ended(self) -> int:
        """Wait for its end by itself; its exit code."""
        assert self._process
        return await self._process.wait()

    async def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Send it a signal and wait for its end; its exit code, also if it has ended before."""
        assert self._process
        if self._process.returncode is None:
            self._process.send_signal(how)
        return await self._process.wait()


@asynccontextmanager
async def tunebot(
    folder: Path, telegram: TelegramServer, model: ScriptedModel
) -> AsyncIterator[Tunebot]:
    """A program that runs, and is ended in order."""
    bot = Tunebot(folder, telegram, model)
    await bot.start()
    try:
        yield bot
    finally:
        await bot.end()
