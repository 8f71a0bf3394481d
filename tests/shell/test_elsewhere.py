"""`tunebot finetune` beside another tunebot that has the database."""

from __future__ import annotations

import asyncio
import getpass
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from adapters.http import Http, Settings, create
from bot.app import App
from bot.config import load
from bot.store import Store
from tests.clock import StoppedClock
from tests.shell.stage import Shell
from tests.tuning_server import Story, TuningServer

KEY = "a-key-of-a-test-with-32-letters."
KEYS = {"TUNEBOT_API_KEYS": KEY}
AT_ONCE = Story(steps=20, reading=0.0, queue=(), waiting=0.0, pace=0.0)


@asynccontextmanager
async def another(shell: Shell, tuning: TuningServer) -> AsyncIterator[Http]:
    """A tunebot that has the database, and the shell's configuration says where it listens."""
    environment = {"TUNING_KEY": tuning.key, **KEYS}
    adapter = create("http", Settings(port=0), environment)
    config = load(shell.config, environment).model_copy(
        update={
            "database": shell.folder / "tunebot.db",
            "data_folder": str(shell.folder / "data"),
            "shutdown_seconds": 1.0,
        }
    )
    app = App(config, [adapter], environment=environment)
    run = asyncio.create_task(app.run(), name="another")
    listening = asyncio.create_task(adapter.listening.wait(), name="listening")
    await asyncio.wait([run, listening], return_when=asyncio.FIRST_COMPLETED)
    port = adapter.address.rstrip("/").rpartition(":")[2]
    with shell.config.open("a") as file:
        file.write(f"[adapters.http]\nport = {port}\n")
    try:
        yield adapter
    finally:
        app.stop()
        await run


def let_in(shell: Shell) -> None:
    """Name the shell's person as an operator over HTTP."""
    with shell.config.open("a") as file:
        file.write(f'[access]\noperators = ["http:{getpass.getuser()}"]\n')


async def test_other_tunebot_trains_and_is_followed(shell: Shell, tuning: TuningServer) -> None:
    let_in(shell)
    async with another(shell, tuning):
        tuning.story = AT_ONCE
        done = await shell.does("start", "faq.csv", "davinci-002", "--yes", **KEYS)
        assert (done.code, done.err) == (0, "")
        assert "✅ faq is trained: davinci-002 answers as" in done.out
        listed = await shell.does("list", **KEYS)
        assert listed.code == 0
        assert "succeeded" in listed.out
        refused = await shell.does("start", "file-nowhere", "davinci-002", "--yes", **KEYS)
        assert refused.code == 1
        assert "the log of the tunebot that runs says why" in refused.err


async def test_who_has_no_key_or_no_right_is_told(shell: Shell, tuning: TuningServer) -> None:
    async with another(shell, tuning):
        done = await shell.does("datasets", TUNEBOT_API_KEYS="")
        assert (done.code, done.out) == (1, "")
        assert "Export TUNEBOT_API_KEYS." in done.err
        done = await shell.does("datasets", **KEYS)
        assert done.code == 1
        assert f"'http:{getpass.getuser()}'" in done.err


async def test_other_tunebot_out_of_reach_is_a_sentence(shell: Shell) -> None:
    store = Store(shell.folder / "tunebot.db", StoppedClock())
    await store.open()
    try:
        done = await shell.does("list")
        assert done.code == 1
        assert "[adapters.http] is not configured to reach it" in done.err
        with shell.config.open("a") as config:
            config.write("[adapters.http]\nport = 1\n")
        done = await shell.does("list")
        assert done.code == 1
        assert "none answers at http://127.0.0.1:1/" in done.err
    finally:
        await store.close()
