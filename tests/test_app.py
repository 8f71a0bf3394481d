"""A start, a run, an orderly end."""

from __future__ import annotations

import asyncio
import io
import logging
import sqlite3
from pathlib import Path

import pytest
import structlog

from bot import log
from bot.app import App
from bot.errors import BotError, ConfigError, StoreTaken
from bot.local import LocalServer
from bot.messages import Provider
from bot.platforms import load_adapter
from bot.store import Store
from tests.fakes import configuration, running
from tests.scripted_model import Answer, Refusal, ScriptedModel


async def test_a_running_answer_gets_its_time_to_end(model: ScriptedModel, tmp_path: Path) -> None:
    going = asyncio.Event()
    model.script(Answer(text="Whole.", hold=going))
    async with running(configuration(tmp_path, model.base_url)) as bot:
        await bot.receive("hi")
        await model.until(lambda: len(model.requests) == 1)
        bot.app.stop()
        going.set()
    assert bot.says() == ["Whole."]


async def test_what_has_no_time_to_end_is_answered_by_the_next_start(
    model: ScriptedModel, tmp_path: Path
) -> None:
    config = configuration(tmp_path, model.base_url, shutdown_seconds=0.0)
    model.script(*[Answer(hold=asyncio.Event())] * 2)
    async with running(config) as bot:
        await bot.receive("one", channel="a")
        await bot.receive("two", channel="b")
        await model.until(lambda: len(model.requests) == 2)
        await bot.receive("three", channel="a")
    assert not bot.says("a")
    async with running(config) as bot:
        await bot.idle("a")
        await bot.idle("b")
        assert bot.says("a") == ["You said: one", "You said: three"]
        assert bot.says("b") == ["You said: two"]


async def test_nothing_is_left_running(model: ScriptedModel, tmp_path: Path) -> None:
    before = asyncio.all_tasks()
    async with running(configuration(tmp_path, model.base_url)) as bot:
        await bot.hears("hi")
    assert asyncio.all_tasks() == before


async def test_a_second_bot_on_the_same_database_is_refused(
    model: ScriptedModel, tmp_path: Path
) -> None:
    config = configuration(tmp_path, model.base_url)
    async with running(config):
        with pytest.raises(StoreTaken):
            async with running(config):
                """Never reached."""


async def test_what_an_adapter_cannot_go_on_with_ends_the_run_with_its_sentence(
    model: ScriptedModel, tmp_path: Path
) -> None:
    with pytest.raises(BotError, match="The token is not valid"):
        async with running(configuration(tmp_path, model.base_url)) as bot:
            bot.adapter.ends.set_result(BotError("The token is not valid: set another."))


async def test_a_stop_during_the_start_ends_it_at_once(
    model: ScriptedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loading = asyncio.Event()

    async def load_for_ever(_: LocalServer) -> None:
        loading.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(LocalServer, "start", load_for_ever)
    providers = {"scripted": Provider("scripted", kind="local")}
    config = configuration(tmp_path, model.base_url, providers=providers)
    app = App(config, [], environment={})
    run = asyncio.create_task(app.run())
    await loading.wait()
    app.stop()
    await run
    async with running(configuration(tmp_path, model.base_url)):
        """The database is free again."""


@pytest.mark.parametrize("name", ["nothing", "../etc", "os.path"])
def test_an_adapter_that_does_not_exist_is_named(name: str) -> None:
    with pytest.raises(ConfigError, match="there is no such adapter"):
        load_adapter(name, {})


def test_a_wrong_key_of_an_adapter_is_named() -> None:
    with pytest.raises(ConfigError, match=r"adapters\.terminal\.colour: no such key"):
        load_adapter("terminal", {"colour": 3})


async def test_the_log_has_no_word_of_what_people_write(
    model: ScriptedModel, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log.configure("INFO")
    try:
        async with running(configuration(tmp_path, model.base_url)) as bot:
            model.reply("the-secret-answer")
            await bot.hears("the-secret-question")
            await bot.hears("/system the-secret-prompt", person="op")
    finally:
        log.configure("WARNING")
    written = capsys.readouterr()
    assert '"event": "answered"' in written.err
    assert '"conversation": "fake:general:"' in written.err
    assert "secret" not in written.err + written.out


def test_libraries_that_log_addresses_are_held_at_warning() -> None:
    log.configure("DEBUG")
    assert logging.getLogger("httpx").level == logging.WARNING
    assert logging.getLogger("httpcore").level == logging.WARNING
    log.configure("WARNING")


async def test_a_chore_that_fails_is_done_again_in_its_time_and_ends_nothing(
    model: ScriptedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[str] = []

    def full(_: Path) -> None:
        tried.append("checkpoint")
        raise sqlite3.OperationalError("database or disk is full")

    def read_only(_: Store) -> None:
        tried.append("beat")
        raise OSError("Read-only file system")

    monkeypatch.setattr("bot.store.file.checkpoint", full)
    monkeypatch.setattr(Store, "beat", read_only)
    async with running(configuration(tmp_path, model.base_url)) as bot:
        await bot.clock.asleep(2)
        assert await bot.hears("hi") == ["You said: hi"]
        bot.clock.advance(3601)
        await bot.clock.asleep(2)
        assert sorted(tried) == ["beat", "beat", "checkpoint", "checkpoint"]
        assert (await bot.hears("still there?"))[-1] == "You said: still there?"


async def test_what_a_provider_quotes_of_a_question_is_not_logged(
    model: ScriptedModel, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log.configure("DEBUG")
    try:
        async with running(configuration(tmp_path, model.base_url)) as bot:
            quote = "Invalid value for 'content': 'the-secret-question'"
            model.script(Refusal(400, quote), Refusal(500, quote), Refusal(400, quote))
            await bot.hears("the-secret-question")
            await bot.receive("the-secret-question")
            await bot.clock.asleep(3)
            bot.clock.advance(60)
            await bot.idle()
    finally:
        log.configure("WARNING")
    assert not model.steps
    assert "secret" not in capsys.readouterr().err


class Screen(io.StringIO):
    """Standard error before a person's eyes."""

    def isatty(self) -> bool:
        return True


def test_a_traceback_on_a_terminal_shows_no_values(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen()
    with monkeypatch.context() as patch:
        patch.setattr("sys.stderr", screen)
        log.configure("INFO")
        key = "sk-secret"
        try:
            len(key) / 0
        except ZeroDivisionError:
            structlog.get_logger().exception("failed")
    log.configure("WARNING")
    assert "ZeroDivisionError" in screen.getvalue()
    assert key not in screen.getvalue()
