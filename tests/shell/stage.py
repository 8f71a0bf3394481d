"""A shell in a folder of its own: with pipes, and with a terminal."""

from __future__ import annotations

import asyncio
import os
import pty
import re
import signal
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from typing import NamedTuple

from tests.tuning_server import TuningServer

WAIT = 60.0  # seconds, on a machine that is busy with other tests
CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
CONFIG = """
database = "tunebot.db"
data_folder = "data"

[providers.tuning]
base_url = "{base_url}"
api_key_env = "TUNING_KEY"

[profiles.assistant]
provider = "tuning"
model = "gpt-4o-mini"

[tuning]
poll_seconds = 0.05

[adapters.telegram]
"""
ROWS = [f"how do I open door {n},press {n * 7}" for n in range(20)]


class Ended(NamedTuple):
    """How a command ended."""

    code: int | None
    out: str
    err: str


class Shell:
    """Runs `tunebot finetune` beside a configuration, and a file to train from."""

    def __init__(self, folder: Path, tuning: TuningServer) -> None:
        self.folder = folder
        self.config = folder / "tunebot.toml"
        self.config.write_text(CONFIG.format(base_url=tuning.base_url))
        (folder / "faq.csv").write_text("\n".join(["prompt,completion", *ROWS]) + "\n")
        self._environment = {
            **os.environ,
            "TUNING_KEY": tuning.key,
            "PYTHONPATH": str(Path.cwd()),
            "HOME": str(folder),
            "TERM": "xterm",
            "COLUMNS": "100",
        }
        self._processes: list[Process] = []

    async def starts(self, *words: str, **environment: str) -> Process:
        """A command that runs."""
        return await self._start(("finetune", *words), environment, PIPE, PIPE, PIPE)

    async def chats(self, typed: str) -> str:
        """What `tunebot chat` says to what is piped in."""
        process = await self._start(("chat",), {}, PIPE, PIPE, PIPE)
        async with asyncio.timeout(WAIT):
            out, _ = await process.communicate(typed.encode())
        return out.decode()

    async def does(self, *words: str, **environment: str) -> Ended:
        """A command, to its end; nobody types."""
        return await ended(await self.starts(*words, **environment))

    async def shows(self, *words: str) -> Terminal:
        """A command in a terminal."""
        ours, theirs = pty.openpty()
        process = await self._start(("finetune", *words), {}, theirs, theirs, theirs)
        os.close(theirs)
        return Terminal(process, ours)

    async def _start(
        self, words: tuple[str, ...], environment: dict[str, str], *streams: int
    ) -> Process:
        stdin, stdout, stderr = streams
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", *words),
            cwd=self.folder,
            env={**self._environment, **environment},
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
        )
        self._processes.append(process)
        return process

    async def close(self) -> None:
        """End what still runs."""
        for process in self._processes:
            if process.returncode is None:
                process.kill()
                await process.wait()


async def ended(process: Process) -> Ended:
    """Wait for the end of a command."""
    async with asyncio.timeout(WAIT):
        out, err = await process.communicate(b"")
    return Ended(process.returncode, out.decode(), err.decode())


class Terminal:
    """What a person sees of a command, and types."""

    def __init__(self, process: Process, descriptor: int) -> None:
        self._process = process
        self._descriptor = descriptor
        self._written = ""
        self._changed = asyncio.Event()
        asyncio.get_running_loop().add_reader(descriptor, self._read)

    @property
    def seen(self) -> str:
        """All that was written, without what moves the cursor."""
        return CODES.sub("", self._written).replace("\r", "")

    async def sees(self, text: str) -> None:
        """Return once it is there; what is before it is done with."""
        async with asyncio.timeout(WAIT):
            while text not in self.seen:
                self._changed.clear()
                await self._changed.wait()
        self._written = self.seen.partition(text)[2]

    def types(self, line: str) -> None:
        """Type a line."""
        os.write(self._descriptor, f"{line}\n".encode())

    async def interrupted(self) -> int | None:
        """Press Ctrl-C; the exit code."""
        self._process.send_signal(signal.SIGINT)
        return await self.ended()

    async def ended(self) -> int | None:
        """Wait for its end; the exit code."""
        async with asyncio.timeout(WAIT):
            code = await self._process.wait()
        self._read()
        asyncio.get_running_loop().remove_reader(self._descriptor)
        os.close(self._descriptor)
        return code

    def _read(self) -> None:
        try:
            self._written += os.read(self._descriptor, 65536).decode(errors="replace")
        except OSError:  # the other end is closed: it has ended
            asyncio.get_running_loop().remove_reader(self._descriptor)
        self._changed.set()
