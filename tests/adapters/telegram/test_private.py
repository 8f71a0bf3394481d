"""What is for one person alone is told to them alone, also when they ask in a group."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapters.telegram.private import TOLD
from bot.errors import DeliveryError, DeliveryRefused
from bot.messages import Button, Document, ReplyTo
from tests.adapters.telegram.conftest import Make, reply_in
from tests.telegram_server import Chat, Fail, Person, TelegramServer

SUPERGROUP = -1_000_000_000_007
FILE = Document("conversation.jsonl", "application/jsonl", b"{}\n")


@pytest.fixture
def group(telegram: TelegramServer) -> Chat:
    telegram.flood_control.limits = None
    return telegram.group(SUPERGROUP, Person(7, "Ann"))


def alone(group: Chat) -> ReplyTo:
    """Where a card goes that is for who asked alone."""
    return replace(reply_in(group, "notice-1", person=7), private=True)


async def test_private_card_goes_to_the_persons_chat_and_the_group_is_told(
    telegram: TelegramServer, group: Chat, make: Make
) -> None:
    ann, sink = telegram.private(7), make().sink(alone(group))
    await sink.finish(0, "Your costs", "")
    await sink.finish(1, "And more of them", "")
    await sink.attach(FILE)
    await sink.close()
    assert ann.answers == ["Your costs", "And more of them", ""]
    assert [message.file.name for message in ann.messages if message.file] == [FILE.name]
    assert group.answers == [TOLD]


@pytest.mark.parametrize("blocked", [False, True], ids=["who never wrote", "who blocked it"])
async def test_private_card_is_told_in_the_group_where_the_bot_may_not_write_to_the_person(
    telegram: TelegramServer, group: Chat, make: Make, *, blocked: bool
) -> None:
    if blocked:
        await telegram.private(7).blocks()
    sink = make().sink(alone(group))
    await sink.finish(0, "Your costs", "")
    await sink.attach(FILE)
    await sink.close()
    assert group.answers == ["Your costs", ""]


async def test_refusal_and_what_has_buttons_stay_in_the_group(
    telegram: TelegramServer, group: Chat, make: Make
) -> None:
    ann, adapter = telegram.private(7), make()
    for text, buttons, failed in (
        ("Only operators may do that.", [], True),
        ("It will cost 3 dollars.", [Button("Start", "/finetune confirm 1")], False),
    ):
        sink = adapter.sink(alone(group))
        await sink.finish(0, text, "", failed=failed, buttons=buttons)
        await sink.close()
    assert group.answers == ["Only operators may do that.", "It will cost 3 dollars."]
    assert not ann.answers


async def test_private_card_is_finished_where_it_was_begun_after_a_restart(
    telegram: TelegramServer, group: Chat, make: Make
) -> None:
    ann, sink = telegram.private(7), make().sink(alone(group))
    handle = await sink.finish(0, "Your costs", "")
    await sink.close()
    sink = make().sink(alone(group))
    assert await sink.finish(0, "Your costs", handle) == handle
    await sink.finish(1, "And more of them", "")
    await sink.attach(FILE)
    await sink.retract(handle)
    await sink.close()
    assert ann.answers == ["And more of them", ""]
    assert group.answers == [TOLD]


async def test_private_card_that_waits_is_not_told_to_the_group_instead(
    telegram: TelegramServer, group: Chat, make: Make
) -> None:
    ann, sink = telegram.private(7), make().sink(alone(group))
    telegram.fails("sendMessage", Fail(500, "Internal Server Error"), chat=7)
    with pytest.raises(DeliveryError) as waits:
        await sink.finish(0, "Your costs", "")
    assert not isinstance(waits.value, DeliveryRefused)
    await sink.finish(0, "Your costs", "")
    await sink.close()
    assert ann.answers == ["Your costs"]
    assert group.answers == [TOLD]
