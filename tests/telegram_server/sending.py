"""The methods of the Bot API that put something into a chat."""

from __future__ import annotations

import struct
from dataclasses import replace
from typing import TYPE_CHECKING

from tests.telegram_server.meant import (
    MOST_CAPTION,
    MOST_TEXT,
    buttons,
    sentence,
    thread,
    unparsed,
    writable,
)
from tests.telegram_server.methods import method
from tests.telegram_server.values import Draft, File, Json, Parameters, Refused

if TYPE_CHECKING:
    from tests.telegram_server.chats import Chat
    from tests.telegram_server.server import TelegramServer

MOST_UPLOAD, MOST_PHOTO = 50 * 1024**2, 10 * 1024**2
ACTIONS = frozenset(
    {
        *("typing", "upload_photo", "record_video", "upload_video", "record_voice", "upload_voice"),
        *("upload_document", "choose_sticker", "find_location", "record_video_note"),
        "upload_video_note",
    }
)
PNG, JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"


@method("sendMessage")
def send_message(telegram: TelegramServer, given: Parameters) -> Json:
    """A text."""
    chat = writable(telegram, given)
    text, entities = sentence(given)
    return put(telegram, chat, given, text, entities)


@method("sendDocument")
def send_document(telegram: TelegramServer, given: Parameters) -> Json:
    """Any file."""
    return send_file(telegram, given, "document", MOST_UPLOAD)


@method("sendPhoto")
def send_photo(telegram: TelegramServer, given: Parameters) -> Json:
    """A picture; Telegram must be able to read it."""
    return send_file(telegram, given, "photo", MOST_PHOTO)


def send_file(telegram: TelegramServer, given: Parameters, kind: str, most: int) -> Json:
    """A file that was uploaded, or that Telegram has already."""
    chat = writable(telegram, given)
    file = given[kind]
    if isinstance(file, str):
        file = telegram.files.get(file)
    if not isinstance(file, File):
        raise Refused("wrong file identifier/HTTP URL specified")
    if len(file.content) > most:
        raise Refused("Request Entity Too Large", 413)
    if not file.content:
        raise Refused("file must be non-empty")
    size = dimensions(file.content) if kind == "photo" else (0, 0)
    text, entities = unparsed(given, "caption", MOST_CAPTION)
    kept = telegram.keep(replace(file, kind=kind, size=size))
    return put(telegram, chat, given, text, entities, kept)


def dimensions(content: bytes) -> tuple[int, int]:
    """Width and height of a picture."""
    if content.startswith(PNG) and len(content) >= 24:
        width, height = struct.unpack(">II", content[16:24])
    elif content.startswith(JPEG):
        width, height = 640, 480
    else:
        raise Refused("IMAGE_PROCESS_FAILED")
    if width + height > 10_000 or max(width, height) > 20 * min(width, height):
        raise Refused("PHOTO_INVALID_DIMENSIONS")
    return width, height


def put(
    telegram: TelegramServer,
    chat: Chat,
    given: Parameters,
    text: str,
    entities: list[Json],
    file: File | None = None,
) -> Json:
    """A message of the bot stands in the chat."""
    keyboard = buttons(given)
    reply = given.get("reply_parameters") or {}
    to = chat.find(reply.get("message_id", 0))
    if reply and not to and not reply.get("allow_sending_without_reply"):
        raise Refused("message to be replied not found")
    topic = thread(chat, given)
    telegram.flood_control.message(chat.id, group=chat.kind != "private")
    message = chat.post(
        telegram.bot, text, entities, keyboard=keyboard, file=file, topic=topic, to=to
    )
    return message.json(chat.about)


@method("sendChatAction")
def send_chat_action(telegram: TelegramServer, given: Parameters) -> bool:
    """The bot is typing."""
    chat = writable(telegram, given)
    thread(chat, given)
    if given["action"] not in ACTIONS:
        raise Refused("wrong parameter action in request")
    chat.typing_at = telegram.now()
    chat.change()
    return True


@method("sendMessageDraft")
def send_message_draft(telegram: TelegramServer, given: Parameters) -> bool:
    """A preview of what is being written."""
    if not telegram.supports_drafts:
        raise Refused("Not Found", 404)
    if "can_stop" in given and not telegram.supports_stop:
        raise Refused("unknown parameter can_stop")
    chat = writable(telegram, given)
    if chat.kind != "private":
        raise Refused("TEXTDRAFT_PEER_INVALID")
    if not given["draft_id"]:
        raise Refused("RANDOM_ID_INVALID")
    text, entities = unparsed(given, "text", MOST_TEXT)
    topic = thread(chat, given)
    telegram.flood_control.draft(chat.id)
    if given["draft_id"] not in chat.stopped:
        can_stop, keep = given.get("can_stop", False), given.get("keep_on_stop", False)
        at = telegram.now()
        chat.drafts[topic] = Draft(given["draft_id"], text, entities, at, can_stop, keep)
        chat.change()
    return True
