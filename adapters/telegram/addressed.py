"""Whether a message is for the bot, and what it says to it. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from telegram import Message
from telegram.constants import ChatType, MessageEntityType

COMMAND = re.compile(r"/(\w+)(?:@(\w+))?(?=\s|$)")
START = re.compile(r"/start(?=\s|$)")
TELEGRAM_ITSELF = 777000  # the "user" that forwards a channel's posts into its group


@dataclass(frozen=True, slots=True)
class Me:
    """The bot as Telegram knows it. `username` is in lower case, without the @."""

    id: int
    username: str


def addressed(message: Message, me: Me) -> str | None:
    """What a message says to the bot, which may be nothing beside a file; None if it is not for
    the bot.

    In private everything is; in a group commands, mentions and replies to the bot.
    """
    if not from_a_person(message):
        return None
    text = message.text or message.caption or ""
    command = COMMAND.match(text)
    if command and command[2] and command[2].lower() != me.username:
        return None
    private = message.chat.type == ChatType.PRIVATE
    if not (private or command or mentions(message, text, me) or answers(message, me)):
        return None
    if command:
        text = f"/{command[1]}{text[command.end() :]}"
    said = unmentioned(message, text, me)
    # Everybody's first message to a bot is Telegram's own /start.
    return "/help" if START.match(said) else said


def from_a_person(message: Message) -> bool:
    """Whether neither a bot nor a channel wrote it, nor the bot itself."""
    by = message.from_user
    return bool(by and not by.is_bot and by.id != TELEGRAM_ITSELF and not message.sender_chat)


def mention(me: Me) -> re.Pattern[str]:
    """The bot's name in a text."""
    return re.compile(rf"(?<![\w@/])@{re.escape(me.username)}(?!\w)", re.IGNORECASE)


def mentions(message: Message, text: str, me: Me) -> bool:
    """Whether a message names the bot."""
    return bool(mention(me).search(text) or named(message, me))


def named(message: Message, me: Me) -> list[str]:
    """How the bot is called by those who choose it from a list, not by its username."""
    kinds: list[str | None] = [MessageEntityType.TEXT_MENTION]
    found = {**message.parse_entities(kinds), **message.parse_caption_entities(kinds)}
    return [text for entity, text in found.items() if entity.user and entity.user.id == me.id]


def answers(message: Message, me: Me) -> bool:
    """Whether a message replies to the bot. All in a topic reply to the message that opened it."""
    to = message.reply_to_message
    return bool(to and to.from_user and to.from_user.id == me.id and not to.forum_topic_created)


def unmentioned(message: Message, text: str, me: Me) -> str:
    """A text without the bot's name, unless nothing else stands there."""
    rest = without(mention(me).pattern, text)
    for name in named(message, me):
        rest = without(re.escape(name), rest, 1)
    return rest.strip() or text if rest != text else text


def without(name: str, text: str, times: int = 0) -> str:
    """A text without a name, nor the comma or colon beside it: a blank stands between two words."""
    rest, *others = re.split(name, text, maxsplit=times, flags=re.IGNORECASE)
    for other in others:
        before, after = rest.rstrip(" ,"), other.lstrip(" ,:")
        gap = " " if before and after and after[0] not in ".;!?\n" else ""
        rest = before + gap + after
    return rest
