"""A trainer's process, seen from the queue."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, cast

from bot.local.jobs.values import Failure

COMMAND = (sys.executable, "-P", "-m", "bot.local.training")
LONGEST_LINE = 1 << 20  # bytes
KEPT = 2048  # bytes of what it says of its end


class Trainer:
    """A process that trains, and says what it does in lines of JSON: `bot.local.training.events`.

    Its priority is low by its own doing, and it ends itself when nobody hears it any more.
    """

    def __init__(self, process: Process) -> None:
        self._process = process
        self._said = b""
        self._listener = asyncio.create_task(self._listen(), name="trainer's log")

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def was_killed(self) -> bool:
        """Whether it has ended, and by a signal."""
        return (self._process.returncode or 0) < 0

    @classmethod
    @asynccontextmanager
    async def started(cls, command: Sequence[str], spec: Path) -> AsyncIterator[Trainer]:
        """A trainer for as long as it is needed: it is killed at the end, and goes on from its last
        saved state when it is started again. Raises OSError where there can be no process.
        """
        # Its own session keeps Ctrl-C in the terminal from it.
        process = await asyncio.create_subprocess_exec(
            *command,
            str(spec),
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=PIPE,
            limit=LONGEST_LINE,
            start_new_session=True,
        )
        trainer = cls(process)
        try:
            yield trainer
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            await trainer._listener

    async def events(self) -> AsyncGenerator[dict[str, Any], None]:
        """What it says, until it ends. A line that its death cut off is none."""
        output = cast(asyncio.StreamReader, self._process.stdout)
        while (line := await output.readline()).endswith(b"\n"):
            yield json.loads(line)

    async def failure(self) -> Failure:
        """Why it ended without having said so."""
        status = await self._process.wait()
        await self._listener
        last = self._said.decode(errors="replace").strip().rpartition("\n")[2]
        if status == -signal.SIGKILL:
            return Failure(
                "out_of_memory",
                "The system ended the training, most likely because memory ran out: close other "
                "programs, or train with a smaller batch or shorter rows.",
            )
        return Failure(
            "trainer_died",
            f"The training ended unexpectedly (status {status}; {last or 'it said nothing'}): "
            f"start it again, and report it if that happens twice.",
        )

    async def _listen(self) -> None:
        log = cast(asyncio.StreamReader, self._process.stderr)
        while piece := await log.read(KEPT):
            self._said = (self._said + piece)[-KEPT:]
