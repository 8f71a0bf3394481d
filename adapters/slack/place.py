"""Where a message came from and where its answer goes: the adapter's own note, kept by the core."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields

from adapters.slack.blocks import messages_of
from bot.messages import ReplyTo


@dataclass(frozen=True, slots=True)
class Place:
    """A channel, perhaps a thread in it ("" is the channel itself), and who asked what there.

    `team` and `user` are Slack's ids of who asked, `message` is the ts of the question, `direct`
    says that only that person and the bot are there. `response_url` is a slash command's, or a
    button's, given at `asked` in Unix seconds: it is good for half an hour.
    """

    channel: str
    thread: str = ""
    team: str = ""
    user: str = ""
    message: str = ""
    direct: bool = False
    response_url: str = ""
    asked: float = 0.0

    @classmethod
    def of(cls, to: ReplyTo) -> Place:
        """Where a reply goes: the thread of its conversation or, in a channel, that of the message
        it stands beneath. One that answers nobody has no origin.
        """
        noted = json.loads(to.origin) if to.origin else {}
        where = to.conversation
        thread = where.thread or "".join(messages_of(to.beneath)[:1])
        return cls(where.channel, thread, **{k: v for k, v in noted.items() if k in NOTED})

    def origin(self) -> str:
        """The note for an IncomingMessage: what its conversation does not say."""
        return json.dumps({name: value for name in NOTED if (value := getattr(self, name))})


NOTED = tuple(field.name for field in fields(Place) if field.name not in {"channel", "thread"})
