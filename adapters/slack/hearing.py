"""What a person wrote, in the core's terms: where it belongs, for whom it is, and its text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from adapters.slack.addressed import Meant, meant, unmentioned
from adapters.slack.commands import said
from adapters.slack.events import Written
from adapters.slack.names import Names
from adapters.slack.place import Place
from adapters.slack.readable import people_in, readable
from bot.messages import ConversationId, IncomingMessage, Person, RawEvent
from bot.ports import CommandInfo


@dataclass(frozen=True, slots=True)
class Heard:
    """A message and the conversation it belongs to. `stops` says that it is /stop."""

    written: Written
    conversation: ConversationId
    meant: Meant
    stops: bool

    @property
    def queue(self) -> str:
        """In which it is taken: that of its conversation."""
        return f"{self.conversation.channel}/{self.conversation.thread}"


class Hearing:
    """Hears as the bot whose id at Slack is `bot_user`; `name` is the adapter's. A direct message
    begins a thread of its own or, with `direct` "channel", is part of one conversation.
    """

    def __init__(
        self,
        name: str,
        bot_user: str,
        commands: Sequence[CommandInfo],
        names: Names,
        direct: Literal["thread", "channel"],
    ) -> None:
        self._name = name
        self._bot_user = bot_user
        self._commands = commands
        self._names = names
        self._direct = direct

    def heard(self, written: Written) -> Heard:
        """Where a message belongs, and whether it is for the bot."""
        stops = said(unmentioned(written.text, self._bot_user), self._commands) == "/stop"
        return Heard(written, self._conversation(written), meant(written, self._bot_user), stops)

    async def message(self, heard: Heard, event: RawEvent) -> IncomingMessage:
        """The message without its files; the people in it are called by their names."""
        written = heard.written
        text = unmentioned(written.text, self._bot_user)
        everything = "\n".join([text, *(shared for _, shared in written.forwarded)])
        names = await self._names.of([written.user, *people_in(everything)])
        where = heard.conversation
        place = Place(
            where.channel,
            where.thread,
            written.user_team,
            written.user,
            written.ts,
            written.direct,
        )
        forwarded = [quoted(who, readable(shared, names)) for who, shared in written.forwarded]
        words = said(readable(text, names), self._commands)
        return IncomingMessage(
            where,
            Person(f"{self._name}:{written.user}", names.get(written.user, written.user)),
            "\n\n".join(filter(None, [words, *forwarded])),
            (written.key,),
            place.origin(),
            events=(event.id,),
        )

    def _conversation(self, written: Written) -> ConversationId:
        whole = written.direct and self._direct == "channel"
        thread = written.thread or ("" if whole else written.ts)
        return ConversationId(self._name, written.channel, thread)


def quoted(author: str, text: str) -> str:
    """A message that was forwarded, as a quotation."""
    lines = "\n".join(f"> {line}" for line in text.splitlines())
    return f"Forwarded from {author}:\n{lines}" if author else f"Forwarded:\n{lines}"
