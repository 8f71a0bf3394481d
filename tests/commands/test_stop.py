"""/stop while training data is looked at or written: the process ends, and nothing is left."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import pytest

from bot.commands.stops import Stopped, Stops
from bot.messages import Attachment, ConversationId
from tests.fakes import Bot

HERE = ConversationId("fake", "general")
PIPE = "TUNEBOT_TEST_PIPE"


def faq(folder: Path) -> Attachment:
    path = folder / "uploaded.csv"
    path.write_text("Question,Answer\n" + "".join(f"door {n},button {n}\n" for n in range(20)))
    return Attachment("faq.csv", "text/csv", str(path), path.stat().st_size)


def lingers(*_: object) -> None:
    """What a preparation does that takes its time: it says which process it is."""
    Path(os.environ[PIPE]).write_text(str(os.getpid()))
    time.sleep(600)


def writes_and_lingers(path: Path, folder: Path, chosen: object) -> None:
    (folder / f".{path.stem}_prepared.jsonl.part").write_text("half a line")
    lingers(chosen)


@pytest.fixture
def pipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The pipe into which a process that lingers writes its number."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    monkeypatch.setenv(PIPE, str(pipe))
    return pipe


async def lingering(pipe: Path) -> int:
    """The process that lingers, once it does."""
    return int(await asyncio.to_thread(pipe.read_text))


def runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def kept(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.rglob("datasets/*/*"))


async def stopped(bot: Bot, pipe: Path) -> str:
    """What is said once somebody stopped what lingers, whose process is gone then."""
    return await ended(bot, await lingering(pipe))


async def ended(bot: Bot, process: int) -> str:
    await bot.receive("/stop", person="op")
    await bot.idle()
    assert not runs(process)
    return bot.says()[-1]


@pytest.mark.parametrize("typed", ["/finetune prepare", "/finetune start davinci-002 --yes"])
async def test_stop_ends_the_look_at_a_file_and_forgets_it(
    bot: Bot, tmp_path: Path, pipe: Path, monkeypatch: pytest.MonkeyPatch, typed: str
) -> None:
    monkeypatch.setattr("bot.tuning.library.examined", lingers)
    await bot.receive(typed, person="op", files=[faq(tmp_path)])
    assert await stopped(bot, pipe) == "Stopped."
    assert kept(tmp_path) == []
    assert "send it again" in (await bot.hears("/finetune prepare 1", person="op"))[-1]


async def test_stop_ends_the_writing_and_leaves_the_draft(
    bot: Bot, tmp_path: Path, pipe: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bot.hears("/finetune prepare", person="op", files=[faq(tmp_path)])
    with monkeypatch.context() as patch:
        patch.setattr("bot.tuning.library.written", writes_and_lingers)
        await bot.receive("/finetune prepare 1 write", person="op")
        assert await stopped(bot, pipe) == "Stopped."
    assert kept(tmp_path) == ["faq.csv"]
    assert "is ready" in (await bot.hears("/finetune prepare 1 write", person="op"))[-1]
    assert kept(tmp_path) == ["faq_prepared.jsonl"]


async def test_others_stop_nothing_of_it(
    bot: Bot, tmp_path: Path, pipe: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.tuning.library.examined", lingers)
    await bot.receive("/finetune prepare", person="op", files=[faq(tmp_path)])
    process = await lingering(pipe)
    said = (await bot.hears("/stop", person="op", channel="other"))[-1]
    assert said == "There is no answer to stop."
    assert runs(process)
    assert await ended(bot, process) == "Stopped."


async def test_timeout_of_the_work_itself_is_no_stop() -> None:
    async def late() -> None:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        await Stops().run(HERE, late())


async def test_what_is_stopped_is_cancelled_and_forgotten() -> None:
    stops, began = Stops(), asyncio.Event()

    async def work() -> None:
        began.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(stops.run(HERE, work()))
    await began.wait()
    assert stops.stop(HERE)
    with pytest.raises(Stopped):
        await task
    assert not stops.stop(HERE)


async def test_who_says_it_again_while_the_work_ends_is_heard() -> None:
    stops, began, ends = Stops(), asyncio.Event(), asyncio.Event()

    async def work() -> None:
        try:
            began.set()
            await asyncio.Event().wait()
        finally:
            assert stops.stop(HERE)
            ends.set()

    task = asyncio.create_task(stops.run(HERE, work()))
    await began.wait()
    assert stops.stop(HERE)
    with pytest.raises(Stopped):
        await task
    assert ends.is_set()
