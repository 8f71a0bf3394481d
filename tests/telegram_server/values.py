"""What stands in a chat, in the terms of the Bot API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
Parameters = Mapping[str, Any]


class Refused(Exception):
    """The Bot API says no. `description` and `parameters` are what stands in its answer."""

    def __init__(self, description: str, status: int = 400, parameters: Parameters = {}) -> None:  # noqa: B006  not changed
        super().__init__(description)
        self.description = description
        self.status = status
        self.parameters = parameters


@dataclass(frozen=True, slots=True)
class Person:
    """A user of Telegram; the bot is one, too."""

    id: int
    name: str = "Ann"
    username: str = ""
    language: str = "en"
    is_bot: bool = False

    def json(self) -> Json:
        """A User."""
        user: Json = {"id": self.id, "is_bot": self.is_bot, "first_name": self.name}
        if self.username:
            user["username"] = self.username
        if not self.is_bot:
            user["language_code"] = self.language
        return user


@dataclass(frozen=True, slots=True)
class File:
    """A file in a chat. `kind` is the field of Message that holds it."""

    kind: str
    name: str
    media_type: str
    content: bytes = field(repr=False)
    id: str = ""
    size: tuple[int, int] = (0, 0)

    def json(self) -> Any:
        """A Document or Voice, or the one PhotoSize of a photo."""
        about = {
            "file_id": self.id,
            "file_unique_id": f"unique-{self.id}",
            "file_size": len(self.content),
        }
        if self.kind == "photo":
            return [{**about, "width": self.size[0], "height": self.size[1]}]
        about["mime_type"] = self.media_type
        return {**about, **({"duration": 3} if self.kind == "voice" else {"file_name": self.name})}


@dataclass(slots=True)
class Message:
    """One message as it stands now. `text` is a file's caption where there is a file."""

    id: int
    by: Person
    date: int
    text: str = ""
    entities: Sequence[Json] = ()
    keyboard: Sequence[Sequence[Json]] = ()
    file: File | None = None
    topic: int = 0
    reply_to: Message | None = None
    edited: int = 0
    reactions: dict[int, list[str]] = field(default_factory=dict)

    def json(self, chat: Json) -> Json:
        """A Message."""
        told: Json = {
            "message_id": self.id,
            "from": self.by.json(),
            "chat": chat,
            "date": self.date,
        }
        prefix = "caption" if self.file else "text"
        if self.file:
            told[self.file.kind] = self.file.json()
        if self.text:
            told[prefix] = self.text
        if self.entities:
            told["caption_entities" if self.file else "entities"] = list(self.entities)
        if self.keyboard:
            told["reply_markup"] = {"inline_keyboard": self.keyboard}
        if self.topic:
            told |= {"message_thread_id": self.topic, "is_topic_message": True}
        if self.edited:
            told["edit_date"] = self.edited
        if self.reply_to:
            told["reply_to_message"] = self.reply_to.json(chat)
        return told

    def content(self) -> tuple[Any, ...]:
        """What an edit may change."""
        return self.text, self.entities, self.keyboard


@dataclass(frozen=True, slots=True)
class Draft:
    """A preview of what the bot writes; an empty text is seen as "Thinking…". Stands for 30 s."""

    id: int
    text: str
    entities: Sequence[Json]
    at: float
    can_stop: bool = False
    keep_on_stop: bool = False


@dataclass(slots=True)
class Call:
    """A call of the bot. `status` is of its answer, 0 while there is none."""

    method: str
    given: Parameters
    at: float
    status: int = 0

    @property
    def chat(self) -> Any:
        """The id of the chat that is meant."""
        return self.given.get("chat_id")
