"""Telegram calls us: it is told that we have an update only once that is so."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from adapters.telegram import intake
from bot.errors import ConfigError, StoreBusy, StoreError
from bot.ports import Door, Knock, SecretHeader
from tests.adapters.fake_core import FakeCore
from tests.adapters.telegram.conftest import SECRET, Make, adapter_on, going
from tests.ending import end
from tests.telegram_server import Fail, TelegramServer
from tests.telegram_server.updates import Update


@asynccontextmanager
async def house() -> AsyncIterator[tuple[list[Door], str]]:
    """A server with doors, as the HTTP adapter has one, and its address."""
    doors: list[Door] = []

    async def opened(request: web.Request) -> web.Response:
        (door,) = [door for door in doors if door.path == request.path]
        assert isinstance(door.proof, SecretHeader)
        if request.headers[door.proof.header] != door.proof.secret:
            return web.Response(status=401)
        try:
            result = await door.opens(Knock({}, await request.read()))
        except StoreError:
            return web.Response(status=503)
        return web.Response(status=result.status, body=result.body)

    app = web.Application()
    app.router.add_post("/{path:.*}", opened)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield doors, f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await end(runner)


@asynccontextmanager
async def called(telegram: TelegramServer, *failures: StoreError) -> AsyncIterator[FakeCore]:
    """A core behind a webhook."""
    async with house() as (opened, address):
        adapter = adapter_on(telegram, mode="webhook", webhook_url=address)
        opened.extend(adapter.doors)
        core = FakeCore(adapter)
        core.shelf_failures = list(failures)
        run = asyncio.create_task(adapter.run(core))
        await telegram.until(lambda: telegram.updates.webhook.url)
        try:
            yield core
        finally:
            run.cancel()
            await asyncio.wait([run])
            await telegram.updates.close()
            await adapter.close()


async def test_update_that_telegram_posts_is_answered(telegram: TelegramServer) -> None:
    ann = telegram.private(7)
    async with called(telegram):
        assert telegram.updates.webhook.secret == SECRET
        await ann.writes("Hello")
        await ann.sees(lambda _: ann.answers == ["You said: Hello"])
        await telegram.until(lambda: not telegram.updates.waiting)


async def test_update_that_was_not_committed_is_posted_again(telegram: TelegramServer) -> None:
    ann = telegram.private(7)
    async with called(telegram, StoreBusy("The database is busy.")) as core:
        await ann.writes("Hello")
        await core.heard("Hello")
        assert "503" in telegram.updates.webhook.last_error


async def test_malformed_post_is_kept_aside_and_not_posted_for_ever(
    telegram: TelegramServer,
) -> None:
    ann = telegram.private(7)
    async with called(telegram) as core:
        telegram.inject({"message": {"chat": 1}})
        await ann.writes("Hello")
        await core.heard("Hello")
        assert len(core.aside) == 1


async def test_post_that_is_no_json_is_kept_aside(telegram: TelegramServer) -> None:
    async with called(telegram) as core:
        (door,) = core.adapter.doors
        assert (await door.opens(Knock({}, b"\xff{"))).status == 200
        assert len(core.aside) == 1


async def test_door_is_closed_while_nobody_is_in(make: Make) -> None:
    (door,) = make(mode="webhook", webhook_url="https://bot.example.com/").doors
    update = json.dumps({"update_id": 1}).encode()
    assert (await door.opens(Knock({}, update))).status == 503


async def test_polling_has_no_door(make: Make) -> None:
    assert not make().doors


async def test_webhook_is_checked(telegram: TelegramServer) -> None:
    async with called(telegram) as core:
        checks = await core.adapter.check()
        assert checks[-1].works
        assert "0 messages wait" in checks[-1].found
        telegram.updates.webhook.last_error = "Connection refused"
        checks = await core.adapter.check()
        assert checks[-1].works, "nothing waits, so it has been reached since"
        telegram.updates.waiting = [Update(1, "{}")]
        checks = await core.adapter.check()
        telegram.updates.waiting = []
        assert not checks[-1].works
        assert "Connection refused" in checks[-1].found


async def test_door_has_the_adapters_name(make: Make) -> None:
    (door,) = make(mode="webhook", webhook_url="https://bot.example.com/").doors
    assert door.path == "/telegram"


def posted(telegram: TelegramServer, number: int, text: str) -> Knock:
    """What Telegram posts when Ann writes."""
    ann = telegram.private(7)
    message = ann.post(ann.person, text).json(ann.about)
    return Knock({}, json.dumps({"update_id": number, "message": message}).encode())


async def test_end_of_the_bot_leaves_what_is_committed_to_the_next_start(
    telegram: TelegramServer, make: Make
) -> None:
    async with called(telegram) as core:
        (door,) = core.adapter.doors
        assert (await door.opens(posted(telegram, 5, "x" * 4000))).status == 200
    assert not core.received
    adapter = make()
    async with going(adapter, core):
        await core.heard("x" * 4000)
        assert not core.shelf


async def test_who_hangs_up_leaves_behind_what_is_heard(telegram: TelegramServer) -> None:
    async with called(telegram) as core:
        (door,) = core.adapter.doors
        opening = asyncio.ensure_future(door.opens(posted(telegram, 5, "Hello")))
        await asyncio.sleep(0)
        opening.cancel()
        await core.heard("Hello")


async def test_text_that_telegram_split_is_one_message(telegram: TelegramServer) -> None:
    async with called(telegram) as core:
        await telegram.private(7).writes("x" * 5000)
        await core.heard("x" * 5000)
        assert len(core.received) == 1


async def test_same_piece_called_twice_at_once_is_heard_once(telegram: TelegramServer) -> None:
    async with called(telegram) as core:
        (door,) = core.adapter.doors
        knock = posted(telegram, 5, "x" * 4000)
        opened = await asyncio.gather(*[door.opens(knock) for _ in range(2)])
        assert [each.status for each in opened] == [200, 200]
        await core.heard("x" * 4000)
        await door.opens(posted(telegram, 6, "/help"))
        await core.heard("/help")
        assert [each.text for each in core.received] == ["x" * 4000, "/help"]


async def test_too_much_under_way_is_posted_again(
    telegram: TelegramServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "MOST_UNDER_WAY", 1)
    async with called(telegram) as core:
        (door,) = core.adapter.doors
        assert (await door.opens(posted(telegram, 5, "x" * 4000))).status == 200
        assert (await door.opens(posted(telegram, 6, "/help"))).status == 503
        await core.heard("x" * 4000)
        await asyncio.sleep(0)
        assert (await door.opens(posted(telegram, 6, "/help"))).status == 200


async def test_refused_webhook_ends_the_start_in_telegrams_words(
    telegram: TelegramServer, make: Make
) -> None:
    telegram.fails("setWebhook", Fail(400, "Bad Request: bad webhook: Failed to resolve host"))
    adapter = make(mode="webhook", webhook_url="https://bot.example.com")
    with pytest.raises(ConfigError, match=r"webhook_url.*resolve host"):
        await adapter.run(FakeCore(adapter))
