"""Telegram forgets an update only after the core has it, whatever happens meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from adapters.telegram import intake, patience, poller
from bot.errors import ConfigError, StoreBusy
from bot.messages import RawEvent
from bot.ports import Adapter
from tests.adapters.fake_core import FakeCore
from tests.adapters.telegram.conftest import (
    HastyClock,
    Make,
    acknowledged,
    acknowledged_but,
    adapter_on,
    going,
    running,
    said,
    texts,
)
from tests.clock import StoppedClock
from tests.telegram_server import Drop, Fail, File, Hang, Raw, TelegramServer, page


class SlowShelf(FakeCore):
    """Commits nothing until it is let go."""

    def __init__(self, adapter: Adapter) -> None:
        super().__init__(adapter)
        self.asked, self.go = asyncio.Event(), asyncio.Event()

    async def shelve(
        self, adapter: str, events: Sequence[tuple[str, str]]
    ) -> Sequence[RawEvent | None]:
        self.asked.set()
        await self.go.wait()
        return await super().shelve(adapter, events)


async def test_update_is_acknowledged_only_once_it_is_committed(
    telegram: TelegramServer, make: Make
) -> None:
    ann, adapter = telegram.private(7), make()
    core = SlowShelf(adapter)
    async with going(adapter, core):
        await ann.writes("Hello")
        await core.asked.wait()
        assert len(telegram.updates.waiting) == 1
        core.go.set()
        await core.heard("Hello")
        await acknowledged(telegram)


async def test_update_that_was_not_committed_comes_again_after_a_restart(
    telegram: TelegramServer, make: Make
) -> None:
    ann, adapter = telegram.private(7), make()
    core = SlowShelf(adapter)
    async with going(adapter, core):
        await ann.writes("Hello")
        await core.asked.wait()
    async with running(make()) as second:
        await second.heard("Hello")


async def test_full_store_holds_the_poll_and_loses_nothing(
    telegram: TelegramServer, make: Make
) -> None:
    ann, adapter = telegram.private(7), make(HastyClock())
    core = FakeCore(adapter)
    core.shelf_failures = [StoreBusy("The database is busy.")] * 3
    async with going(adapter, core):
        await ann.writes("Hello")
        await core.heard("Hello")
        await acknowledged(telegram)
        assert texts(core) == ["Hello"]


async def test_too_much_under_way_waits_at_telegram(
    telegram: TelegramServer, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "MOST_UNDER_WAY", 2)
    ann, bob, slow = telegram.private(7), telegram.private(8), Hang()
    telegram.fails("getFile", slow)
    async with running(make()) as core:
        await ann.sends(File("document", "a.txt", "text/plain", b"x"), "Look")
        await telegram.until(lambda: telegram.called("getFile"))
        await ann.writes("And then?")
        await acknowledged_but(telegram, 1)
        await bob.writes("Hello")
        assert len(telegram.updates.waiting) == 2
        slow.until.set()
        await core.heard("Hello")
        await acknowledged(telegram)


async def test_update_delivered_again_is_heard_once_and_acknowledged(
    telegram: TelegramServer, make: Make
) -> None:
    ann, adapter = telegram.private(7), make()
    core = FakeCore(adapter)
    async with going(adapter, core):
        message = await ann.writes("Hello")
        await core.heard("Hello")
        assert core.received[0].keys == (f"{telegram.bot.id}:7/{message.id}",)
        await acknowledged(telegram)
    telegram.updates.waiting, telegram.updates.confirmed = telegram.updates.confirmed, []
    async with going(adapter, core):
        await ann.writes("Again")
        await core.heard("Again")
        await acknowledged(telegram)
        assert texts(core) == ["Hello", "Again"]


async def test_same_numbers_at_another_bot_are_other_messages(
    telegram: TelegramServer, make: Make
) -> None:
    ann, adapter = telegram.private(7), make()
    core = FakeCore(adapter)
    async with going(adapter, core):
        message = await ann.writes("To the first")
        await core.heard("To the first")
    async with TelegramServer(token=f"4343:{'A' * 35}") as another:
        adapter = adapter_on(another)
        async with going(adapter, core):
            again = await another.private(7).writes("To the second")
            assert again.id == message.id
            await core.heard("To the second")
        await adapter.close()


@pytest.mark.parametrize(
    ("found", "asked", "offset"),
    [
        ([{"update_id": 5}, {"update_id": 6}], 0, 7),
        ([{"update_id": 5}, "garbage"], 0, 7),
        (["garbage"], 9, 10),
        (["garbage"], 0, 0),
        (["garbage", {"update_id": 5}], 0, 6),
        ([{"update_id": 3}], 9, 9),
    ],
)
def test_offset_confirms_nothing_that_nobody_has_seen(
    found: list[object], asked: int, offset: int
) -> None:
    assert poller.above(found, asked) == offset


async def test_numbers_that_begin_anew_after_a_quiet_week_are_followed(
    telegram: TelegramServer, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(poller, "LONG", 0)
    ann = telegram.private(7)
    async with running(make()) as core:
        await ann.writes("Before")
        await acknowledged(telegram)
        await telegram.until(lambda: not telegram.called("getUpdates")[-1].given.get("offset"))
        for number, text in ((5, "New"), (6, "numbers")):
            telegram.inject({"update_id": number, "message": said(ann, text)})
        await core.heard("numbers")
        assert texts(core) == ["Before", "New", "numbers"]


async def test_second_poller_is_told_of_and_outlived(
    telegram: TelegramServer, make: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    ann, adapter = telegram.private(7), make(HastyClock())
    telegram.fails("getUpdates", Fail(409, "Conflict: terminated by other request"), times=3)
    async with running(adapter) as core:
        await telegram.until(lambda: len(telegram.called("getUpdates")) > 1)
        assert adapter.trouble == patience.TWO_POLLERS
        await ann.writes("Hello")
        await core.heard("Hello")
        assert not adapter.trouble
    assert capsys.readouterr().err.count("Another program fetches") == 1


async def test_broken_network_is_outlived_and_logged_once(
    telegram: TelegramServer, make: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    ann = telegram.private(7)
    telegram.fails("getMe", Drop(), times=2)
    for fault in (Drop(), page("Bad Gateway"), Drop(after=True)):
        telegram.fails("getUpdates", fault)
    await ann.writes("Hello")
    async with running(make(HastyClock())) as core:
        await core.heard("Hello")
        await acknowledged(telegram)
        assert texts(core) == ["Hello"]
    logged = capsys.readouterr().err
    assert logged.count("does not answer as it should") == 2


async def test_no_network_is_called_by_its_name(
    make: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = StoppedClock()
    adapter = make(clock, api_url="http://127.0.0.1:9")
    async with going(adapter, FakeCore(adapter)):
        await clock.asleep(1)
        assert adapter.trouble == patience.NO_CONNECTION
    assert "check the network" in capsys.readouterr().err


async def test_refused_token_ends_the_program_with_a_sentence(telegram: TelegramServer) -> None:
    adapter = adapter_on(telegram, HastyClock())
    telegram.token = "4242:another"
    telegram.fails("getMe", Drop())
    with pytest.raises(ConfigError, match="@BotFather"):
        await adapter.run(FakeCore(adapter))
    await adapter.close()


async def test_token_that_is_refused_later_does_not_end_the_program(
    telegram: TelegramServer, make: Make
) -> None:
    ann, adapter = telegram.private(7), make(HastyClock())
    telegram.fails("getUpdates", Fail(401, "Unauthorized"), times=3)
    async with running(adapter) as core:
        await telegram.until(lambda: len(telegram.called("getUpdates")) > 1)
        assert "@BotFather" in adapter.trouble
        await ann.writes("Hello")
        await core.heard("Hello")


async def test_poller_takes_over_from_a_webhook(telegram: TelegramServer, make: Make) -> None:
    ann = telegram.private(7)
    await ann.writes("Hello")
    await telegram.updates.deliver_to(type(telegram.updates.webhook)("http://127.0.0.1:9/"))
    async with running(make()) as core:
        await core.heard("Hello")
    assert not telegram.updates.webhook.url


async def test_answer_without_a_result_is_outlived(telegram: TelegramServer, make: Make) -> None:
    telegram.fails("getUpdates", Raw(b'{"ok": true}'))
    await telegram.private(7).writes("Hello")
    async with running(make(HastyClock())) as core:
        await core.heard("Hello")
