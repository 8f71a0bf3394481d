"""Nothing that people write gets lost, and Telegram forgets it only after the core has it."""

from __future__ import annotations

import asyncio

import pytest

from adapters.telegram import poller
from bot.errors import ConfigError, StoreBusy
from bot.messages import IncomingMessage, Receipt
from tests.adapters.fake_core import FakeCore
from tests.adapters.telegram.conftest import HastyClock, Make, adapter_on, running
from tests.telegram_server import Drop, Fail, File, Hang, Person, TelegramServer


class SlowCore(FakeCore):
    """Commits nothing of a chat until it is let go."""

    slow = ""
    go: asyncio.Event

    async def receive(self, message: IncomingMessage) -> Receipt:
        if message.conversation.channel == self.slow:
            await self.go.wait()
        return await super().receive(message)


def texts(core: FakeCore) -> list[str]:
    """What the core has."""
    return [message.text for message in core.received]


async def acknowledged(telegram: TelegramServer) -> None:
    """Return when Telegram has forgotten everything."""
    await telegram.until(lambda: not telegram.updates.waiting)


async def test_update_is_acknowledged_only_once_it_is_committed(
    telegram: TelegramServer, make: Make
) -> None:
    adapter = make()
    core = SlowCore(adapter)
    core.slow, core.go = "7", asyncio.Event()
    run = asyncio.create_task(adapter.run(core))
    ann, bob = telegram.private(7), telegram.private(8)
    await ann.writes("Slow")
    await bob.writes("Quick")
    await core.heard("Quick")
    await telegram.until(lambda: len(telegram.called("getUpdates")) > 3)
    assert len(telegram.updates.waiting) == 2, "the older one is not committed"
    core.go.set()
    await acknowledged(telegram)
    assert texts(core) == ["Quick", "Slow"]
    run.cancel()
    await asyncio.wait([run])


async def test_update_that_was_not_committed_comes_again_after_a_restart(
    telegram: TelegramServer, make: Make
) -> None:
    ann, adapter = telegram.private(7), make()
    core = SlowCore(adapter)
    core.slow, core.go = "7", asyncio.Event()
    run = asyncio.create_task(adapter.run(core))
    await ann.writes("Hello")
    await telegram.until(lambda: len(telegram.called("getUpdates")) > 2)
    run.cancel()
    await asyncio.wait([run])
    async with running(make()) as second:
        await second.heard("Hello")


async def test_messages_of_a_chat_come_in_order(telegram: TelegramServer, make: Make) -> None:
    chats = [telegram.private(7 + number) for number in range(3)]
    for number in range(20):
        for chat in chats:
            await chat.writes(f"{number}")
    async with running(make(chat_rate=0, rate=0)) as core:
        await acknowledged(telegram)
        for chat in chats:
            told = [each.text for each in core.received if each.person.id == f"telegram:{chat.id}"]
            assert told == [f"{number}" for number in range(20)]


async def test_full_store_is_waited_for_in_order(telegram: TelegramServer, make: Make) -> None:
    ann, adapter = telegram.private(7), make(HastyClock())
    core = FakeCore(adapter)
    core.failures = [StoreBusy("The database is busy.")] * 3
    run = asyncio.create_task(adapter.run(core))
    await ann.writes("One")
    await ann.writes("Two")
    await core.heard("Two")
    assert texts(core) == ["One", "Two"]
    await acknowledged(telegram)
    run.cancel()
    await asyncio.wait([run])


@pytest.mark.parametrize(
    "update",
    [
        {"message": {"chat": 1}},
        {"message": "text"},
        {"message": {"message_id": 1, "date": "?", "chat": {"id": 7, "type": "private"}}},
        {"callback_query": {}},
        {"message_reaction": {"chat": {}}},
        {"stopped_message_generation": {"draft_id": 1}},
        {"stopped_message_generation": 5},
    ],
)
async def test_malformed_update_is_kept_aside_and_skipped(
    telegram: TelegramServer, make: Make, update: object
) -> None:
    ann = telegram.private(7)
    async with running(make()) as core:
        await ann.writes("Before")
        telegram.inject(update)
        await ann.writes("After")
        await acknowledged(telegram)
        await core.heard("After")
        assert texts(core) == ["Before", "After"]
        assert len(core.aside) == 1


