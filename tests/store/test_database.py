"""What was reported as done survives everything; what was not leaves nothing behind."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest
from sqlite_utils import Database

from bot.errors import CommandError, StoreBusy, StoreError, StoreFull, StoreTaken
from bot.store import Store, backup, healthy
from tests.clock import HeldClock, StoppedClock


@asynccontextmanager
async def opened(path: Path, *, busy_seconds: float = 0.01) -> AsyncIterator[Store]:
    """A store with a table of notes."""
    store = Store(path, HeldClock(), busy_seconds=busy_seconds)
    await store.open()
    try:
        await store.do(lambda db: db.execute("CREATE TABLE IF NOT EXISTS notes (text)") and None)
        yield store
    finally:
        await store.close()


def note(db: Database, text: str) -> None:
    db.execute("INSERT INTO notes VALUES (?)", [text])


def notes(db: Database) -> list[str]:
    return [text for (text,) in db.execute("SELECT text FROM notes ORDER BY rowid")]


def note_and_fail(db: Database, error: Exception) -> None:
    note(db, "half")
    raise error


async def test_steps_run_in_the_order_in_which_they_were_asked_for(tmp_path: Path) -> None:
    async with opened(tmp_path / "a.db") as store:
        await asyncio.gather(*(store.do(note, f"{n}") for n in range(1000)))
        assert await store.do(notes) == [f"{n}" for n in range(1000)]


async def test_a_step_that_fails_takes_back_itself_alone(tmp_path: Path) -> None:
    async with opened(tmp_path / "a.db") as store:
        outcomes = await asyncio.gather(
            store.do(note, "before"),
            store.do(note_and_fail, CommandError("no")),
            store.do(note_and_fail, ZeroDivisionError()),
            store.do(note_and_fail, sqlite3.IntegrityError("broken")),
            store.do(note, "after"),
            return_exceptions=True,
        )
        assert [type(outcome).__name__ for outcome in outcomes] == [
            "NoneType",
            "CommandError",
            "ZeroDivisionError",
            "StoreError",
            "NoneType",
        ]
        assert await store.do(notes) == ["before", "after"]


async def test_the_file_is_in_wal_mode_and_fully_synchronous(tmp_path: Path) -> None:
    async with opened(tmp_path / "a.db") as store:
        modes = await store.do(
            lambda db: [
                db.execute(f"PRAGMA {name}").fetchone()[0]
                for name in ("journal_mode", "synchronous", "fullfsync")
            ]
        )
        assert modes == ["wal", 2, 1]


async def test_a_second_tunebot_on_the_same_database_is_refused(tmp_path: Path) -> None:
    async with opened(tmp_path / "a.db"):
        with pytest.raises(StoreTaken, match="Another tunebot runs on"):
            await Store(tmp_path / "a.db", HeldClock()).open()
    async with opened(tmp_path / "a.db"):
        """Once the first has closed it, it is free."""


async def test_a_locked_database_is_a_sentence_and_works_again_afterwards(tmp_path: Path) -> None:
    async with opened(tmp_path / "a.db") as store:
        with closing(sqlite3.connect(tmp_path / "a.db")) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreBusy, match="locked by another program"):
                await store.do(note, "lost")
        await store.do(note, "kept")
        assert await store.do(notes) == ["kept"]


async def test_an_insisting_step_waits_for_a_locked_database(tmp_path: Path) -> None:
    clock = StoppedClock()
    store = Store(tmp_path / "a.db", clock, busy_seconds=0.01)
    await store.open()
    await store.do(lambda db: db.execute("CREATE TABLE notes (text)") and None)
    with closing(sqlite3.connect(tmp_path / "a.db")) as other:
        other.execute("BEGIN IMMEDIATE")
        step = asyncio.create_task(store.insist(note, "kept"))
        await clock.asleep()
    clock.advance(1)
    await step
    assert await store.do(notes) == ["kept"]
    await store.close()


async def test_a_full_disk_is_a_sentence_and_works_again_afterwards(tmp_path: Path) -> None:
    async with opened(tmp_path / "a.db") as store:
        pages = await store.do(lambda db: db.execute("PRAGMA page_count").fetchone()[0])
        await store.do(lambda db: db.execute(f"PRAGMA max_page_count = {pages}") and None)
        outcomes = await asyncio.gather(
            store.do(note, "small"), store.do(note, "x" * 100_000), return_exceptions=True
        )
        assert StoreFull in map(type, outcomes)
        for outcome in outcomes:
            assert outcome is None or "disk is full" in str(outcome)
        await store.do(lambda db: db.execute(f"PRAGMA max_page_count = {pages * 1000}") and None)
        stored = await store.do(notes)
        assert stored == (["small"] if outcomes[0] is None else [])
        await store.do(note, "y" * 100_000)


async def test_what_cannot_be_a_database_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "folder.db").mkdir()
    (tmp_path / "text.db").write_text("This is no database, and long enough to be seen as none.")
    for name in ("folder.db", "text.db"):
        with pytest.raises(StoreError, match="cannot be used"):
            await Store(tmp_path / name, HeldClock()).open()


async def test_a_backup_is_whole_while_steps_go_on(tmp_path: Path) -> None:
    async with opened(tmp_path / "a.db") as store:
        await store.do(note, "one")
        await asyncio.to_thread(backup, tmp_path / "a.db", tmp_path / "copy.db")
        await store.do(note, "two")
        with pytest.raises(StoreError, match="exists already"):
            backup(tmp_path / "a.db", tmp_path / "copy.db")
    with closing(Database(tmp_path / "copy.db")) as copy:
        assert notes(copy) == ["one"]
    assert stat.S_IMODE((tmp_path / "copy.db").stat().st_mode) == 0o600


def test_a_backup_of_nothing_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no such database"):
        backup(tmp_path / "a.db", tmp_path / "copy.db")
    assert not list(tmp_path.iterdir())


async def test_the_database_is_for_its_owner_only(tmp_path: Path) -> None:
    async with opened(tmp_path / "a.db") as store:
        await store.do(note, "private")
        for file in sorted(tmp_path.glob("*")):
            assert stat.S_IMODE(file.stat().st_mode) == 0o600, file.name


async def test_life_is_shown_by_a_fresh_beat_of_a_running_bot(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    assert not healthy(path, 0.0)
    async with opened(path) as store:
        store.beat()
        beat = (tmp_path / "a.db.lock").stat().st_mtime
        assert healthy(path, beat + 30)
        assert not healthy(path, beat + 90)
    assert not healthy(path, beat)


KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from tests.store.test_database import note, opened

async def main():
    async with opened(Path(sys.argv[1])) as store:
        for number in range(1000):
            await store.do(note, str(number))
            print(number, flush=True)
            if number == 20:
                for more in range(50):
                    asyncio.ensure_future(store.do(note, f"more {more}"))
                os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


async def test_what_was_acknowledged_survives_kill_9(tmp_path: Path) -> None:
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", KILLED, str(tmp_path / "a.db")],
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    )
    assert done.returncode == -signal.SIGKILL
    acknowledged = done.stdout.decode().split()
    async with opened(tmp_path / "a.db") as store:
        assert (await store.do(notes))[:21] == acknowledged


async def test_a_second_tunebot_is_refused_by_another_name_of_the_database_too(
    tmp_path: Path,
) -> None:
    (tmp_path / "alias.db").symlink_to(tmp_path / "a.db")
    async with opened(tmp_path / "a.db"):
        with pytest.raises(StoreTaken):
            await Store(tmp_path / "alias.db", HeldClock()).open()


async def test_a_link_that_leads_nowhere_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("No folder.")
    (tmp_path / "a.db").symlink_to(tmp_path / "file" / "b.db")
    with pytest.raises(StoreError, match="cannot be used"):
        await Store(tmp_path / "a.db", HeldClock()).open()


async def test_closing_leaves_no_write_ahead_log_behind_even_during_a_scrub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    began, going = threading.Event(), threading.Event()

    def slow(path: Path) -> None:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("SELECT * FROM notes").fetchall()
            began.set()
            going.wait()

    monkeypatch.setattr("bot.store.file.checkpoint", slow)
    async with opened(tmp_path / "a.db") as store:
        await store.do(note, "secret")
        scrub = asyncio.create_task(store.scrub())
        await asyncio.to_thread(began.wait)
        scrub.cancel()  # as a shutdown does
        asyncio.get_running_loop().call_later(0.05, going.set)
    assert not (tmp_path / "a.db-wal").exists()
