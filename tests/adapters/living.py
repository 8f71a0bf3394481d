"""tunebot in a process of its own, in front of a platform and the model of the tests."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

CONFIGURATION = """
database = {database}
log_level = {log_level}

[providers.scripted]
base_url = {base_url}

[profiles.assistant]
provider = "scripted"
model = "gpt-4o-mini"

[access]
users = ["*"]
operators = {operators}
messages_per_minute = 0

[adapters.{platform}]
api_url = {api_url}
{settings}
"""
DATABASE = "bot.db"


def command(
    folder: Path,
    platform: str,
    api_url: str,
    base_url: str,
    *,
    log_level: str = "DEBUG",
    settings: str = "",
    operators: Sequence[str] = (),
) -> Sequence[str]:
    """What starts the program, with its configuration and its database in a folder. `settings` are
    further lines of [adapters.PLATFORM], and tables after it.
    """
    config = folder / "tunebot.toml"
    values = {
        "database": str(folder / DATABASE),
        "log_level": log_level,
        "base_url": base_url,
        "operators": operators,
        "api_url": api_url,
    }
    quoted = {name: json.dumps(value) for name, value in values.items()}
    config.write_text(CONFIGURATION.format(**quoted, platform=platform, settings=settings))
    return [sys.executable, "-m", "bot", "run", "--config", str(config)]


class Program:
    """The program that operators start. It lives in an `async with`; a test may end it there, and
    start it again. `log` has what all its lives wrote.
    """

    def __init__(self, folder: Path) -> None:
        self.database = folder / DATABASE
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._lines: list[str] = []
        self._written = asyncio.Condition()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.end()

    async def start(self) -> None:
        """Run until the platform reaches it."""
        raise NotImplementedError

    async def run(self, command: Sequence[str], secrets: Mapping[str, str]) -> None:
        """Begin another life."""
        self._process = await asyncio.create_subprocess_exec(
            *command,
            env={**os.environ, **secrets},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        self._reading = asyncio.create_task(self._read(self._process), name="read the log")

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout
        async for line in process.stdout:
            async with self._written:
                self._lines.append(line.decode())
                self._written.notify_all()

    @property
    def log(self) -> str:
        """Everything that was logged or printed."""
        return "".join(self._lines)

    @property
    def logged(self) -> int:
        """How many lines that is."""
        return len(self._lines)

    async def logs(self, text: str, begins: int) -> str:
        """The first line with a text, once it is written; `begins` is where to look from."""

        def found() -> list[str]:
            return [line for line in self._lines[begins:] if text in line]

        async with asyncio.timeout(30), self._written:
            await self._written.wait_for(found)
        return found()[0]

    async def ended(self) -> int:
        """Wait for its end by itself; its exit code."""
        assert self._process
        assert self._reading
        code = await self._process.wait()
        await self._reading
        return code

    async def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Send it a signal and wait for its end; its exit code, also if it has ended before."""
        assert self._process
        if self._process.returncode is None:
            self._process.send_signal(how)
        return await self.ended()
