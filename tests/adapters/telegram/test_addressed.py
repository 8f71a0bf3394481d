"""Who is addressed, and what an update means in the core's terms."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from telegram import Update

from adapters.telegram.addressed import Me
from adapters.telegram.updates import Heard, Reader, Wanted
from bot.messages import ConversationId, Person, RawEvent
from tests.telegram_server.text import spotted

ME = Me(4242, "tune_test_bot")
EVENT = RawEvent(3, "")
ANN = {"id": 7, "is_bot": False, "first_name": "Ann", "last_name": "Lee"}
BOT = {"id": 4242, "is_bot": True, "first_name": "Tune", "username": "tune_test_bot"}
OTHER_BOT = {"id": 9, "is_bot": True, "first_name": "Other"}
PRIVATE = {"id": 7, "type": "private", "first_name": "Ann"}
GROUP = {"id": -1000000000007, "type": "supergroup", "title": "Group"}
OURS = {"message_id": 3, "date": 1, "chat": GROUP, "from": BOT, "text": "Hello"}
OPENED = {
    "message_id": 5,
    "date": 1,
    "chat": GROUP,
    "from": BOT,
    "forum_topic_created": {"name": "Topic", "icon_color": 1},
}
THEIRS = {"message_id": 4, "date": 1, "chat": GROUP, "from": ANN, "text": "Hi"}
FILE = {"file_id": "f", "file_unique_id": "u", "file_size": 5}


def read(chat: dict[str, Any], **fields: Any) -> Heard | None:
    """What a message means."""
    message = {"message_id": 17, "date": 1_800_000_000, "chat": chat, "from": ANN, **fields}
    if text := message.get("text", ""):
        message.setdefault("entities", spotted(text))
    update = Update.de_json({"update_id": 5, "message": message}, None)
    found = Reader("telegram", ME).read(update, EVENT)
    assert found is None or isinstance(found, Heard)
    return found if found and not found.overheard else None


def says(chat: dict[str, Any], **fields: Any) -> str | None:
    """What a message says to the bot."""
    found = read(chat, **fields)
    return found.message.text if found else None


@pytest.mark.parametrize(
    ("text", "heard"),
    [
        ("Hello", "Hello"),
        ("/help", "/help"),
        ("/help model", "/help model"),
        ("/help@Tune_Test_Bot model", "/help model"),
        ("/help@other_bot", None),
        ("/start", "/help"),
        ("/start from_our_page", "/help"),
        ("/start@tune_test_bot from_our_page", "/help"),
        ("/started", "/started"),
        ("/etc/file is gone", "/etc/file is gone"),
        ("write to me@tune_test_bot.org", "write to me@tune_test_bot.org"),
        ("@tune_test_bot hi", "hi"),
    ],
)
def test_everything_in_private_is_for_the_bot(text: str, heard: str | None) -> None:
    assert says(PRIVATE, text=text) == heard


@pytest.mark.parametrize(
    ("text", "heard"),
    [
        ("Hello all", None),
        ("@tune_test_bot what is it?", "what is it?"),
        ("What is it, @Tune_test_bot?", "What is it?"),
        ("@tune_test_bot\n  a  =  1", "a  =  1"),
        ("Is it, @tune_test_bot, a  b ?", "Is it a  b ?"),
        ("hey @tune_test_bot do it", "hey do it"),
        ("@tune_test_bot: /model fast", "/model fast"),
        ("@tune_test_bot", "@tune_test_bot"),
        ("@tune_test_bot2 hi", None),
        ("me@tune_test_bot", None),
        ("/help", "/help"),
        ("/help@tune_test_bot", "/help"),
        ("/help@other_bot", None),
        ("/etc is full", "/etc is full"),
        ("/etc/file is gone", None),
    ],
)
def test_mentions_and_commands_in_a_group_are_for_the_bot(text: str, heard: str | None) -> None:
    assert says(GROUP, text=text) == heard


def test_reply_to_the_bot_is_for_it_and_no_other_reply() -> None:
    assert says(GROUP, text="And then?", reply_to_message=OURS) == "And then?"
    assert says(GROUP, text="And then?", reply_to_message=THEIRS) is None
    assert says(GROUP, text="Hi", reply_to_message=OPENED, message_thread_id=5) is None


def test_bot_is_also_mentioned_by_its_name() -> None:
    named = {"type": "text_mention", "offset": 3, "length": 4, "user": BOT}
    assert says(GROUP, text="Hi Tune how are you", entities=[named]) == "Hi how are you"


@pytest.mark.parametrize(
    "fields",
    [
        {"from": OTHER_BOT, "text": "Hello"},
        {"from": BOT, "text": "Hello"},
        {"from": {**ANN, "id": 777000}, "text": "A post", "is_automatic_forward": True},
        {"sender_chat": GROUP, "text": "From a channel"},
        {"new_chat_members": [ANN]},
        {"pinned_message": THEIRS},
    ],
)
def test_bots_channels_and_service_messages_are_not_heard(fields: dict[str, Any]) -> None:
    assert says(PRIVATE, **fields) is None


@pytest.mark.parametrize("kind", ["edited_message", "channel_post", "my_chat_member_", "poll_"])
def test_edited_and_other_updates_are_not_heard(kind: str) -> None:
    message = {"message_id": 17, "date": 1, "chat": PRIVATE, "from": ANN, "text": "Hello"}
    update = Update.de_json({"update_id": 5, kind: message}, None)
    assert Reader("telegram", ME).read(update, EVENT) is None


def test_message_is_read_in_the_terms_of_the_core() -> None:
    found = read(GROUP, text="/help", message_thread_id=5, is_topic_message=True)
    assert found
    message = found.message
    assert message.conversation == ConversationId("telegram", "-1000000000007", "5")
    assert message.person == Person("telegram:7", "Ann Lee")
    assert message.keys == ("4242:-1000000000007/17",)
    assert found.events == (EVENT,)
    assert json.loads(message.origin) == {"message": "17"}


def test_thread_of_replies_is_no_topic() -> None:
    found = read(GROUP, text="/help", message_thread_id=5)
    assert found
    assert found.message.conversation.thread == ""


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        (
            {"document": {**FILE, "file_name": "talk.jsonl", "mime_type": "application/json"}},
            Wanted("f", "talk.jsonl", "application/json", 5),
        ),
        ({"document": FILE}, Wanted("f", "file", "application/octet-stream", 5)),
        (
            {"photo": [{**FILE, "file_id": n, "width": 1, "height": 1} for n in ("small", "f")]},
            Wanted("f", "photo.jpg", "image/jpeg", 5),
        ),
        ({"voice": {**FILE, "duration": 3}}, Wanted("f", "voice.ogg", "audio/ogg", 5)),
        (
            {"audio": {**FILE, "duration": 3, "file_name": "a.mp3", "mime_type": "audio/mpeg"}},
            Wanted("f", "a.mp3", "audio/mpeg", 5),
        ),
    ],
)
def test_files_are_wanted_with_their_caption(fields: dict[str, Any], wanted: Wanted) -> None:
    found = read(PRIVATE, caption="What is it?", **fields)
    assert found
    assert found.files == (wanted,)
    assert found.message.text == "What is it?"


OPTIONS = [{"text": each, "voter_count": 0, "persistent_id": each} for each in ("Yes", "No")]
BERLIN = {"latitude": 52.52, "longitude": 13.4}


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        (
            {
                "sticker": {**FILE, "emoji": "😀", "type": "regular", "width": 1, "height": 1}
                | {"is_animated": False, "is_video": False}
            },
            "[sticker 😀]",
        ),
        ({"location": BERLIN}, "[location 52.52000, 13.40000]"),
        (
            {"location": BERLIN}
            | {"venue": {"location": BERLIN, "title": "Café", "address": "Alex 1"}},
            "[venue Café, Alex 1, 52.52000, 13.40000]",
        ),
        (
            {"contact": {"first_name": "Bob", "last_name": "Lee", "phone_number": "+49 30 1"}},
            "[contact Bob Lee, +49 30 1]",
        ),
        (
            {
                "poll": {"id": "1", "question": "Tea?", "total_voter_count": 0, "is_closed": False}
                | {"options": OPTIONS, "allows_revoting": True, "members_only": False}
                | {"is_anonymous": True, "type": "regular", "allows_multiple_answers": False}
            },
            "[poll Tea? Yes / No]",
        ),
        ({"dice": {"emoji": "🎲", "value": 5}}, "[dice 🎲 5]"),
        ({"story": {"chat": PRIVATE, "id": 1}}, "[story]"),
    ],
)
def test_what_is_sent_without_words_is_heard_as_some(fields: dict[str, Any], told: str) -> None:
    assert says(PRIVATE, **fields) == told
    assert says(GROUP, **fields) is None
    assert says(GROUP, **fields, reply_to_message=OURS) == told


def test_caption_mentions_the_bot_as_a_text_does() -> None:
    assert says(GROUP, caption="@tune_test_bot look", document=FILE) == "look"
    assert says(GROUP, caption="look", document=FILE) is None


@pytest.mark.parametrize(
    "text",
    ["What happens when I type /start in a bot?", "See docs/start and tell me", "Please /start"],
)
def test_start_is_a_command_at_the_beginning_only(text: str) -> None:
    assert says(PRIVATE, text=text) == text
    assert says(GROUP, text=f"@tune_test_bot {text}") == text
    assert says(PRIVATE, text="/start from-a-link") == "/help"


def test_name_is_found_among_thousands_of_commas_at_once() -> None:
    began = time.process_time()
    assert says(GROUP, text=" ," * 30_000 + "@tune_test_bot") == " ," * 30_000 + "@tune_test_bot"
    assert time.process_time() - began < 3
