"""A chat, with the hands and eyes of the people in it."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from tests.telegram_server.text import split, spotted
from tests.telegram_server.values import Draft, File, Json, Message, Person

if TYPE_CHECKING:
    from tests.telegram_server.server import TelegramServer

MOST_UNITS = 4096
PREVIEW_SECONDS = 30
TYPING_SECONDS = 5


class Chat:
    """`kind` is "private", "group" or "supergroup". `person` writes where nobody else is named.

    `blocked` says that the bot may not write here any more, `moved` to which chat the group went.
    `numbers` are the ids of its messages to come.
    """

    def __init__(
        self, telegram: TelegramServer, about: Json, person: Person, numbers: Iterator[int]
    ) -> None:
        self.id: int = about["id"]
        self.kind: str = about["type"]
        self.about = about
        self.person = person
        self.blocked = False
        self.moved = 0
        self.topics: dict[int, str] = {}
        self.drafts: dict[int, Draft] = {}
        self.stopped: set[int] = set()
        self.typing_at = -math.inf
        self._telegram = telegram
        self._standing: dict[int, Message] = {}
        self._numbers = numbers
        self._changed = asyncio.Event()

    # Eyes

    @property
    def messages(self) -> list[Message]:
        """What stands here now, oldest first."""
        return list(self._standing.values())

    @property
    def answers(self) -> list[str]:
        """The texts of what the bot wrote, oldest first."""
        return [message.text for message in self.messages if message.by.is_bot]

    @property
    def draft(self) -> Draft | None:
        """The newest preview that is seen now."""
        fresh = self._telegram.now() - PREVIEW_SECONDS
        seen = [draft for draft in self.drafts.values() if draft.at > fresh]
        return max(seen, key=lambda draft: draft.at, default=None)

    @property
    def typing(self) -> bool:
        """Whether the bot is seen typing."""
        return self._telegram.now() - self.typing_at < TYPING_SECONDS

    def find(self, message_id: int) -> Message | None:
        """The message of that id, if it stands."""
        return self._standing.get(message_id)

    async def sees(
        self, condition: Callable[[Sequence[Message]], object], seconds: float = 10.0
    ) -> None:
        """Return when the condition holds for the messages; looked at after every change."""
        async with asyncio.timeout(seconds):
            while not condition(self.messages):
                self._changed.clear()
                await self._changed.wait()

    # Hands

    async def writes(
        self, text: str, *, by: Person | None = None, topic: int = 0, to: Message | None = None
    ) -> Message:
        """A person writes, in reply `to` a message or not. What is too long for a message is
        several, as with Telegram's own apps; returns the first.
        """
        sent = [self._says(part, by, topic, to) for part in split(text, MOST_UNITS)]
        return sent[0]

    async def sends(
        self,
        file: File,
        caption: str = "",
        *,
        by: Person | None = None,
        topic: int = 0,
    ) -> Message:
        """A person sends a document, a photo or a voice note."""
        return self._says(caption, by, topic, None, self._telegram.keep(file))

    def _says(
        self, text: str, by: Person | None, topic: int, to: Message | None, file: File | None = None
    ) -> Message:
        message = self.post(by or self.person, text, spotted(text), file=file, topic=topic, to=to)
        self._telegram.happens("message", message.json(self.about))
        return message

    async def edits(self, message: Message, text: str) -> None:
        """A person changes what they wrote."""
        message.text, message.entities = text, spotted(text)
        message.edited = int(self._telegram.now())
        self.change()
        self._telegram.happens("edited_message", message.json(self.about))

    async def deletes(self, message: Message) -> None:
        """A person takes a message away; bots are not told."""
        self.remove(message)

    async def presses(self, label: str, *, by: Person | None = None) -> asyncio.Future[Json]:
        """A person presses the newest button of that label; the bot's answer to it is to come."""
        message, button = next(self._buttons(label))
        who = (by or self.person).json()
        query, answer = self._telegram.query()
        pressed = {
            "id": query,
            "from": who,
            "message": message.json(self.about),
            "chat_instance": f"{self.id}",
            "data": button["callback_data"],
        }
        self._telegram.happens("callback_query", pressed)
        return answer

    def _buttons(self, label: str) -> Iterator[tuple[Message, Json]]:
        for message in reversed(self.messages):
            for button in (button for row in message.keyboard for button in row):
                if button["text"] == label:
                    yield message, button

    async def reacts(self, message: Message, *emoji: str, by: Person | None = None) -> None:
        """A person reacts to a message, with nothing to take it back."""
        who = by or self.person
        old, new = message.reactions.get(who.id, []), list(emoji)
        message.reactions[who.id] = new
        reaction = {
            "chat": self.about,
            "message_id": message.id,
            "user": who.json(),
            "date": int(self._telegram.now()),
            "old_reaction": [{"type": "emoji", "emoji": each} for each in old],
            "new_reaction": [{"type": "emoji", "emoji": each} for each in new],
        }
        self._telegram.happens("message_reaction", reaction)

    async def stops(self, topic: int = 0) -> None:
        """A person presses Stop on the preview. Later previews of it are not seen."""
        draft = self.drafts[topic]
        assert draft.can_stop, "there is no such button"
        self.stopped.add(draft.id)
        if not draft.keep_on_stop:
            del self.drafts[topic]
        where = {"message_thread_id": topic} if topic else {}
        stopped = {"chat": self.about, "draft_id": draft.id, **where}
        self.change()
        self._telegram.happens("stopped_message_generation", stopped)

    async def blocks(self) -> None:
        """The person wants no more of the bot; of a group, they throw it out."""
        self.blocked = True
        bot = self._telegram.bot.json()
        change = {
            "chat": self.about,
            "from": self.person.json(),
            "date": int(self._telegram.now()),
            "old_chat_member": {"status": "member", "user": bot},
            "new_chat_member": {"status": "kicked", "user": bot, "until_date": 0},
        }
        self._telegram.happens("my_chat_member", change)

    async def upgrades(self, chat_id: int) -> Chat:
        """The group becomes a supergroup, which is another chat."""
        self.moved = chat_id
        chat = self._telegram.group(chat_id, self.person)
        for here, field, other in (
            (self, "migrate_to_chat_id", chat_id),
            (chat, "migrate_from_chat_id", self.id),
        ):
            told = here.post(self.person, "").json(here.about)
            self._telegram.happens("message", {**told, field: other})
        return chat

    def topic(self, name: str) -> int:
        """A new topic; its message_thread_id."""
        number = next(self._numbers)
        self.topics[number] = name
        return number

    # What the server does here

    def post(
        self,
        by: Person,
        text: str,
        entities: Sequence[Json] = (),
        *,
        keyboard: Sequence[Sequence[Json]] = (),
        file: File | None = None,
        topic: int = 0,
        to: Message | None = None,
    ) -> Message:
        """A new message stands here."""
        date = int(self._telegram.now())
        message = Message(next(self._numbers), by, date, text, entities, keyboard, file, topic, to)
        self._standing[message.id] = message
        if by.is_bot:
            self.drafts.pop(topic, None)
            self.typing_at = -math.inf
        self.change()
        return message

    def remove(self, message: Message) -> None:
        """A message stands here no more."""
        del self._standing[message.id]
        self.change()

    def change(self) -> None:
        """Somebody may see it."""
        self._changed.set()
        self._telegram.change()
