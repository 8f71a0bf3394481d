"""tunebot in a process of its own, in front of the Telegram and the model of the tests."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.scripted_model import ScriptedModel
from tests.telegram_server import TelegramServer

CONFIGURATION = """
database = {database}
log_level = "DEBUG"

[providers.scripted]
base_url = {base_url}

[profiles.assistant]
provider = "scripted"
model = "gpt-4o-mini"

[adapters.telegram]
api_url = {api_url}

[access]
users = ["*"]
messages_per_minute = 0
"""


class Tunebot:
    """The program that operators start. `log` has what all its lives wrote."""

    def __init__(self, folder: Path, telegram: TelegramServer, model: ScriptedModel) -> None:
        self.database = folder / "bot.db"
        self._log = folder / "log"
        self._telegram = telegram
        self._config = folder / "tunebot.toml"
        values = {
            "database": str(self.database),
            "base_url": model.base_url,
            "api_url": telegram.api_url,
        }
        quoted = {name: json.dumps(value) for name, value in values.items()}
        self._config.write_text(CONFIGURATION.format(**quoted))
        self._process: asyncio.subprocess.Process | None = None

    @property
    def log(self) -> str:
        """Everything that was logged or printed."""
        return self._log.read_text()

    async def start(self) -> None:
        """Run until it polls."""
        polls = len(self._telegram.called("getUpdates"))
        with self._log.open("a") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "bot", "run", "--config", str(self._config)),
                env={**os.environ, "TELEGRAM_BOT_TOKEN": self._telegram.token},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        await self._telegram.until(lambda: len(self._telegram.called("getUpdates")) > polls, 30)

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
