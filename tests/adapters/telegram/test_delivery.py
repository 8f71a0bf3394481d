"""What may go wrong with a final text, and that it stands once all the same."""

from __future__ import annotations

import asyncio

import pytest

from adapters.telegram import format as formats
from bot.errors import DeliveryError, DeliveryRefused
from bot.messages import Document
from tests.adapters.telegram.conftest import Make, reply_in
from tests.clock import StoppedClock
from tests.telegram_server import Drop, Fail, Fault, Hang, Person, TelegramServer, page

SUPERGROUP = -1_000_000_000_007
PICTURE = b"\x89PNG\r\n\x1a\n" + b"\x00\x00\x00\rIHDR" + b"\x00\x00\x02\x80\x00\x00\x01\xe0"


async def test_flood_is_told_to_the_core_and_holds_its_chat_only(
    telegram: TelegramServer, make: Make
) -> None:
    ann, bob, adapter = telegram.private(7), telegram.private(8), make(StoppedClock())
    telegram.flood(30, chat=7)
    sink = adapter.sink(reply_in(ann))
    with pytest.raises(DeliveryError) as held:
        await sink.finish(0, "Hello", "")
    assert held.value.retry_after == pytest.approx(30, abs=5)
    with pytest.raises(DeliveryError) as still:
        await sink.finish(0, "Hello", "")
    assert still.value.retry_after == pytest.approx(held.value.retry_after), "time stands still"
    assert len(telegram.called("sendMessage", 7)) == 1, "it is not asked again meanwhile"
    other = adapter.sink(reply_in(bob))
    await other.finish(0, "Hello", "")
    assert bob.answers == ["Hello"]
    await sink.close()
    await other.close()


async def test_text_whose_answer_was_lost_is_found_and_not_sent_again(
    telegram: TelegramServer, make: Make
) -> None:
    ann, adapter = telegram.private(7), make()
    sink = adapter.sink(reply_in(ann))
    await sink.finish(0, "One", "")
    telegram.fails("sendMessage", Drop(after=True))
    with pytest.raises(DeliveryError):
        await sink.finish(1, "Two", "")
    await ann.writes("In between")
    handle = await sink.finish(1, "Two", "")
    assert ann.answers == ["One", "Two"]
    assert handle == str(ann.messages[1].id)
    await sink.close()


async def test_looking_for_a_lost_text_leaves_other_answers_alone(
    telegram: TelegramServer, make: Make
) -> None:
    telegram.flood_control.limits = None
    group, adapter = telegram.group(SUPERGROUP), make(chat_rate=0)
    one, other = (adapter.sink(reply_in(group, key)) for key in ("turn-1", "turn-2"))
    await other.finish(0, "Another answer", "")
    telegram.fails("sendMessage", Drop(after=True))
    with pytest.raises(DeliveryError):
        await one.finish(0, "Lost", "")
    await other.finish(1, "More of another answer", "")
    await one.finish(0, "Lost and found", "")
    assert group.answers == ["Another answer", "Lost and found", "More of another answer"]
    await one.close()
    await other.close()


async def test_text_that_never_arrived_is_sent_again(telegram: TelegramServer, make: Make) -> None:
    telegram.flood_control.limits = None
    group, adapter = telegram.group(SUPERGROUP), make(chat_rate=0)
    sink = adapter.sink(reply_in(group))
    await sink.finish(0, "One", "")
    await group.writes("Somebody else's")
    telegram.fails("sendMessage", Drop())
    with pytest.raises(DeliveryError):
        await sink.finish(1, "Two", "")
    await sink.finish(1, "Two", "")
    assert group.answers == ["One", "Two"]
    assert [message.text for message in group.messages][1] == "Somebody else's"
    await sink.close()


async def test_answer_that_hangs_is_looked_for(telegram: TelegramServer, make: Make) -> None:
    ann, adapter = telegram.private(7), make(timeout=1)
    sink, hang = adapter.sink(reply_in(ann)), Hang(after=True)
    await sink.finish(0, "One", "")
    telegram.fails("sendMessage", hang)
    with pytest.raises(DeliveryError):
        await sink.finish(1, "Two", "")
    hang.until.set()
    await sink.finish(1, "Two", "")
    assert ann.answers == ["One", "Two"]
    await sink.close()


@pytest.mark.parametrize(
    "fault",
    [Fail(500, "Internal Server Error"), page("Bad Gateway"), Drop()],
    ids=["500", "502 of a proxy", "connection lost"],
)
async def test_edit_is_repeated(telegram: TelegramServer, make: Make, fault: Fault) -> None:
    ann, adapter = telegram.private(7), make()
    sink = adapter.sink(reply_in(ann))
    handle = await sink.finish(0, "One", "")
    telegram.fails("editMessageText", fault)
    with pytest.raises(DeliveryError) as later:
        await sink.finish(0, "One and two", handle)
    assert not isinstance(later.value, DeliveryRefused)
    assert await sink.finish(0, "One and two", handle) == handle
    assert ann.answers == ["One and two"]
    await sink.close()


async def test_what_stands_already_is_left_as_it_is(telegram: TelegramServer, make: Make) -> None:
    ann, adapter = telegram.private(7), make()
    sink = adapter.sink(reply_in(ann))
    handle = await sink.finish(0, "Hello", "")
    later = adapter.sink(reply_in(ann))
    assert await later.finish(0, "Hello", handle) == handle
    assert [call.status for call in telegram.called("editMessageText")] == [400]
    assert ann.answers == ["Hello"]
    await sink.close()
    await later.close()


