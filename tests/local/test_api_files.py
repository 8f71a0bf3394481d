"""Files that are looked through beside everything else."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest

from bot.local.jobs import examining
from bot.local.jobs.data import examine
from bot.local.jobs.database import Database
from tests.local.api import CHAT, Api, serving
from tests.local.scripted import PATIENCE, ScriptedTrainer


class Reading:
    """The check of files: it is held until the test lets it go."""

    def __init__(self) -> None:
        self.goes_on = threading.Event()
        self.begun = threading.Semaphore(0)

    def __call__(self, path: Path, interrupted: Any) -> Any:
        self.begun.release()
        while not self.goes_on.wait(0.01):
            if interrupted():
                break
        return examine(path, interrupted)


@pytest.fixture
def reading(monkeypatch: pytest.MonkeyPatch) -> Iterator[Reading]:
    reading = Reading()
    monkeypatch.setattr(examining, "examine", reading)
    yield reading
    reading.goes_on.set()


async def test_upload_is_answered_before_the_file_is_read(reading: Reading, api: Api) -> None:
    file = await api.upload(CHAT + b"{}\n")
    assert (await api.sdk.files.retrieve(file)).status == "uploaded"
    reading.goes_on.set()
    told = await api.examined(file)
    assert (told.status, "Line 4: " in (told.status_details or "")) == ("error", True)


async def test_job_waits_until_its_files_have_been_read(
    reading: Reading, api: Api, trainer: ScriptedTrainer
) -> None:
    file, other = await api.upload(), await api.upload()
    asking = asyncio.create_task(api.create(file, validation_file=other))
    await api.sdk.files.list()
    assert not asking.done()
    reading.goes_on.set()
    assert (await asking).status == "queued"
    await trainer.run()


async def test_file_that_is_deleted_while_it_is_read_does_not_come_back(
    reading: Reading, api: Api
) -> None:
    file = await api.upload()
    assert await asyncio.to_thread(reading.begun.acquire, timeout=PATIENCE)
    await api.sdk.files.delete(file)
    reading.goes_on.set()
    await api.examined(await api.upload())
    with pytest.raises(openai.NotFoundError):
        await api.sdk.files.retrieve(file)


@pytest.mark.usefixtures("llama")
async def test_file_that_was_not_read_to_its_end_is_read_at_the_next_start(
    reading: Reading, tmp_path: Path, trainer: ScriptedTrainer
) -> None:
    async with serving(tmp_path, trainer) as api:
        file = await api.upload()
        assert await asyncio.to_thread(reading.begun.acquire, timeout=PATIENCE)
    async with serving(tmp_path, trainer) as api:
        assert (await api.sdk.files.retrieve(file)).status == "uploaded"
        reading.goes_on.set()
        assert (await api.examined(file)).status == "processed"


async def test_file_that_cannot_be_read_any_more_says_so(
    reading: Reading, api: Api, tmp_path: Path
) -> None:
    file = await api.upload()
    (tmp_path / "tuning" / "files" / file).unlink()
    reading.goes_on.set()
    assert "cannot be read any more" in ((await api.examined(file)).status_details or "")


async def test_check_is_tried_again_where_the_database_is_busy(
    reading: Reading, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = await api.upload()
    tried = threading.Event()
    transaction = Database.transaction

    def busy(self: Database) -> Any:
        if not tried.is_set():
            tried.set()
            raise sqlite3.OperationalError("database is locked")
        return transaction(self)

    monkeypatch.setattr(Database, "transaction", busy)
    monkeypatch.setattr(examining, "BREATH", 0)
    reading.goes_on.set()
    assert (await api.examined(file)).status == "processed"
    assert tried.is_set()
