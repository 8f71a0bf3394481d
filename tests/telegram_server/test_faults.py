"""What goes wrong on purpose goes wrong as it should, and wrong calls are noticed."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from telegram import Bot
from telegram.error import (
    NetworkError,
    RetryAfter,
    TimedOut,
)

from tests.shared import shared
from tests.telegram_server import Chat, Drop, Fail, Hang, TelegramServer, page
from tests.telegram_server.specification import NAME


async def test_connection_drops_before_or_after_the_effect(
    server: TelegramServer, bot: Bot, ann: Chat
) -> None:
    server.fails("sendMessage", Drop(), chat=7)
    server.fails("sendMessage", Drop(after=True), chat=7)
    for text in ("lost", "its answer is lost"):
        with pytest.raises(NetworkError):
            await bot.send_message(7, text)
    await bot.send_message(7, "all is well")
    assert ann.answers == ["its answer is lost", "all is well"]


async def test_call_fails_as_often_as_it_should(
    server: TelegramServer, bot: Bot, ann: Chat
) -> None:
    server.fails("sendMessage", Fail(429, "Too Many Requests", retry_after=300))
    server.fails("sendMessage", page("Bad Gateway"), times=2)
    with pytest.raises(RetryAfter, match="0:05:00"):
        await bot.send_message(7, "x")
    for _ in range(2):
        with pytest.raises(NetworkError, match="Bad Gateway"):
            await bot.send_message(7, "x")
    await bot.send_message(7, "x")
    assert ann.answers == ["x"]


async def test_call_hangs_until_it_is_let_go(server: TelegramServer, bot: Bot, ann: Chat) -> None:
    hang = Hang(after=True)
    server.fails("sendMessage", hang)
    call = asyncio.create_task(bot.send_message(7, "slow"))
    await ann.sees(lambda _: ann.answers == ["slow"])
    assert not call.done()
    hang.until.set()
    assert (await call).text == "slow"
    server.fails("sendMessage", Hang())
    with pytest.raises(TimedOut):
        await bot.send_message(7, "never", read_timeout=0.01)
    assert ann.answers == ["slow"]


@pytest.mark.parametrize("token", ["4242:AAEhBOweik6ad9r_QXMENQjcrGbqCr4K-xx", "nonsense"])
async def test_other_token_is_unauthorized(server: TelegramServer, token: str) -> None:
    async with httpx.AsyncClient() as http:
        answer = await http.post(f"{server.api_url}/bot{token}/getMe")
    assert answer.status_code == (404 if token == "nonsense" else 401)
    assert not answer.json()["ok"]


@pytest.mark.parametrize(
    ("method", "given", "wrong"),
    [
        ("sendMessage", {"chat_id": 7}, "text is missing"),
        ("sendMessage", {"chat_id": 7, "text": "x", "txet": 1}, "txet is unknown"),
        ("sendMessage", {"chat_id": [7], "text": "x"}, "chat_id"),
        ("sendMessage", {"chat_id": 7, "text": "x", "entities": [{"type": "bold"}]}, "offset"),
        ("sendMessage", {"chat_id": 7, "text": "x", "reply_markup": {"rows": []}}, "reply_markup"),
        ("sendMassage", {}, "not in the Bot API"),
    ],
)
async def test_call_that_telegram_does_not_describe_is_a_violation(
    server: TelegramServer, method: str, given: dict[str, Any], wrong: str
) -> None:
    shared(NAME)
    async with httpx.AsyncClient() as http:
        answer = await http.post(f"{server.api_url}/bot{server.token}/{method}", json=given)
    assert answer.status_code == 400
    assert wrong in server.violations.pop()
