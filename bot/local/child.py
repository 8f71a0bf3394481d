"""One child process that serves a model, seen from its parent."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import sys
from asyncio.subprocess import PIPE, Process
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from bot.errors import LocalUnavailable
from bot.local.unavailable import INSTALL, unavailable

SCRIPT = Path(__file__).with_name("llama.py")
KEPT = 4096  # bytes of what the native code says, about 20 lines


@dataclass(frozen=True, slots=True)
class Settings:
    """What the child is told. `slot_context` is in tokens; port 0 takes a free one. An adapter's
    place among `adapters` is its id in requests. One that `embeds` makes embeddings, in which an
    adapter has no part.
    """

    model: str
    name: str
    slots: int
    slot_context: int
    threads: int
    key: str = field(repr=False)
    port: int = 0
    adapters: tuple[str, ...] = ()
    embeds: bool = False


class Child:
    """A running child. Its log goes nowhere; the last lines are kept to explain a failed start."""

    port = 0

    def __init__(self, process: Process) -> None:
        self._process = process
        self._said = b""
        self._listener = asyncio.create_task(self._listen(), name="local model's log")

    @classmethod
    async def start(cls, settings: Settings, patience: float) -> Child:
        """Start a child and return when it answers. `patience` is in seconds.

        The settings go through a pipe: arguments and environment can be read by others. Its own
        session keeps Ctrl-C in the terminal from it. Raises LocalUnavailable.
        """
        command = sys.executable, "-P", SCRIPT
        try:
            process = await asyncio.create_subprocess_exec(
                *command, stdin=PIPE, stdout=PIPE, stderr=PIPE, start_new_session=True
            )
        except OSError as error:
            raise unavailable(f"no process can be started ({error.strerror})") from error
        child = cls(process)
        try:
            async with asyncio.timeout(patience):
                child.port = await child._tell(settings)
        except TimeoutError:
            await child.stop()
            raise unavailable(f"the model did not load within {patience:g} seconds") from None
        except BaseException:
            await child.stop()
            raise
        return child

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.returncode is None

    async def wait(self) -> int:
        """Return when the child has ended: its exit status, negative for a signal."""
        return await self._process.wait()

    async def stop(self) -> None:
        """Kill the child: it has nothing to put in order."""
        with suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()
        await self._listener

    async def _tell(self, settings: Settings) -> int:
        """Give the child its settings; returns the port on which it listens."""
        orders = cast(asyncio.StreamWriter, self._process.stdin)
        answers = cast(asyncio.StreamReader, self._process.stdout)
        orders.write(json.dumps(asdict(settings)).encode() + b"\n")
        with suppress(ConnectionError):  # it died already: its status says more
            await orders.drain()
        line = await answers.readline()
        answer = json.loads(line) if line else {}
        if "address" in answer:
            return urlsplit(answer["address"]).port or 0
        status = await self._process.wait()
        await self._listener
        raise failure(answer, status, self._said.decode(errors="replace"))

    async def _listen(self) -> None:
        log = cast(asyncio.StreamReader, self._process.stderr)
        while piece := await log.read(KEPT):
            self._said = (self._said + piece)[-KEPT:]


def failure(answer: dict[str, Any], status: int, said: str) -> LocalUnavailable:
    """Why a child did not start: from its answer, its exit status and its last lines."""
    if "missing" in answer:
        return unavailable(f"the package {answer['missing']} is not installed", INSTALL)
    # The first error is the cause: 0.00.028.314 E llama_model_load: error loading model: …
    first = re.search(r"^[\d.]+ E [^:]*: *(.+)$", said, re.MULTILINE)
    if first:
        return unavailable(f"llama.cpp says: {first[1]}")
    if "error" in answer:
        return unavailable(f"xllamacpp does not work here ({answer['error']})")
    if status == -signal.SIGILL:
        return unavailable("the processor lacks instructions that llama.cpp needs (AVX2)")
    last = said.strip().rpartition("\n")[2]
    return unavailable(
        f"the child process ended with status {status} ({last or 'it said nothing'})"
    )