async def test_update_that_is_no_object_is_kept_aside_and_skipped(
    telegram: TelegramServer, make: Make
) -> None:
    ann = telegram.private(7)
    async with running(make()) as core:
        await ann.writes("Before")
        await core.heard("Before")
        telegram.inject("garbage")
        await acknowledged(telegram)
        assert core.aside == ['"garbage"']


async def test_keys_name_the_update_and_the_message(telegram: TelegramServer, make: Make) -> None:
    ann = telegram.private(7)
    async with running(make()) as core:
        message = await ann.writes("Hello")
        await core.heard("Hello")
        await acknowledged(telegram)
        (update,) = telegram.updates.confirmed
        keys = {f"{telegram.bot.id}:{update.id}", f"7/{message.id}"}
        assert set(core.received[0].keys) == keys


async def test_long_text_that_telegram_split_is_read_as_one(
    telegram: TelegramServer, make: Make
) -> None:
    ann, text = telegram.private(7), "word " * 2000
    async with running(make()) as core:
        await ann.writes(text)
        await ann.writes("And a short one")
        await core.heard("And a short one")
        assert texts(core) == [text, "And a short one"]
        assert len(core.received[0].keys) == 6


async def test_pieces_of_a_text_are_waited_for(telegram: TelegramServer, make: Make) -> None:
    ann, bob, text = telegram.private(7), telegram.private(8), "x" * 4096
    async with running(make(split_seconds=30)) as core:
        await ann.writes(text)
        await telegram.until(lambda: len(telegram.called("getUpdates")) > 2)
        await bob.writes("Quick")
        await core.heard("Quick")
        assert len(telegram.updates.waiting) == 2, "the first piece is not acknowledged"
        await ann.writes("the rest")
        await core.heard(text + "the rest")
        await acknowledged(telegram)
        assert texts(core) == ["Quick", text + "the rest"]


async def test_long_text_alone_is_not_waited_for_in_vain(
    telegram: TelegramServer, make: Make
) -> None:
    ann, text = telegram.private(7), "x" * 4096
    async with running(make(split_seconds=0.05)) as core:
        await ann.writes(text)
        await core.heard(text)
        await acknowledged(telegram)
        await ann.writes("Something else")
        await core.heard("Something else")
        assert texts(core) == [text, "Something else"]


async def test_short_message_does_not_wait(telegram: TelegramServer, make: Make) -> None:
    ann = telegram.private(7)
    async with running(make(split_seconds=1000)) as core:
        await ann.writes("Hello")
        await core.heard("Hello")


async def test_long_texts_of_two_people_are_kept_apart(
    telegram: TelegramServer, make: Make
) -> None:
    ann, bob = Person(7, "Ann"), Person(8, "Bob")
    group, text = telegram.group(-1_000_000_000_007, ann), "/help " + "x" * 4090
    async with running(make(split_seconds=0.05)) as core:
        await group.writes(text, by=ann)
        await group.writes("/help me", by=bob)
        await core.heard("/help me")
        await core.heard(text)
        assert {each.person.name for each in core.received} == {"Ann", "Bob"}


async def test_rest_of_a_long_text_in_a_group_needs_no_mention(
    telegram: TelegramServer, make: Make
) -> None:
    group = telegram.group(-1_000_000_000_007, Person(7, "Ann"))
    async with running(make(split_seconds=30)) as core:
        await group.writes("Nobody is meant")
        await group.writes("@tune_test_bot " + "x" * 5000)
        await group.writes("Nobody is meant any more")
        await group.writes("/help")
        await core.heard("/help")
        await acknowledged(telegram)
        assert texts(core) == ["x" * 5000, "/help"]


