"""The local provider: OpenAI's API on this machine, with everything behind it."""

from __future__ import annotations

import asyncio
import os
import secrets
import sqlite3
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from bot.config.keys import secret
from bot.datasets.cost import Usual
from bot.local import presence
from bot.local.api.application import application
from bot.local.api.upstream import Upstream
from bot.local.api.web import Web, listen
from bot.local.child import Settings
from bot.local.engine import ENGINES
from bot.local.generations import Generations
from bot.local.jobs.database import Database
from bot.local.jobs.examining import Examining
from bot.local.jobs.folder import Folder
from bot.local.jobs.making import Jobs
from bot.local.jobs.pruning import sweep
from bot.local.jobs.queue import Queue
from bot.local.memory import resident
from bot.local.model import model_name, model_path
from bot.local.served import Served
from bot.local.serving import START_TIMEOUT, cores
from bot.local.unavailable import unavailable
from bot.local.usual import usual
from bot.local.vllm import Vllm
from bot.messages import Provider


class LocalServer:
    """A local provider's model and its fine-tuning behind HTTP.

    Every request needs `key`, or one of `keys`, as its bearer token; with `is_open` none that comes
    from this machine does. While the model is started again, answers get a 503: clients try again.
    """

    def __init__(
        self,
        provider: Provider,
        data_folder: Path,
        start_timeout: float = START_TIMEOUT,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        keys: Collection[str] = (),
        is_open: bool = False,
        trains: bool = True,
        trainer: Sequence[str] = (),
        now: Callable[[], float] = time.time,
    ) -> None:
        self.model = model_name(provider)
        self.base_url = ""  # known once started, as is:
        self.usual: Usual
        self.key = secrets.token_urlsafe(32)
        self._provider = provider
        self._data_folder = data_folder
        self._start_timeout = start_timeout
        self._address = host, port
        self._keys = {self.key, *keys}
        self._is_open = is_open
        self._trains = trains
        self._trainer = trainer
        self._now = now
        self._stack = AsyncExitStack()
        self._served: Served | None = None
        self._queue: Queue | None = None

    @property
    def alive(self) -> bool:
        """Whether the model's process runs at this moment."""
        return self._served is not None and self._served.alive

    async def start(self) -> None:
        """Fetch the model where it is missing, load it, and return when it answers. Jobs that were
        interrupted go on, unless another process runs the queue of this data folder.

        Raises ConfigError for a model_file that is none, an engine that cannot run or an address
        that cannot be had, LocalUnavailable for everything else.
        """
        provider = self._provider
        file = None if provider.vllm_url else await model_path(provider, self._data_folder)
        engine = await asyncio.to_thread(ENGINES[provider.engine], provider, file)
        if self._trainer:
            engine = replace(engine, command=self._trainer)
        folder = Folder(self._data_folder / "tuning")
        database = Database(folder.database)
        try:
            folder.make()
            database.open()
            self._stack.callback(database.close)
            await asyncio.to_thread(sweep, database, folder, self._now())
        except (OSError, sqlite3.Error) as error:
            raise unavailable(
                f"the fine-tune jobs in {folder.path} cannot be read or written ({error})",
                "set data_folder to a place with room",
            ) from error
        self.usual = usual(provider.engine, engine.base, database)
        queue = Queue(database, folder, self._now, engine.command_for)
        served = self._serving(file, engine.base)
        self._served, self._queue = served, queue
        self._stack.push_async_callback(served.stop)
        await served.start()
        upstream = Upstream(served)
        self._stack.push_async_callback(upstream.aclose)
        examining = Examining(database, folder)
        self._stack.push_async_callback(examining.close)
        await examining.resume()
        loop = asyncio.get_running_loop()

        def changed() -> None:
            loop.call_soon_threadsafe(queue.poke)

        web = Web(
            listen(*self._address),
            application(
                model=self.model,
                base=engine.base,
                database=database,
                folder=folder,
                work=Jobs(database, folder, self._now, changed),
                examining=examining,
                served=served,
                upstream=upstream,
                keys=self._keys,
                is_open=self._is_open,
                status=self.status,
                now=self._now,
            ),
        )
        self._stack.push_async_callback(web.stop)
        await web.start()
        host = f"[{self._address[0]}]" if ":" in self._address[0] else self._address[0]
        self.base_url = f"http://{host}:{web.port}/v1"
        trained = str(engine.base) if self._trains else ""
        server = presence.Server(os.getpid(), self.base_url, self.key, trained)
        self._stack.callback(presence.announce(folder.servers, server).unlink, missing_ok=True)
        if self._trains:
            running = asyncio.create_task(queue.run(), name="fine-tune queue")
            self._stack.push_async_callback(ended, running)

    async def stop(self) -> None:
        """End everything. Answers that are under way break; a training goes on next time."""
        await self._stack.aclose()

    def status(self) -> dict[str, Any]:
        """What runs, for `tunebot local status`. Memory is in bytes, what is resident."""
        assert self._served is not None  # noqa: S101 - asked once it is started
        assert self._queue is not None  # noqa: S101
        trainer = self._queue.trainer
        return {
            "model": self.model,
            "slots": self._provider.slots,
            "answering": self._served.answering,
            "adapters": list(self._served.adapters),
            "memory": {
                "server": resident(os.getpid()),
                "model": sum(map(resident, self._served.pids)),
                "embeddings": sum(map(resident, self._served.embedding_pids)),
                "training": resident(trainer.pid) if trainer else 0,
            },
        }

    def _serving(self, file: Path | None, base: Path) -> Served:
        """What serves a file, or without one the folder that is trained on."""
        if file:
            return Generations(self._settings(file), self._start_timeout)
        return Vllm(self._provider.vllm_url, secret(self._provider), base)

    def _settings(self, path: Path) -> Settings:
        return Settings(
            model=str(path),
            name=self.model,
            slots=self._provider.slots,
            slot_context=self._provider.slot_context,
            threads=self._provider.threads or cores(),
            key=secrets.token_urlsafe(32),
        )


async def ended(task: asyncio.Task[None]) -> None:
    """End a task."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
