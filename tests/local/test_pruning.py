"""What ended jobs leave behind, and what of it goes."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bot.cli import main
from bot.local.jobs.database import Database
from bot.local.jobs.folder import Folder
from bot.local.jobs.pruning import DAY, prune, rest, sweep
from bot.local.jobs.values import Job, StoredFile, TunedModel
from tests.local.api import CHAT, MODEL, Api
from tests.local.scripted import ScriptedTrainer
from tests.local.test_jobs_rules import a_job

NOW = 1_000 * DAY
OLD = NOW - 100 * DAY
BEFORE = NOW - 30 * DAY


class Kept:
    """A data folder in which jobs have ended."""

    def __init__(self, path: Path) -> None:
        self.folder = Folder(path)
        self.folder.make()
        self.database = Database(self.folder.database)
        self.database.open()

    def job(self, id_: str, **fields: Any) -> Job:
        job = a_job(id=id_, **fields)
        with self.database.transaction() as tables:
            tables.put_job(job)
        return job

    def model(self, job: str, step: int, adapter: str, used: float = OLD) -> Path:
        """A model of a job, with its adapter."""
        path = self.write(self.folder.output(job) / adapter, used)
        name = f"ft:{job}" + (f":ckpt-step-{step}" if step else "")
        with self.database.transaction() as tables:
            tables.put_model(TunedModel(name, job, "tiny", str(path), int(OLD), step))
        return path

    def upload(
        self, id_: str, purpose: str = "fine-tune", at: float = OLD, until: float = 0
    ) -> Path:
        with self.database.transaction() as tables:
            file = StoredFile(id_, "a.jsonl", purpose, 100, int(at), expires_at=int(until))
            tables.put_file(file)
        return self.write(self.folder.file(id_), at)

    def write(self, path: Path, at: float) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(100))
        os.utime(path, (at, at))
        return path

    def prunes(self) -> set[str]:
        """Prune; the names of models that are left."""
        with self.database.look() as tables:
            found = rest(tables, self.folder, NOW, BEFORE)
        assert prune(self.database, self.folder, NOW, BEFORE) == found
        assert found.size == 100 * len(found.paths)
        with self.database.look() as tables:
            assert not rest(tables, self.folder, NOW, BEFORE).paths
            return {model.name for model in tables.every_model()}


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    kept = Kept(tmp_path / "tuning")
    with closing(kept.database):
        yield kept


def test_checkpoints_go_when_nobody_asks_for_them_and_the_model_stays(kept: Kept) -> None:
    kept.job("job", status="succeeded")
    last = kept.model("job", 0, "adapter-4.gguf")
    kept.model("job", 4, "adapter-4.gguf")
    asked = kept.model("job", 3, "adapter-3.gguf", used=NOW - DAY)
    unasked = kept.model("job", 2, "adapter-2.gguf")
    results = kept.write(kept.folder.output("job") / "results.csv", OLD)
    # The last checkpoint is used with the model, whose adapter it has.
    assert kept.prunes() == {"ft:job", "ft:job:ckpt-step-3"}
    assert [path.exists() for path in (last, asked, unasked, results)] == [True, True, False, False]


@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_jobs_that_made_no_model_leave_nothing(status: Any, kept: Kept) -> None:
    kept.job("job", status=status)
    kept.model("job", 2, "adapter-2.gguf")
    kept.write(kept.folder.spec("job"), NOW)
    assert kept.prunes() == set()
    assert not kept.folder.spec("job").parent.exists()


@pytest.mark.parametrize("status", ["queued", "running", "paused"])
def test_jobs_that_are_not_over_keep_all_and_their_files(status: Any, kept: Kept) -> None:
    kept.job("job", status=status, training_file="file-1", validation_file="file-2")
    kept.model("job", 2, "adapter-2.gguf")
    state = kept.write(kept.folder.output("job") / "state.npz", OLD)
    files = [kept.upload("file-1"), kept.upload("file-2")]
    assert kept.prunes() == {"ft:job:ckpt-step-2"}
    assert all(path.exists() for path in (state, *files))


def test_only_old_training_files_go(kept: Kept) -> None:
    old = kept.upload("file-1")
    stay = [kept.upload("file-2", at=NOW), kept.upload("file-3", "user_data")]
    partial = kept.write(kept.folder.file("file-4.partial"), OLD)
    under_way = kept.write(kept.folder.file("file-5.partial"), NOW)
    kept.prunes()
    assert not old.exists()
    assert not partial.exists()
    assert all(path.exists() for path in (under_way, *stay))


def test_adapter_in_a_folder_of_its_own_is_kept_and_goes_whole(kept: Kept) -> None:
    kept.job("job", status="succeeded")
    folders = [kept.folder.output("job") / f"adapter-{step}" for step in (4, 2)]
    for step, folder in zip((0, 2), folders, strict=True):
        kept.write(folder / "adapter_model.safetensors", OLD)
        os.utime(folder, (OLD, OLD))
        with kept.database.transaction() as tables:
            name = f"ft:job:{step}"
            tables.put_model(TunedModel(name, "job", "tiny", str(folder), int(OLD), step))
    assert kept.prunes() == {"ft:job:0"}
    assert [folder.exists() for folder in folders] == [True, False]


def test_data_folder_that_was_moved_keeps_its_models(kept: Kept, tmp_path: Path) -> None:
    kept.job("job", status="succeeded")
    kept.model("job", 0, "adapter-4.gguf")
    kept.database.close()
    kept.folder.path.rename(tmp_path / "moved")
    moved = Kept(tmp_path / "moved")
    with closing(moved.database):
        assert moved.prunes() == {"ft:job"}
    assert (moved.folder.output("job") / "adapter-4.gguf").exists()


def test_a_start_deletes_only_what_is_of_no_use(kept: Kept) -> None:
    kept.job("job", status="cancelled")
    adapter = kept.model("job", 2, "adapter-2.gguf")
    state = kept.write(kept.folder.output("job") / "state.npz", OLD)
    lost = kept.write(kept.folder.output("unknown") / "adapter-1.gguf", OLD)
    partial = kept.write(kept.folder.file("file-4.partial"), OLD)
    upload = kept.upload("file-1")
    lasting = kept.upload("file-2", until=NOW + 1)
    expired = kept.upload("file-3", "user_data", until=NOW)
    sweep(kept.database, kept.folder, NOW)
    assert all(path.exists() for path in (adapter, lost, upload, lasting))
    assert not any(path.exists() for path in (state, partial, expired))
    with kept.database.look() as tables:
        assert [file.id for file in tables.files()] == ["file-2", "file-1"]


async def test_model_that_is_deleted_takes_its_checkpoints_and_their_adapters(
    api: Api, trainer: ScriptedTrainer, tmp_path: Path
) -> None:
    name = (await api.tuned(trainer)).fine_tuned_model or ""
    await api.ask(name)
    await api.ask(f"{name}:ckpt-step-2")
    await api.sdk.models.delete(name)
    assert [model.id async for model in api.sdk.models.list()] == [MODEL]
    assert not list((tmp_path / "tuning" / "jobs").rglob("*.gguf"))
    assert await api.ask() == "base says hi"


async def test_checkpoint_that_is_asked_is_kept_for_another_while(
    api: Api, trainer: ScriptedTrainer, tmp_path: Path
) -> None:
    name = (await api.tuned(trainer)).fine_tuned_model or ""
    (adapter,) = (tmp_path / "tuning" / "jobs").rglob("adapter-2.gguf")
    os.utime(adapter, (OLD, OLD))
    await api.ask(f"{name}:ckpt-step-2")
    assert adapter.stat().st_mtime > time.time() - DAY


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    """A shell in a folder with a configuration."""
    (tmp_path / "tunebot.toml").write_text(f'data_folder = "{tmp_path}"\n')
    monkeypatch.chdir(tmp_path)
    return CliRunner()


def test_prune_tells_asks_and_deletes(shell: CliRunner, kept: Kept) -> None:
    kept.job("job", status="succeeded")
    kept.model("job", 0, "adapter-4.gguf")
    gone = [kept.model("job", 2, "adapter-2.gguf"), kept.upload("file-1")]
    gone[0].write_bytes(CHAT * 100_000)
    os.utime(gone[0], (OLD, OLD))
    shown = shell.invoke(main, ["local", "status"]).output
    assert "`tunebot local prune` would free" in shown
    asked = shell.invoke(main, ["local", "prune"], input="n\n")
    assert asked.exit_code == 1
    assert "checkpoint ft:job:ckpt-step-2, not used for 30 days" in asked.output
    assert "file file-1 (a.jsonl), uploaded more than 30 days ago" in asked.output
    assert all(path.exists() for path in gone)
    pruned = shell.invoke(main, ["local", "prune", "--yes"])
    assert pruned.exit_code == 0
    assert "MB are free again." in pruned.output
    assert not any(path.exists() for path in gone)
    assert "There is nothing to delete." in shell.invoke(main, ["local", "prune"]).output


def test_remove_says_what_becomes_of_tuned_models(shell: CliRunner, kept: Kept) -> None:
    kept.job("job", status="succeeded", model="smollm2-135m-instruct")
    with kept.database.transaction() as tables:
        tables.put_model(TunedModel("ft:a", "job", "smollm2-135m-instruct", "/a", 1))
    one = shell.invoke(main, ["local", "remove"], input="n\n").output
    assert "and keep 1 tuned model for when it is fetched again?" in one
    everything = shell.invoke(main, ["local", "remove", "--everything"], input="n\n").output
    assert "and all files and jobs with 1 tuned model (" in everything