async def test_second_poller_is_told_of_and_outlived(
    telegram: TelegramServer, make: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    ann, adapter = telegram.private(7), make(HastyClock())
    telegram.fails("getUpdates", Fail(409, "Conflict: terminated by other request"), times=3)
    async with running(adapter) as core:
        await telegram.until(lambda: len(telegram.called("getUpdates")) > 1)
        assert adapter.trouble == poller.TWO_POLLERS
        await ann.writes("Hello")
        await core.heard("Hello")
        assert not adapter.trouble
    assert capsys.readouterr().err.count("Another program fetches") == 1


async def test_broken_network_is_outlived_and_logged_once(
    telegram: TelegramServer, make: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    ann = telegram.private(7)
    telegram.fails("getMe", Drop(), times=2)
    for fault in (Drop(), Fail(502, html="<h1>Bad Gateway</h1>"), Drop(after=True)):
        telegram.fails("getUpdates", fault)
    await ann.writes("Hello")
    async with running(make(HastyClock())) as core:
        await core.heard("Hello")
        await acknowledged(telegram)
        assert texts(core) == ["Hello"]
    assert capsys.readouterr().err.count("out of reach") == 2


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


async def test_commands_are_listed_for_everybody_and_more_for_operators(
    telegram: TelegramServer, make: Make
) -> None:
    async with running(make()):
        await telegram.until(lambda: len(telegram.commands) == 2)
        menu = telegram.commands["default", 0, ""]
        assert [each["command"] for each in menu] == ["help", "model"]
        assert menu[0]["description"] == "Say what can be done."
        menu = telegram.commands["chat", 7, ""]
        assert [each["command"] for each in menu] == ["help", "model", "finetune"]


async def test_bug_of_the_core_does_not_end_polling(telegram: TelegramServer, make: Make) -> None:
    ann, adapter = telegram.private(7), make()
    core = FakeCore(adapter)
    core.failures = [RuntimeError("a bug")]  # type: ignore[list-item]
    run = asyncio.create_task(adapter.run(core))
    await ann.writes("One")
    await ann.writes("Two")
    await core.heard("Two")
    await acknowledged(telegram)
    assert '"text": "One"' in core.aside[0], "somebody can look into it"
    run.cancel()
    await asyncio.wait([run])


async def test_new_message_beside_one_delivered_again_is_heard(
    telegram: TelegramServer, make: Make
) -> None:
    ann, long = telegram.private(7), "x" * 4000
    known: set[str] = set()

    class Knowing(FakeCore):
        async def receive(self, message: IncomingMessage) -> Receipt:
            if not known.isdisjoint(message.keys):
                return Receipt.DUPLICATE
            known.update(message.keys)
            return await super().receive(message)

    first = await ann.writes(long)
    await ann.writes("And something new")
    known.add(f"7/{first.id}")
    adapter = make()
    core = Knowing(adapter)
    run = asyncio.create_task(adapter.run(core))
    await core.heard("And something new")
    assert texts(core) == ["And something new"]
    run.cancel()
    await asyncio.wait([run])


async def test_long_text_of_the_morning_is_not_joined_with_one_of_the_evening(
    telegram: TelegramServer, make: Make
) -> None:
    ann, long = telegram.private(7), "x" * 4000
    for text, later in ((long, 0), ("Hours later", 7 * 3600)):
        message = ann.post(ann.person, text).json(ann.about)
        telegram.happens("message", {**message, "date": message["date"] + later})
    async with running(make()) as core:
        await core.heard("Hours later")
        assert texts(core) == [long, "Hours later"]


async def test_stop_and_other_topics_wait_for_no_file(telegram: TelegramServer, make: Make) -> None:
    forum = telegram.forum(-1_000_000_000_007, Person(7, "Ann"))
    one, two = forum.topic("One"), forum.topic("Two")
    telegram.fails("getFile", Hang())
    async with running(make()) as core:
        document = File("document", "a.txt", "text/plain", b"x")
        await forum.sends(document, "@tune_test_bot look", topic=one)
        await telegram.until(lambda: telegram.called("getFile"))
        await forum.writes("/help", topic=two)
        await core.heard("/help")
        await forum.writes("/stop", topic=one)
        await core.heard("/stop")


async def test_menus_of_commands_hold_up_no_message(telegram: TelegramServer, make: Make) -> None:
    telegram.fails("setMyCommands", Hang())
    await telegram.private(7).writes("Hello")
    async with running(make()) as core:
        await core.heard("Hello")


async def test_answer_without_a_result_is_outlived(telegram: TelegramServer, make: Make) -> None:
    telegram.fails("getUpdates", Fail(200, html='{"ok": true}'))
    await telegram.private(7).writes("Hello")
    async with running(make(HastyClock())) as core:
        await core.heard("Hello")
