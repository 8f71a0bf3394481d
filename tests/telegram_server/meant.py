"""Which chat, message and text a call means, and whether they can be had."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tests.telegram_server.text import formatted
from tests.telegram_server.values import Json, Message, Parameters, Refused

if TYPE_CHECKING:
    from tests.telegram_server.chats import Chat
    from tests.telegram_server.server import TelegramServer

MOST_TEXT, MOST_CAPTION = 4096, 1024


def writable(telegram: TelegramServer, given: Parameters) -> Chat:
    """The chat that is meant, if the bot may do something there."""
    chat = telegram.chats.get(given["chat_id"])
    if not chat:
        raise Refused("chat not found")
    if chat.moved:
        where = {"migrate_to_chat_id": chat.moved}
        raise Refused("group chat was upgraded to a supergroup chat", 400, where)
    if chat.blocked and chat.kind == "private":
        raise Refused("Forbidden: bot was blocked by the user", 403)
    if chat.blocked:
        raise Refused("Forbidden: bot was kicked from the group chat", 403)
    return chat


def thread(chat: Chat, given: Parameters) -> int:
    """The topic that is meant."""
    topic: int = given.get("message_thread_id", 0)
    if topic and topic not in chat.topics:
        raise Refused("message thread not found")
    return topic


def editable(telegram: TelegramServer, chat: Chat, given: Parameters) -> Message:
    """The message that is meant, if the bot may edit it."""
    message = chat.find(given["message_id"])
    if not message:
        raise Refused("message to edit not found")
    if message.by != telegram.bot:
        raise Refused("message can't be edited")
    return message


def sentence(given: Parameters) -> tuple[str, list[Json]]:
    """A text in which something stands."""
    if not given.get("text"):
        raise Refused("message text is empty")
    text, entities = unparsed(given, "text", MOST_TEXT)
    if not text:
        raise Refused("text must be non-empty")
    return text, entities


def unparsed(given: Parameters, name: str, most: int) -> tuple[str, list[Json]]:
    """A text with its entities; nothing is parsed here, as the bot has no need for it."""
    if given.get("parse_mode"):
        raise Refused("can't parse entities: unsupported parse_mode")
    prefix = "caption_" if name == "caption" else ""
    return formatted(given.get(name, ""), given.get(f"{prefix}entities"), most)


def buttons(given: Parameters) -> Sequence[Sequence[Json]]:
    """The rows of an inline keyboard."""
    rows: Sequence[Sequence[Json]] = (given.get("reply_markup") or {}).get("inline_keyboard", ())
    for button in (button for row in rows for button in row):
        data = button.get("callback_data")
        if data is not None and not 1 <= len(data.encode()) <= 64:
            raise Refused("BUTTON_DATA_INVALID")
        if not button["text"].strip():
            raise Refused("text buttons are allowed in the inline keyboard only")
    return [row for row in rows if row]
