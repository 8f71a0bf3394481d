"""What is kept, and what goes wrong with keeping it; no server runs."""

from __future__ import annotations

import errno
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import LocalUnavailable
from bot.local.api.asked import new_job
from bot.local.api.errors import Refused
from bot.local.jobs import data, queue
from bot.local.jobs.data import examine
from bot.local.jobs.database import Database, overview
from bot.local.jobs.folder import Folder
from bot.local.jobs.queue import failure_of
from bot.local.jobs.telling import Telling, model_name
from bot.local.jobs.values import Event, Job
from tests.local.api import CHAT, PAIRS, PREFERENCES, Api
from tests.local.scripted import ScriptedTrainer

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


def test_line_that_is_too_long_is_named_and_not_kept_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data, "LONGEST_LINE", 200)
    path = tmp_path / "a.jsonl"
    path.write_bytes(PAIRS + b'{"prompt": "' + b"x" * 1000 + b'"}\n' + PAIRS)
    assert examine(path).fault == "Line 4: this is no JSON object of 0 MB at most."


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
        (sqlite3.DatabaseError("malformed"), "storage_error"),
        (KeyError("step"), "internal_error"),
    ],
)
def test_trouble_of_a_job_has_a_code_and_a_sentence(error: Exception, code: str) -> None:
    failure = failure_of(error)
    assert failure.code == code
    assert failure.message.endswith(".")


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


def test_event_is_kept_once_for_its_key(tmp_path: Path) -> None:
    database = Database(tmp_path / "jobs.db")
    database.open()
    with database.transaction() as tables:
        told = [tables.tell("job", Event("a", key=key), 1) for key in ("k", "k", None, None)]
        assert told == [True, False, True, True]
        assert len((tables.events("job", "", 10) or ([], False))[0]) == 3


def test_what_is_not_committed_is_not_there(tmp_path: Path) -> None:
    database = Database(tmp_path / "jobs.db")
    database.open()
    with suppress(RuntimeError), database.transaction() as tables:
        tables.put_job(a_job())
        raise RuntimeError
    with database.look() as tables:
        assert tables.job(a_job().id) is None


def test_file_of_a_newer_tunebot_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "jobs.db"
    database = Database(path)
    database.open()
    database.open()
    with sqlite3.connect(path) as connection:
        connection.execute("pragma user_version = 99")
    connection.close()
    with pytest.raises(LocalUnavailable, match="written by a newer tunebot"):
        database.open()


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
