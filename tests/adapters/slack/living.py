"""tunebot in a process of its own, in front of the Slack and the model of the tests."""

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
from tests.slack_server.slack import Slack

CONFIGURATION = """
database = {database}
log_level = {log_level}

[providers.scripted]
base_url = {base_url}

[profiles.assistant]
provider = "scripted"
model = "gpt-4o-mini"

[adapters.slack]
api_url = {api_url}
mode = {mode}
{settings}

[access]
users = ["*"]
operators = ["slack:*"]
messages_per_minute = 0
"""
HTTP = """
[adapters.http]
port = 0
"""
DATABASE = "bot.db"


def command(
    folder: Path,
    api_url: str,
    base_url: str,
    *,
    mode: str = "socket",
    log_level: str = "DEBUG",
    settings: str = "channel_rate = 0",
) -> Sequence[str]:
    """What starts the program, with its configuration and its database in a folder. `settings` are
    further lines of [adapters.slack].
    """
    config = folder / "tunebot.toml"
    values = {
        "database": str(folder / DATABASE),
        "base_url": base_url,
        "api_url": api_url,
        "mode": mode,
        "log_level": log_level,
    }
    quoted = {name: json.dumps(value) for name, value in values.items()}
    written = CONFIGURATION.format(**quoted, settings=settings)
    config.write_text(written + (HTTP if mode == "http" else ""))
    return [sys.executable, "-m", "bot", "run", "--config", str(config)]


class Tunebot:
    """The program that operators start. `log` has what all its lives wrote."""

    def __init__(self, folder: Path, slack: Slack, model: ScriptedModel, mode: str) -> None:
        self.database = folder / DATABASE
        self._slack = slack
        self._mode = mode
        self._command = command(folder, slack.api_url, model.base_url, mode=mode)
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._lines: list[str] = []
        self._written = asyncio.Condition()

    @property
    def log(self) -> str:
        """Everything that was logged or printed."""
        return "".join(self._lines)

    async def start(self) -> None:
        """Run until Slack reaches it."""
        tokens, sockets = self._slack.tokens, self._slack.delivery.sockets
        secrets = {
            "SLACK_BOT_TOKEN": tokens.bot,
            "SLACK_APP_TOKEN": tokens.app,
            "SLACK_SIGNING_SECRET": tokens.signing_secret,
        }
        begins = len(self._lines)
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            env={**os.environ, **secrets},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        self._reading = asyncio.create_task(self._read(self._process), name="read the log")
        if self._mode == "socket":
            await self._slack.workspace.until(lambda: len(sockets.live) == 2)
            return
        address = json.loads(await self._logged('"listening"', begins))["address"]
        await self._logged('"Slack may post"', begins)
        self._slack.delivery.posts_to(f"{address}slack")

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout
        async for line in process.stdout:
            async with self._written:
                self._lines.append(line.decode())
                self._written.notify_all()

    async def _logged(self, text: str, begins: int) -> str:
        """The first line with a text, once it is written; `begins` is where to look from."""

        def found() -> list[str]:
            return [line for line in self._lines[begins:] if text in line]

        async with asyncio.timeout(30), self._written:
            await self._written.wait_for(found)
        return found()[0]

    async def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Send it a signal and wait for its end; its exit code, also if it has ended before."""
        assert self._process
        assert self._reading
        if self._process.returncode is None:
            self._process.send_signal(how)
        code = await self._process.wait()
        await self._reading
        sockets = self._slack.delivery.sockets
        await self._slack.workspace.until(lambda: not sockets.live)
        return code


@asynccontextmanager
async def tunebot(
    folder: Path, slack: Slack, model: ScriptedModel, mode: str = "socket"
) -> AsyncIterator[Tunebot]:
    """A program that runs, and is ended in order."""
    bot = Tunebot(folder, slack, model, mode)
    await bot.start()
    try:
        yield bot
    finally:
        await bot.end()
