"""What is kept, and what goes wrong with keeping it; no server runs."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import LocalUnavailable
from bot.local.api.asked import new_job
from bot.local.api.errors import Refused, unkept
from bot.local.api.jobs import shown
from bot.local.jobs import data, queue
from bot.local.jobs.data import examine
from bot.local.jobs.database import Database, overview
from bot.local.jobs.folder import Folder
from bot.local.jobs.queue import Queue, failure_of
from bot.local.jobs.telling import Telling, model_name
from bot.local.jobs.values import Event, Job
from bot.local.training import events
from bot.local.training.fault import TrainingFault
from tests.local.api import CHAT, PAIRS, PREFERENCES, Api
from tests.local.scripted import PATIENCE, ScriptedTrainer, measured

ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda each: (
        st.lists(each, max_size=3) | st.dictionaries(st.text(max_size=8), each, max_size=3)
    ),
    max_leaves=8,
)
NAMES = (
    "model training_file validation_file method hyperparameters suffix seed metadata integrations"
    " type dpo supervised n_epochs beta batch_size learning_rate_multiplier"
)
KEYS = st.sampled_from(NAMES.split())
FIELDS = st.dictionaries(KEYS, ANY | st.dictionaries(KEYS, ANY, max_size=3), max_size=5)
GOOD = [*CHAT.splitlines(), *PAIRS.splitlines(), PREFERENCES]
LINES = st.lists(st.binary(max_size=20) | st.sampled_from(GOOD), max_size=6)


def a_job(**fields: Any) -> Job:
    given: dict[str, Any] = {
        "id": "ftjob-0123456789",
        "model": "tiny",
        "base": "/tiny.gguf",
        "kind": "chat",
        "method": "supervised",
        "training_file": "file-1",
        "created_at": 1,
    }
    return Job(**{**given, **fields})


def sqlite_error(code: int) -> sqlite3.Error:
    error = sqlite3.OperationalError("as SQLite raises it")
    error.sqlite_errorcode = code
    return error


@given(body=FIELDS)
def test_whatever_is_asked_for_is_taken_or_refused_in_words(body: dict[str, Any]) -> None:
    try:
        job = new_job({"model": "m", "training_file": "f", **body})
    except Refused as refused:
        status, message = refused.status, refused.message
    else:
        status, message = 400, json.dumps(job.chosen)
    assert status == 400
    assert message


@given(lines=LINES)
def test_whatever_a_file_holds_is_examined(
    lines: list[bytes], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.jsonl"
    path.write_bytes(b"\n".join(lines))
    kind, fault = examine(path)
    assert kind or fault


@pytest.mark.parametrize(
    ("content", "kind"), [(CHAT, "chat"), (PAIRS, "completion"), (PREFERENCES, "preference")]
)
def test_kind_of_a_file_is_seen(content: bytes, kind: str, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + content + b"\n")
    assert examine(path) == (kind, "")


@pytest.mark.parametrize(
    "line",
    [
        '{"prompt": "a", "completion": "\\ud800 b"}',
        '{"messages": [{"role": "assistant", "content": "\\udc00"}]}',
    ],
)
def test_half_a_character_is_named(line: str, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(line)
    assert examine(path).fault.startswith("Line 1: there is half a character, such as \\ud83d ")


def test_line_that_is_too_long_is_named_and_not_kept_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data, "LONGEST_LINE", 200)
    path = tmp_path / "a.jsonl"
    path.write_bytes(PAIRS + b'{"prompt": "' + b"x" * 1000 + b'"}\n' + PAIRS)
    assert examine(path).fault == "Line 4: this is longer than the 0 MB that a line may have."


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"How do I reset my password?", "this is no JSON (Expecting value, character 1)"),
        (b'{"prompt": "a" "b"}', "this is no JSON (Expecting ',' delimiter, character 16)"),
        (b"[1]", "this is JSON, but no object"),
        (b'"caf\xe9"', "this is no text in UTF-8"),
        (b"1" * 5000, "this is JSON with a number that is too long, or nested too deeply"),
        (b"[" * 100_000, "this is JSON with a number that is too long, or nested too deeply"),
    ],
)
def test_line_that_is_no_object_is_said_to_be_what_it_is(
    line: bytes, reason: str, tmp_path: Path
) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(CHAT + line + b"\n")
    assert examine(path).fault == f"Line 4: {reason}."


@pytest.mark.parametrize(
    ("suffix", "name"),
    [
        ("", "ft:tiny:local::01234567"),
        ("FAQ bot: v2/α", "ft:tiny:local:faq-bot-v2:01234567"),
    ],
)
def test_name_of_a_model_can_stand_in_an_address(suffix: str, name: str) -> None:
    assert model_name(a_job(suffix=suffix)) == name


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "disk_full"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), "out_of_memory"),
        (OSError(errno.EACCES, "Permission denied"), "storage_error"),
        (sqlite_error(sqlite3.SQLITE_FULL), "disk_full"),
        (sqlite_error(sqlite3.SQLITE_IOERR_SHMSIZE), "disk_full"),
        (sqlite_error(sqlite3.SQLITE_IOERR_READ), "storage_error"),
        (sqlite3.DatabaseError("malformed"), "storage_error"),
        (KeyError("step"), "internal_error"),
    ],
)
def test_trouble_of_a_job_has_a_code_and_a_sentence(error: Exception, code: str) -> None:
    failure = failure_of(error)
    assert failure.code == code
    assert failure.message.endswith(".")
    assert (unkept(error).code == "disk_full") == (code == "disk_full")


def full(*_: Any) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


async def test_full_disk_at_the_end_of_a_training_fails_the_job(
    api: Api, trainer: ScriptedTrainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = await api.create()
    run = await trainer.run()
    monkeypatch.setattr(shutil, "copyfile", full)
    await run.succeeds()
    ended = await api.has(job.id, "failed")
    assert ended.error is not None
    assert ended.error.code == "disk_full"
    assert ended.fine_tuned_model is None
    assert not (run.output / "state.npz").exists()


async def test_disk_that_is_too_full_to_say_so_costs_the_job_its_state_and_not_its_data(
    api: Api, trainer: ScriptedTrainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "BREATH", 0.01)
    job = await api.create()
    run = await trainer.run()
    with monkeypatch.context() as patch:
        for name in "_succeed", "_fail":
            patch.setattr(Telling, name, full)
        await run.succeeds()
        again = await trainer.run()
        assert Path(again.spec["training_file"]).read_bytes() == CHAT
        assert not (again.output / "state.npz").exists()
    await again.succeeds()
    await api.has(job.id, "succeeded")


async def test_training_that_cannot_be_started_fails_the_job(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert api.server._queue is not None
    monkeypatch.setattr(api.server._queue, "_command", lambda _: ("/nowhere/python",))
    ended = await api.has((await api.create()).id, "failed")
    assert ended.error is not None
    assert (ended.error.code, "/nowhere/python" in ended.error.message) == ("storage_error", True)


async def test_bug_ends_its_job_and_not_the_queue(api: Api, trainer: ScriptedTrainer) -> None:
    job = await api.create()
    run = await trainer.run()
    await run.tells({"type": "metrics", "level": "info", "message": "a step without its number"})
    ended = await api.has(job.id, "failed")
    assert ended.error is not None
    assert ended.error.code == "internal_error"
    await api.tuned(trainer)


async def test_bug_of_the_queue_itself_does_not_end_it(
    api: Api, trainer: ScriptedTrainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "BREATH", 0.01)
    met = asyncio.Event()

    async def bug(*_: Any) -> bool:
        met.set()
        raise KeyError("bug")

    job = await api.create()
    run = await trainer.run()
    with monkeypatch.context() as patch:
        patch.setattr(Queue, "_work", bug)
        await run.succeeds()
        await api.has(job.id, "succeeded")
        other = await api.create()
        async with asyncio.timeout(PATIENCE):
            await met.wait()
    await (await trainer.run()).succeeds()
    await api.has(other.id, "succeeded")


async def test_look_that_fails_does_not_end_the_training(
    api: Api, trainer: ScriptedTrainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = await api.create()
    run = await trainer.run()
    await run.begins()
    failed = threading.Event()

    def fails(_: Queue, __: str) -> None:
        failed.set()
        raise sqlite_error(sqlite3.SQLITE_IOERR_SHMSIZE)

    with monkeypatch.context() as patch:
        patch.setattr(Queue, "_status", fails)
        assert await asyncio.to_thread(failed.wait, PATIENCE)
        await run.steps(1)
        await api.says(job.id, "Step 1/4")
    await run.tells(events.error(TrainingFault("disk_full", "The disk is full.")))
    ended = await api.has(job.id, "failed")
    assert ended.error is not None
    assert ended.error.message == "The disk is full."


async def test_job_that_cannot_begin_for_want_of_room_is_tried_again_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any) -> None:
        raise sqlite_error(sqlite3.SQLITE_FULL)

    monkeypatch.setattr(Telling, "begin", fails)
    folder = Folder(tmp_path)
    folder.make()
    with opened(folder.database) as database:
        with database.transaction() as tables:
            tables.put_job(a_job())
        waiting = Queue(database, folder, time.time, lambda _: ("/nowhere/python",))
        assert await waiting._work(a_job(), ("/nowhere/python",)) is False
        with database.look() as tables:
            assert tables.status(a_job().id) == "queued"


def test_estimate_is_never_that_of_before_an_interruption(tmp_path: Path) -> None:
    clock = 1000.0
    step = events.metrics({**measured(1, 4), "eta": 30.0})
    with opened(tmp_path / "jobs.db") as database:
        with database.transaction() as tables:
            tables.put_job(a_job())
        telling = Telling(database, Folder(tmp_path), lambda: clock)
        telling.begin(a_job().id)

        def estimate(job: Job | None) -> int:
            assert job is not None
            return job.estimated_finish

        def kept() -> int:
            with database.look() as tables:
                return estimate(tables.job(a_job().id))

        telling.hear(a_job().id, step)
        assert kept() == 1030
        clock = 9000.0
        assert estimate(telling.begin(a_job().id)) == kept() == 0
        telling.hear(a_job().id, step)
        assert kept() == 0
        telling.hear(a_job().id, events.resumed(0))
        telling.hear(a_job().id, step)
        assert kept() == 9030


def test_estimate_that_has_passed_is_not_shown() -> None:
    job = a_job(status="running", estimated_finish=1030)
    assert shown(job, 1029.0)["estimated_finish"] == 1030
    assert shown(job, 1030.0)["estimated_finish"] is None


@contextmanager
def opened(path: Path) -> Iterator[Database]:
    database = Database(path)
    database.open()
    with closing(database):
        yield database


def test_event_is_kept_once_for_its_key(tmp_path: Path) -> None:
    with opened(tmp_path / "jobs.db") as database, database.transaction() as tables:
        told = [tables.tell("job", Event("a", key=key), 1) for key in ("k", "k", None, None)]
        assert told == [True, False, True, True]
        assert len((tables.events("job", "", 10) or ([], False))[0]) == 3


def test_what_is_not_committed_is_not_there(tmp_path: Path) -> None:
    with opened(tmp_path / "jobs.db") as database:
        with suppress(RuntimeError), database.transaction() as tables:
            tables.put_job(a_job())
            raise RuntimeError
        with database.look() as tables:
            assert tables.job(a_job().id) is None


def test_what_readers_share_is_there_as_long_as_the_file_is_open(tmp_path: Path) -> None:
    shared = tmp_path / "jobs.db-shm"
    with opened(tmp_path / "jobs.db") as database:
        with database.look() as tables:
            tables.waiting()
        assert shared.exists()
        database.open()
        assert shared.exists()
    assert not shared.exists()


def test_file_of_a_newer_tunebot_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "jobs.db"
    database = Database(path)
    database.open()
    database.open()
    database.close()
    with sqlite3.connect(path) as connection:
        connection.execute("pragma user_version = 99")
    connection.close()
    with pytest.raises(LocalUnavailable, match="written by a newer tunebot"):
        database.open()
    assert not (tmp_path / "jobs.db-shm").exists()


def test_file_that_is_no_database_is_said(tmp_path: Path) -> None:
    path = tmp_path / "jobs.db"
    path.write_text("a text, which is long enough not to be taken for an empty one" * 100)
    with pytest.raises(LocalUnavailable, match="cannot be read"):
        overview(path, "tiny")


def test_file_is_lent_also_where_it_cannot_be_linked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Folder(tmp_path)
    folder.make()
    folder.file("file-1").write_bytes(CHAT)

    def unsupported(*_: Any) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(Path, "hardlink_to", unsupported)
    lent = folder.lend("ftjob-1", "training", "file-1", "../../..")
    assert lent.read_bytes() == CHAT
    assert lent.parent == tmp_path / "jobs" / "ftjob-1" / "training"
    assert folder.lent("ftjob-1", "training") == lent


@pytest.mark.parametrize("name", ["問題と答え" * 60 + ".jsonl", "ä" * 49 + "x" * 60, "." * 300])
def test_file_with_a_long_name_is_lent(name: str, tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.make()
    folder.file("file-1").write_bytes(CHAT)
    lent = folder.lend("ftjob-1", "training", "file-1", name)
    assert lent.read_bytes() == CHAT
    assert lent.suffix == (".jsonl" if "x" not in name else "")


def test_server_is_imported_without_numpy_and_gguf() -> None:
    script = (
        "import sys; sys.modules['numpy'] = sys.modules['gguf'] = sys.modules['xllamacpp'] = None\n"
        "import bot.local.server"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)  # noqa: S603 - our own
