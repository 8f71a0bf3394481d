"""Files of training data: kept where they belong, under names that do no harm, and deleted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.commands.finetune.findings import dataset_text
from bot.errors import CommandError, DatasetError
from bot.messages import Attachment
from bot.store import Store, datasets, privacy
from bot.training import Dataset
from bot.tuning.folder import file_name
from bot.tuning.library import Library
from bot.tuning.preparing import dataset_name
from tests.clock import StoppedClock

WEEK = 7 * 86_400
HOSTILE = ["../../x.csv", "..", "", "/", "a\0b.csv", "ü" * 200 + ".csv", "..\\..\\x.csv", "-rf.csv"]


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
async def store(tmp_path: Path, clock: StoppedClock) -> AsyncIterator[Store]:
    store = Store(tmp_path / "bot.db", clock)
    await store.open()
    yield store
    await store.close()


@pytest.fixture
def library(store: Store, tmp_path: Path, clock: StoppedClock) -> Library:
    return Library(store, tmp_path / "datasets", clock)


def faq(folder: Path, name: str = "faq.csv") -> Attachment:
    path = folder / "sent"
    rows = [f"how do I open door {n},you press button {n * 7}" for n in range(20)]
    path.write_text("\n".join(["Question,Answer", *rows]) + "\n")
    return Attachment(name, "text/csv", str(path), path.stat().st_size)


def kept(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "datasets").rglob("*") if path.is_file())


async def test_draft_without_a_file_deletes_no_other_folder(
    library: Library,
    store: Store,
    tmp_path: Path,
    clock: StoppedClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    precious = tmp_path / "work" / "precious.txt"
    precious.parent.mkdir()
    precious.write_text("mine")
    monkeypatch.chdir(precious.parent)
    for path in ("", ".", "x.csv", str(precious)):
        await store.do(datasets.draft, "x.csv", path, "fake:op", clock.now())
    clock.advance(WEEK + 1)
    await library.sweep()
    assert precious.exists()


@pytest.mark.parametrize("name", HOSTILE)
async def test_hostile_name_stays_in_the_folder_and_becomes_a_dataset(
    library: Library, tmp_path: Path, name: str
) -> None:
    draft = await library.draft(faq(tmp_path, name), "fake:op")
    path = Path(draft.path)
    assert path.parent.parent == tmp_path / "datasets"
    dataset = await library.finish(draft)
    assert Path(dataset.training_file).parent == path.parent
    assert not path.exists(), "what was sent is not kept beside what it became"
    await library.delete(dataset)
    assert not kept(tmp_path)


@given(st.text())
def test_any_name_becomes_a_short_harmless_one(name: str) -> None:
    safe = file_name(name)
    assert safe == Path(safe).name
    assert 0 < len(safe.encode()) <= 140
    assert not set(safe) & set("/\\\0\n`*[]<>@|~")
    word = dataset_name(safe)
    assert word.split() == [word]
    assert not word.startswith("-")


async def test_dropped_forgotten_and_old_drafts_leave_no_file(
    library: Library, store: Store, tmp_path: Path, clock: StoppedClock
) -> None:
    await library.drop(await library.draft(faq(tmp_path), "fake:op"))
    assert not kept(tmp_path)
    forgotten = await library.draft(faq(tmp_path), "fake:op")
    await store.do(privacy.forget, "fake:op")
    await library.sweep()
    assert not kept(tmp_path)
    old = await library.draft(faq(tmp_path), "fake:op")
    clock.advance(WEEK - 1)
    await library.sweep()
    assert kept(tmp_path) == ["faq.csv"]
    clock.advance(2)
    await library.sweep()
    assert not kept(tmp_path)
    for draft in (forgotten, old):
        with pytest.raises(CommandError, match="send it again"):
            await library.drafted(draft.id)


async def test_crash_after_the_dataset_is_kept_leaves_what_was_sent_to_the_sweep(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft = await library.draft(faq(tmp_path), "fake:op")

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("bot.tuning.library.clear", dies)
        with pytest.raises(KeyboardInterrupt):
            await library.finish(draft)
    assert kept(tmp_path) == ["faq.csv", "faq_prepared.jsonl"]
    await library.sweep()
    assert kept(tmp_path) == ["faq_prepared.jsonl"]


async def test_what_is_written_just_now_is_not_written_twice_nor_dropped(
    library: Library, tmp_path: Path
) -> None:
    draft = await library.draft(faq(tmp_path), "fake:op")
    library._begin(draft)
    with pytest.raises(CommandError, match="just now"):
        await library.finish(draft)
    with pytest.raises(CommandError, match="just now"):
        await library.drop(draft)


async def test_file_that_cannot_be_kept_is_a_sentence_and_leaves_nothing(
    library: Library, store: Store, tmp_path: Path
) -> None:
    file = faq(tmp_path)
    Path(file.path).unlink()
    with pytest.raises(DatasetError, match="cannot be kept"):
        await library.draft(file, "fake:op")
    assert not kept(tmp_path)
    assert not await store.do(datasets.dropped, 0.0)


async def test_preparation_that_dies_is_a_sentence(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft = await library.draft(faq(tmp_path), "fake:op")
    monkeypatch.setattr("bot.tuning.library.examined", dies_at_once)
    with pytest.raises(DatasetError, match="more memory"):
        await library.look(draft)


def dies_at_once(*_: object) -> None:
    raise SystemExit(9)


async def test_forgotten_person_is_in_no_dataset(
    library: Library, store: Store, tmp_path: Path
) -> None:
    await library.finish(await library.draft(faq(tmp_path), "fake:op"))
    await store.do(privacy.forget, "fake:op")
    [dataset] = await library.all()
    assert dataset.person == ""
    assert kept(tmp_path) == ["faq_prepared.jsonl"]


def test_name_with_marks_is_shown_as_code() -> None:
    dataset = Dataset("<!channel> *x*", "chat", "x", source="x")
    assert dataset_text(dataset).startswith("**`<!channel> *x*`** is ready")


def writes_half(_path: Path, folder: Path, _chosen: object) -> None:
    (folder / ".faq_prepared.jsonl.part").write_text("half a line")
    raise SystemExit(9)


async def test_process_that_dies_while_it_writes_leaves_what_was_sent(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft = await library.draft(faq(tmp_path), "fake:op")
    monkeypatch.setattr("bot.tuning.library.written", writes_half)
    with pytest.raises(DatasetError, match="more memory"):
        await library.finish(draft)
    assert kept(tmp_path) == ["faq.csv"]
