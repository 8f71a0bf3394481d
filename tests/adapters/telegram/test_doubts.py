"""A text whose answer got lost: it is found where that is sure, and never takes another's place."""

from __future__ import annotations

import pytest

from adapters.telegram.ledger import MOST_SHARED, Ledger
from bot.errors import DeliveryError
from bot.messages import Document
from tests.adapters.telegram.conftest import Make, reply_in, running
from tests.adapters.telegram.test_delivery import PICTURE
from tests.telegram_server import Drop, Person, TelegramServer

SUPERGROUP = -1_000_000_000_007


async def test_lost_text_does_not_become_the_words_below_a_picture(
    telegram: TelegramServer, make: Make
) -> None:
    ann, adapter = telegram.private(7), make()
    sink = adapter.sink(reply_in(ann))
    await sink.finish(0, "Ready", "")
    telegram.fails("sendMessage", Drop())
    with pytest.raises(DeliveryError):
        await sink.finish(1, "Important", "")
    await sink.attach(Document("loss.png", "image/png", PICTURE))
    await sink.finish(1, "Important", "")
    assert [(each.text, bool(each.file)) for each in ann.messages] == [
        ("Ready", False),
        ("", True),
        ("Important", False),
    ]
    tried = [call.given["message_id"] for call in telegram.called("editMessageText")]
    assert ann.messages[1].id not in tried, "the picture is known"
    await sink.close()


async def test_lost_answers_of_two_topics_stay_in_their_topics(
    telegram: TelegramServer, make: Make
) -> None:
    telegram.flood_control.limits = None
    forum = telegram.forum(SUPERGROUP, Person(7))
    one, two, adapter = forum.topic("One"), forum.topic("Two"), make(chat_rate=0, group_rate=0)
    first, second = (adapter.sink(reply_in(forum, f"{t}", topic=t)) for t in (one, two))
    await first.finish(0, "Hello", "")
    telegram.fails("sendMessage", Drop(after=True), times=2)
    with pytest.raises(DeliveryError):
        await first.finish(1, "For one", "")
    with pytest.raises(DeliveryError):
        await second.finish(0, "For two", "")
    await second.finish(0, "For two", "")
    await first.finish(1, "For one", "")
    seen = {(message.topic, message.text) for message in forum.messages}
    assert seen == {(one, "Hello"), (one, "For one"), (two, "For two")}
    await first.close()
    await second.close()


async def test_text_is_not_looked_for_while_another_is_in_doubt(
    telegram: TelegramServer, make: Make
) -> None:
    telegram.flood_control.limits = None
    group, adapter = telegram.group(SUPERGROUP), make(chat_rate=0, group_rate=0)
    one, two = (adapter.sink(reply_in(group, key)) for key in ("one", "two"))
    await one.finish(0, "Hello", "")
    telegram.fails("sendMessage", Drop(after=True), times=2)
    with pytest.raises(DeliveryError):
        await one.finish(1, "First", "")
    with pytest.raises(DeliveryError):
        await two.finish(0, "Second", "")
    await two.finish(0, "Second", "")
    assert not telegram.called("editMessageText")
    await two.close()
    await one.finish(1, "First", "")
    assert {"Hello", "First", "Second"} == set(group.answers)
    await one.close()


async def test_lost_text_is_found_in_a_busy_bot(telegram: TelegramServer, make: Make) -> None:
    telegram.flood_control.limits = None
    ann, bob = telegram.private(7), telegram.private(8, "Bob")
    adapter = make(chat_rate=0, rate=0)
    async with running(adapter) as core:
        await ann.writes("A question")
        await ann.sees(lambda _: ann.answers)
        for number in range(5):
            await bob.writes(f"{number}")
        await core.heard("4")
        await bob.sees(lambda _: len(bob.answers) == 5)
    sink = adapter.sink(reply_in(ann))
    telegram.fails("sendMessage", Drop(after=True))
    with pytest.raises(DeliveryError):
        await sink.finish(0, "An answer", "")
    await sink.finish(0, "An answer", "")
    assert ann.answers == ["You said: A question", "An answer"]
    await sink.close()


def test_nothing_is_looked_for_among_ids_that_were_forgotten() -> None:
    ledger = Ledger()
    for message in range(1, MOST_SHARED + 10):
        ledger.saw(7, message)
    assert ledger.unaccounted(7, 5) == []
    assert ledger.unaccounted(7, ledger.newest(7)) == [MOST_SHARED + 10 + n for n in range(3)]
