"""What an update means in the core's terms. Pure: nothing is fetched, nothing is answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from telegram import (
    Audio,
    CallbackQuery,
    Document,
    MaybeInaccessibleMessage,
    Message,
    MessageReactionUpdated,
    PhotoSize,
    ReactionType,
    ReactionTypeEmoji,
    Update,
    User,
    Video,
    VideoNote,
    Voice,
)

from adapters.telegram.addressed import Me, addressed, from_a_person
from adapters.telegram.buttons import OPINIONS, Opinion, Says, pressed
from adapters.telegram.format import units
from adapters.telegram.place import Place
from adapters.telegram.wordless import described
from bot.messages import ConversationId, IncomingMessage, Person, RawEvent

Sized = PhotoSize | Voice | VideoNote | Document | Audio | Video


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file that a person sent, to be fetched."""

    id: str
    name: str
    media_type: str
    size: int


@dataclass(frozen=True, slots=True)
class Heard:
    """A message for the bot, and the events that it was read from. `length` is its text's in UTF-16
    units, as it was sent; `album` is the same for all that were sent together; `overheard` says
    that it is for the bot only if it goes on where a long text for the bot was cut, or beside a
    picture for the bot. `at` is when it was sent, in Unix seconds; numbers rise in a chat.
    """

    message: IncomingMessage
    files: tuple[Wanted, ...] = ()
    events: tuple[RawEvent, ...] = ()
    length: int = 0
    album: str = ""
    overheard: bool = False
    at: float = 0.0
    number: int = 0


@dataclass(frozen=True, slots=True)
class Pressed:
    """A button was pressed below a message; `button` is None where we make no such button now."""

    event: RawEvent
    query: str
    by: int
    chat: int
    message: int
    said: IncomingMessage
    button: Says | Opinion | None


@dataclass(frozen=True, slots=True)
class Reacted:
    """What a person thinks of a message: 1, -1, or 0 if they took it back."""

    event: RawEvent
    chat: int
    message: int
    person: Person
    value: int


@dataclass(frozen=True, slots=True)
class Migrated:
    """A group became a supergroup, which is another chat."""

    chat: int
    to: int


Meaning = Heard | Pressed | Reacted | Migrated


class Reader:
    """Reads the updates of one bot. `name` is the adapter's."""

    def __init__(self, name: str, me: Me) -> None:
        self.name = name
        self._me = me

    def read(self, update: Update, event: RawEvent) -> Meaning | None:
        """What an update means, which stands on the shelf; None if it is nothing to the bot."""
        if update.message:
            return migrated(update.message) or self._heard(update.message, event)
        if update.callback_query:
            return self._pressed(update.callback_query, event)
        if update.message_reaction:
            return self._reacted(update.message_reaction, event)
        if stopped := update.api_kwargs.get("stopped_message_generation"):
            return self._stopped(stopped, event)
        return None

    def _heard(self, message: Message, event: RawEvent) -> Heard | None:
        text, by = addressed(message, self._me), message.from_user
        overheard = text is None and from_a_person(message)
        text = message.text or message.caption or "" if overheard else text
        files = attached(message)
        if text is not None and not (text or files):
            text = described(message)
        if by is None or text is None or not (text or files):
            return None
        heard = self._incoming(message, by, text, f"{message.chat.id}/{message.message_id}")
        number = message.message_id
        length = units(message.text or "")
        album, at = message.media_group_id or "", message.date.timestamp()
        return Heard(heard, files, (event,), length, album, overheard, at, number)

    def _pressed(self, query: CallbackQuery, event: RawEvent) -> Pressed | None:
        below = query.message
        if below is None:
            return None
        button = pressed(query.data or "") if below.is_accessible else None
        # A button of a message counts once, however often somebody presses it.
        user = query.from_user.id
        key = f"{below.chat.id}/{below.message_id}/{query.data}/{user}"
        text = button.text if isinstance(button, Says) else ""
        said = self._incoming(below, query.from_user, text, key)
        return Pressed(event, query.id, user, below.chat.id, below.message_id, said, button)

    def _reacted(self, reaction: MessageReactionUpdated, event: RawEvent) -> Reacted | None:
        if reaction.user is None:
            return None
        before, after = opinion(reaction.old_reaction), opinion(reaction.new_reaction)
        if before == after:
            return None
        person = self._person(reaction.user)
        return Reacted(event, reaction.chat.id, reaction.message_id, person, after)

    def _stopped(self, stopped: Mapping[str, Any], event: RawEvent) -> Heard:
        """The Stop button of a preview, which only a private chat has, is /stop."""
        chat = stopped["chat"]["id"]
        where = Place(chat, stopped.get("message_thread_id"))
        person = Person(f"{self.name}:{chat}", stopped["chat"].get("first_name", ""))
        key = self._key(f"{chat}/stopped/{stopped['draft_id']}")
        said = IncomingMessage(self._conversation(where), person, "/stop", (key,))
        return Heard(said, events=(event,))

    def _incoming(
        self, message: MaybeInaccessibleMessage, by: User, text: str, key: str
    ) -> IncomingMessage:
        where = Place(message.chat.id, topic(message), message.message_id)
        return IncomingMessage(
            self._conversation(where),
            self._person(by),
            text,
            (self._key(key),),
            where.origin(),
        )

    def _key(self, key: str) -> str:
        """Each bot has its own numbers for the messages of a private chat."""
        return f"{self._me.id}:{key}"

    def _conversation(self, where: Place) -> ConversationId:
        return ConversationId(self.name, str(where.chat), str(where.thread or ""))

    def _person(self, user: User) -> Person:
        return Person(f"{self.name}:{user.id}", user.full_name)


def migrated(message: Message) -> Migrated | None:
    """The move of a group. Telegram tells of it in both chats."""
    if message.migrate_to_chat_id:
        return Migrated(message.chat.id, message.migrate_to_chat_id)
    if message.migrate_from_chat_id:
        return Migrated(message.migrate_from_chat_id, message.chat.id)
    return None


def topic(message: MaybeInaccessibleMessage) -> int | None:
    """The topic in which a message stands. Replies in groups without topics have a thread, too."""
    if isinstance(message, Message) and message.is_topic_message:
        return message.message_thread_id
    return None


def opinion(reactions: Sequence[ReactionType]) -> int:
    """What reactions say of an answer: 1, -1 or nothing."""
    emoji = [each.emoji for each in reactions if isinstance(each, ReactionTypeEmoji)]
    return next((OPINIONS[each] for each in emoji if each in OPINIONS), 0)


def attached(message: Message) -> tuple[Wanted, ...]:
    """The file of a message: a photo in its largest size, a recording, or any document."""
    if message.photo:
        return (wanted(message.photo[-1], "photo.jpg", "image/jpeg"),)
    if message.voice:
        return (wanted(message.voice, "voice.ogg", "audio/ogg"),)
    if message.video_note:
        return (wanted(message.video_note, "video.mp4", "video/mp4"),)
    file = message.document or message.audio or message.video
    return (wanted(file, file.file_name, file.mime_type),) if file else ()


def wanted(file: Sized, name: str | None, media_type: str | None) -> Wanted:
    """A file under the name that the person gave it."""
    kind = media_type or "application/octet-stream"
    return Wanted(file.file_id, name or "file", kind, file.file_size or 0)