async def test_message_deleted_under_an_edit_is_sent_anew(
    telegram: TelegramServer, make: Make
) -> None:
    ann, adapter = telegram.private(7), make()
    sink = adapter.sink(reply_in(ann))
    handle = await sink.finish(0, "Half", "")
    await ann.deletes(ann.messages[0])
    assert await sink.finish(0, "Half and whole", handle) != handle
    assert ann.answers == ["Half and whole"]
    await sink.close()


async def test_chat_that_blocked_the_bot_is_refused(telegram: TelegramServer, make: Make) -> None:
    ann, adapter = telegram.private(7), make()
    await ann.blocks()
    sink = adapter.sink(reply_in(ann))
    with pytest.raises(DeliveryRefused, match="may not write"):
        await sink.finish(0, "Hello", "")
    with pytest.raises(DeliveryRefused):
        await sink.show(0, "Hello", "")
    await sink.close()


async def test_chat_that_does_not_exist_is_refused(telegram: TelegramServer, make: Make) -> None:
    adapter = make()
    nobody = telegram.private(9)
    del telegram.chats[9]
    sink = adapter.sink(reply_in(nobody))
    with pytest.raises(DeliveryRefused, match="Chat not found"):
        await sink.finish(0, "Hello **you**", "")
    await sink.close()


async def test_answer_to_a_deleted_topic_goes_to_the_group(
    telegram: TelegramServer, make: Make
) -> None:
    forum, adapter = telegram.forum(SUPERGROUP, Person(7)), make()
    sink = adapter.sink(reply_in(forum, topic=77))
    await sink.finish(0, "Hello", "")
    assert forum.answers == ["Hello"]
    await sink.close()


async def test_group_that_became_a_supergroup_is_followed(
    telegram: TelegramServer, make: Make
) -> None:
    group, adapter = telegram.group(-7), make()
    sink = adapter.sink(reply_in(group))
    handle = await sink.finish(0, "One", "")
    moved = await group.upgrades(SUPERGROUP)
    await sink.finish(1, "Two", "")
    await sink.finish(0, "One again", handle)
    later = adapter.sink(reply_in(group))
    await later.finish(0, "Three", "")
    assert moved.answers == ["Two", "One again", "Three"]
    await sink.close()
    await later.close()


async def test_refused_formatting_is_sent_plain(telegram: TelegramServer, make: Make) -> None:
    ann, adapter = telegram.private(7), make()
    telegram.fails("sendMessage", Fail(400, "can't parse entities: who knows why"))
    sink = adapter.sink(reply_in(ann))
    await sink.finish(0, "Some **bold** text", "")
    (message,) = ann.messages
    assert message.text == "Some bold text"
    assert not message.entities
    await sink.close()


async def test_formatter_that_fails_leaves_the_text_plain(
    telegram: TelegramServer, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise RecursionError

    monkeypatch.setattr(formats, "convert", fails)
    ann, adapter = telegram.private(7), make()
    sink = adapter.sink(reply_in(ann))
    await sink.finish(0, "Some **bold** text", "")
    assert ann.answers == ["Some **bold** text"]
    await sink.close()


async def test_server_out_of_reach_is_no_doubt_about_the_text(make: Make) -> None:
    adapter = make(api_url="http://127.0.0.1:9")
    nobody = TelegramServer().private(7)
    sink = adapter.sink(reply_in(nobody))
    with pytest.raises(DeliveryError, match="out of reach"):
        await sink.finish(0, "Hello", "")
    await sink.close()


async def test_final_text_waits_for_a_slot_and_other_chats_do_not(
    telegram: TelegramServer, make: Make
) -> None:
    clock, telegram.flood_control.limits = StoppedClock(), None
    ann, bob, adapter = telegram.private(7), telegram.private(8), make(clock)
    sinks = [adapter.sink(reply_in(chat)) for chat in (ann, bob)]
    for part in range(3):
        await sinks[0].finish(part, f"Part {part}", "")
    waiting = asyncio.create_task(sinks[0].finish(3, "Part 3", ""))
    await clock.asleep(1)
    await sinks[1].finish(0, "At once", "")
    assert bob.answers == ["At once"]
    assert len(ann.answers) == 3
    clock.advance(1)
    await waiting
    assert len(ann.answers) == 4
    for sink in sinks:
        await sink.close()


async def test_picture_is_seen_and_any_other_file_is_a_document(
    telegram: TelegramServer, make: Make
) -> None:
    ann, adapter = telegram.private(7), make()
    sink = adapter.sink(reply_in(ann))
    await sink.attach(Document("loss.png", "image/png", PICTURE))
    await sink.attach(Document("talk.jsonl", "application/jsonl", b"{}\n"))
    assert [(each.file.kind, each.file.content) for each in ann.messages if each.file] == [
        ("photo", PICTURE),
        ("document", b"{}\n"),
    ]
    await sink.close()


async def test_file_that_telegram_does_not_take_is_refused(
    telegram: TelegramServer, make: Make
) -> None:
    adapter = make()
    sink = adapter.sink(reply_in(telegram.private(7)))
    with pytest.raises(DeliveryRefused, match="larger than Telegram takes"):
        await sink.attach(Document("all.bin", "application/zip", bytes(50 * 1024**2 + 1)))
    with pytest.raises(DeliveryRefused, match="non-empty"):
        await sink.attach(Document("none.txt", "text/plain", b""))
    await sink.close()


async def test_message_that_is_gone_already_is_retracted(
    telegram: TelegramServer, make: Make
) -> None:
    ann, adapter = telegram.private(7), make()
    sink = adapter.sink(reply_in(ann))
    handles = [await sink.finish(part, "Hello", "") for part in range(2)]
    await sink.retract(handles[1])
    await sink.retract(handles[1])
    assert ann.answers == ["Hello"]
    await sink.close()
