"""The start: what must be there, what is checked, and that the token is told to nobody."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys

import pytest
from pydantic import ValidationError

from adapters.telegram import Settings, create
from bot.errors import BotError, ConfigError
from tests.adapters.fake_core import FakeCore
from tests.adapters.telegram.conftest import Make, adapter_on, reply_in
from tests.telegram_server import Drop, Fail, Fault, TelegramServer, page

TOKEN = {"TELEGRAM_BOT_TOKEN": "4242:AAEhBOweik6ad9r_QXMENQjcrGbqCr4K-bc"}
WEBHOOK = {"mode": "webhook", "webhook_url": "https://bot.example.com"}


@pytest.mark.parametrize(
    ("settings", "environment", "sentence"),
    [
        ({}, {}, "TELEGRAM_BOT_TOKEN is not set: ask @BotFather"),
        ({}, {"TELEGRAM_BOT_TOKEN": "secret"}, "TELEGRAM_BOT_TOKEN is no token of a bot"),
        ({"mode": "webhook"}, TOKEN, "adapters.telegram.webhook_url is missing"),
        ({**WEBHOOK, "webhook_url": "http://b.example"}, TOKEN, "must begin with https://"),
        (WEBHOOK, TOKEN, "TELEGRAM_WEBHOOK_SECRET must be"),
        (WEBHOOK, {**TOKEN, "TELEGRAM_WEBHOOK_SECRET": "ä b"}, "TELEGRAM_WEBHOOK_SECRET must be"),
    ],
)
def test_what_is_missing_is_said_in_a_sentence(
    settings: dict[str, str], environment: dict[str, str], sentence: str
) -> None:
    with pytest.raises(ConfigError, match=sentence) as refused:
        create("telegram", Settings.model_validate(settings), environment)
    assert "\n" not in str(refused.value)
    for secret in environment.values():
        assert secret not in str(refused.value)


@pytest.mark.parametrize("settings", [{"mode": "pull"}, {"token": "x"}, {"rate": -1}])
def test_wrong_setting_is_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate(settings)


async def test_check_tells_name_privacy_and_what_waits(
    telegram: TelegramServer, make: Make
) -> None:
    await telegram.private(7).writes("Hello")
    checks = await make().check()
    assert all(check.works for check in checks)
    found = " / ".join(f"{check.what}: {check.found}" for check in checks)
    assert "answers as @tune_test_bot" in found
    assert "privacy mode: off" in found
    assert "1 messages wait" in found


async def test_check_tells_of_a_refused_token_and_a_silent_server(
    telegram: TelegramServer, make: Make
) -> None:
    telegram.token = "4242:another"
    adapter = adapter_on(telegram)
    telegram.token = "4242:AAEhBOweik6ad9r_QXMENQjcrGbqCr4K-bc"
    (refused,) = await adapter.check()
    assert not refused.works
    assert "@BotFather" in refused.found
    await adapter.close()
    (silent,) = await make(api_url="http://127.0.0.1:9").check()
    assert not silent.works
    assert "check api_url" in silent.found


async def test_token_is_in_no_log_and_no_error(
    telegram: TelegramServer,
    make: Make,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    secret = telegram.token.partition(":")[2]
    ann = telegram.private(7)
    told = []
    faults: list[Fault] = [
        Drop(),
        Drop(after=True),
        Fail(401, "Unauthorized"),
        Fail(404, "Not Found"),
    ]
    faults += [Fail(429, "Too Many Requests", retry_after=1), page("Oops", 500)]
    for fault in faults:
        adapter = make(chat_rate=0, rate=0)
        for method in ("sendMessage", "getMe", "sendDocument", "sendMessageDraft"):
            telegram.fails(method, fault)
        sink = adapter.sink(reply_in(ann))
        for work in (sink.show(0, "Hello", ""), sink.finish(0, "Hello", "")):
            try:
                await work
            except BotError as error:
                told.append(f"{error!r} {error.__cause__!r}")
        told += [repr(check) for check in await adapter.check()]
        await sink.close()
        telegram.faults.clear()
    telegram.fails("getUpdates", Drop())
    adapter = make(split_seconds=0)
    run = asyncio.create_task(adapter.run(FakeCore(adapter)))
    await telegram.until(lambda: telegram.called("getUpdates"))
    run.cancel()
    await asyncio.wait([run])
    out, err = capsys.readouterr()
    logged = "".join(f"{each.getMessage()} {each.args}" for each in caplog.records)
    assert len(told) > 10
    assert secret not in f"{out}{err}{logged}{told}{adapter!r}{vars(adapter)}"


def test_bot_without_telegram_does_not_load_it() -> None:
    program = "import sys, adapters.telegram; assert 'telegram' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True)  # noqa: S603
