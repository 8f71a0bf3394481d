"""A workspace: what stands in its channels and before its people, and what was called."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from urllib.parse import quote

from tests.slack_server.calls import Call
from tests.slack_server.pings import Ping, pings_in
from tests.slack_server.team import Team
from tests.slack_server.values import Channel, File, Json, Message, Refused, User, View

TRIGGER_SECONDS = 3.0
STATUS_SECONDS = 120.0

Watcher = Callable[[str, Message], None]


class Workspace(Team):
    """A team and what stands in it.

    `watchers` are called with "message", "message_changed" or "message_deleted" and the message,
    whoever did it, except for ephemeral ones. `pings` has what the bot wrote that Slack acts on.
    `titles` and `prompts` are of assistant threads, by (channel, thread_ts). `views` has what
    stands before somebody, by its id, and `homes` the home tabs, by the user's. `files_url` is the
    folder of the files.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        super().__init__(now)
        self.files_url = ""
        self.files: dict[str, File] = {}
        self.views: dict[str, View] = {}
        self.homes: dict[str, View] = {}
        self.calls: list[Call] = []
        self.pings: list[Ping] = []
        self.titles: dict[tuple[str, str], str] = {}
        self.prompts: dict[tuple[str, str], list[Json]] = {}
        self.watchers: list[Watcher] = []
        self._statuses: dict[tuple[str, str], tuple[str, float]] = {}
        self._messages: defaultdict[str, dict[str, Message]] = defaultdict(dict)
        self._triggers: dict[str, tuple[User, float]] = {}
        self._pulled: set[str] = set()

    # What stands there

    def message(
        self, channel: Channel, by: User, text: str = "", *, thread_ts: str = ""
    ) -> Message:
        """A message that does not stand yet: `add` it."""
        return Message(channel.id, self.ts(), by.id, text, thread_ts=thread_ts, bot_id=by.bot_id)

    def add(self, message: Message) -> Message:
        """A message stands in its channel."""
        self._messages[message.channel][message.ts] = message
        root = self._messages[message.channel].get(message.thread_ts)
        if root and not message.ephemeral_for:
            root.thread_ts = root.ts
        if message.user == self.bot.id:
            self._statuses.pop((message.channel, message.thread), None)
        self.told("message", message)
        return message

    def post(
        self,
        channel: Channel,
        by: User,
        text: str,
        *,
        blocks: Sequence[Json] = (),
        metadata: Json | None = None,
        thread_ts: str = "",
        files: Sequence[File] = (),
        subtype: str = "",
        ephemeral_for: str = "",
    ) -> Message:
        """Somebody says something in a channel."""
        message = self.message(channel, by, text, thread_ts=thread_ts)
        message.blocks, message.metadata, message.files = list(blocks), metadata, list(files)
        message.subtype = subtype or ("file_share" if files else "")
        message.ephemeral_for = ephemeral_for
        return self.add(message)

    def told(self, what: str, message: Message) -> None:
        """Something became of a message: `what` is as for the watchers."""
        if message.user == self.bot.id and not message.deleted:
            self.pings += [each for each in pings_in(message) if each not in self.pings]
        self.change()
        if not message.ephemeral_for:
            for watcher in self.watchers:
                watcher(what, message)

    def edit(self, message: Message, text: str, blocks: Sequence[Json] = ()) -> None:
        """A message says something else now."""
        message.text, message.blocks = text, list(blocks)
        self.changed(message)

    def changed(self, message: Message) -> None:
        """What a message says was changed."""
        message.edited = self.ts()
        self.told("message_changed", message)

    def delete(self, message: Message) -> None:
        """A message is seen no more; where it has replies, a tombstone stands in its place."""
        if len(self.messages(self.channels[message.channel], message.ts)) > 1:
            stone = Message(message.channel, message.ts, "USLACKBOT", "This message was deleted.")
            stone.thread_ts, stone.subtype = message.ts, "tombstone"
            self._messages[message.channel][message.ts] = stone
        message.deleted = True
        self.told("message_deleted", message)

    def react(self, message: Message, name: str, user: User) -> None:
        """Somebody reacts. Raises Refused("already_reacted")."""
        users = message.reactions.setdefault(name, [])
        if user.id in users:
            raise Refused("already_reacted")
        users.append(user.id)
        self.change()

    def unreact(self, message: Message, name: str, user: User) -> None:
        """Somebody takes a reaction back. Raises Refused("no_reaction")."""
        users = message.reactions.get(name, [])
        if user.id not in users:
            raise Refused("no_reaction")
        users.remove(user.id)
        if not users:
            del message.reactions[name]
        self.change()

    def stop_stream(self, message: Message, user: User) -> None:
        """A person presses Stop: the bot's next append is told stopped_by_user, once."""
        assert message.stream, "it is not a stream"
        assert message.stream.open, "it is not streamed any more"
        message.stream.open = False
        message.stream.stopped_by = user.id
        self.change()

    def keep(self, name: str, content: bytes, media_type: str, user: User) -> File:
        """A file of somebody, which can be fetched from now on."""
        number = self.id("F")
        url = f"{self.files_url}/{self.team}-{number}/{quote(name)}"
        file = File(number, name, media_type, content, user.id, url, created=int(self.now()))
        self.files[number] = file
        return file

    # Eyes

    def find(self, channel: str, ts: str) -> Message | None:
        """The message of that channel and ts, if it is there and not ephemeral."""
        message = self._messages[channel].get(ts)
        return None if not message or message.deleted or message.ephemeral_for else message

    def messages(self, channel: Channel, thread_ts: str = "") -> list[Message]:
        """What everybody sees in a channel, or in one thread of it, oldest first."""
        return [
            message
            for message in self._messages[channel.id].values()
            if not message.deleted
            and not message.ephemeral_for
            and thread_ts in {"", message.thread}
        ]

    def visible(self, channel: Channel, thread_ts: str = "") -> list[str]:
        """The texts of the bot that everybody reads there, as they are now, oldest first."""
        return [
            message.seen
            for message in self.messages(channel, thread_ts)
            if message.user == self.bot.id
        ]

    def ephemeral(self, user: User, channel: Channel | None = None) -> list[Message]:
        """What one person alone sees, oldest first."""
        return [
            message
            for where in ([channel.id] if channel else list(self._messages))
            for message in self._messages[where].values()
            if message.ephemeral_for == user.id and not message.deleted
        ]

    def status(self, channel: Channel, thread_ts: str) -> str:
        """What the bot is seen doing in a thread; it fades after two minutes."""
        text, at = self._statuses.get((channel.id, thread_ts), ("", 0.0))
        return text if self.now() - at < STATUS_SECONDS else ""

    def set_status(self, channel: str, thread_ts: str, text: str) -> None:
        """The bot is seen doing something until its next message there."""
        self._statuses[channel, thread_ts] = text, self.now()
        self.change()

    def called(self, method: str, channel: str = "") -> list[Call]:
        """The calls of a method, in one channel or anywhere."""
        return [
            call for call in self.calls if call.method == method and channel in {"", call.channel}
        ]

    # Views

    def trigger(self, user: User) -> str:
        """A trigger_id, from a person's command or button; good once, for three seconds."""
        trigger = f"{next(self._numbers)}.{self.team}.{self.id('X')}"
        self._triggers[trigger] = user, self.now()
        return trigger

    def pull(self, trigger: str) -> User:
        """Use a trigger_id up; whose it was. Raises Refused."""
        if trigger not in self._triggers:
            raise Refused("invalid_trigger_id")
        user, at = self._triggers[trigger]
        if trigger in self._pulled:
            raise Refused("exchanged_trigger_id")
        self._pulled.add(trigger)
        if self.now() - at > TRIGGER_SECONDS:
            raise Refused("expired_trigger_id")
        return user

    def show(self, view: View) -> None:
        """A view stands before its user."""
        self.views[view.id] = view
        if view.kind == "home":
            self.homes[view.user] = view
        self.change()

    def hide(self, view: View) -> None:
        """A modal is gone."""
        self.views.pop(view.id, None)
        self.change()

    def stack(self, user: User) -> list[View]:
        """What stands before a person, the topmost last."""
        views = self.views.values()
        return [view for view in views if view.kind == "modal" and view.user == user.id]
