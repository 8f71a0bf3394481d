"""What people send without words, in words: a model cannot see a sticker, but can answer to it."""

from __future__ import annotations

from telegram import Contact, Dice, Location, Message, Poll, Sticker, Venue
from telegram.constants import MessageAttachmentType


def described(message: Message) -> str:
    """A message's content in a few words, "[location 52.52000, 13.40000]"; "" if it has none, as a
    service message.
    """
    content = message.venue or message.effective_attachment  # a venue is a location, too
    if not content:
        return ""
    match content:
        case Sticker():
            words = ["sticker", content.emoji or content.set_name]
        case Venue():
            words = ["venue", f"{content.title}, {content.address},", at(content.location)]
        case Location():
            words = ["location", at(content)]
        case Contact():
            name = " ".join(filter(None, [content.first_name, content.last_name]))
            words = ["contact", f"{name},", content.phone_number]
        case Poll():
            options = " / ".join(option.text for option in content.options)
            words = ["poll", content.question, options]
        case Dice():
            words = ["dice", content.emoji, str(content.value)]
        case _:
            words = [kind(message)]
    return f"[{' '.join(filter(None, words))}]"


def at(location: Location) -> str:
    """Latitude and longitude, to a metre."""
    return f"{location.latitude:.5f}, {location.longitude:.5f}"


def kind(message: Message) -> str:
    """How Telegram calls a message's content."""
    kinds = [each.value for each in MessageAttachmentType]
    found: str = next(each for each in kinds if getattr(message, each))
    return found.replace("_", " ")
