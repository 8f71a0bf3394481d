"""The methods of the Bot API that change what stands in a chat."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.telegram_server.meant import (
    MOST_CAPTION,
    buttons,
    editable,
    sentence,
    unparsed,
    writable,
)
from tests.telegram_server.methods import method
from tests.telegram_server.values import Json, Message, Parameters, Refused

if TYPE_CHECKING:
    from tests.telegram_server.chats import Chat
    from tests.telegram_server.server import TelegramServer

SAME = (
    "message is not modified: specified new message content and reply markup are exactly "
    "the same as a current content and reply markup of the message"
)
Content = tuple[Any, ...]


@method("editMessageText")
def edit_message_text(telegram: TelegramServer, given: Parameters) -> Json:
    """Another text for a message of the bot."""
    chat = writable(telegram, given)
    text, entities = sentence(given)
    message = editable(telegram, chat, given)
    if message.file:
        raise Refused("there is no text in the message to edit")
    return change(telegram, chat, message, (text, entities, buttons(given)))


@method("editMessageCaption")
def edit_message_caption(telegram: TelegramServer, given: Parameters) -> Json:
    """Another caption for a file of the bot."""
    chat = writable(telegram, given)
    text, entities = unparsed(given, "caption", MOST_CAPTION)
    message = editable(telegram, chat, given)
    return change(telegram, chat, message, (text, entities, buttons(given)))


@method("editMessageReplyMarkup")
def edit_message_reply_markup(telegram: TelegramServer, given: Parameters) -> Json:
    """Other buttons, or none, for a message of the bot."""
    chat = writable(telegram, given)
    message = editable(telegram, chat, given)
    return change(telegram, chat, message, (message.text, message.entities, buttons(given)))


def change(
    telegram: TelegramServer, chat: Chat, message: Message, content: tuple[Any, ...]
) -> Json:
    """Edit a message, which must make a difference."""
    telegram.flood_control.message(chat.id, group=chat.kind != "private")
    if content == message.content():
        raise Refused(SAME)
    message.text, message.entities, message.keyboard = content
    message.edited = int(telegram.now())
    chat.change()
    return message.json(chat.about)


@method("deleteMessage")
def delete_message(telegram: TelegramServer, given: Parameters) -> bool:
    """Take a message away."""
    chat = writable(telegram, given)
    message = chat.find(given["message_id"])
    if not message:
        raise Refused("message to delete not found")
    chat.remove(message)
    return True


@method("setMessageReaction")
def set_message_reaction(telegram: TelegramServer, given: Parameters) -> bool:
    """The bot reacts."""
    chat = writable(telegram, given)
    message = chat.find(given["message_id"])
    if not message:
        raise Refused("message to react not found")
    message.reactions[telegram.bot.id] = [each["emoji"] for each in given.get("reaction", ())]
    chat.change()
    return True
