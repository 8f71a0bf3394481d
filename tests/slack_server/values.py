"""What there is in a workspace, in the terms of Slack's Web API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.slack_server.text import block_texts, unescaped

Json = dict[str, Any]
Parameters = Mapping[str, Any]


class Refused(Exception):
    """Slack says no: `error` is its code, `more` what else stands in the answer."""

    def __init__(self, error: str, **more: Any) -> None:
        super().__init__(error)
        self.error = error
        self.more = more


@dataclass(frozen=True, slots=True)
class User:
    """Somebody in the workspace; the bot is one, too, with a `bot_id`."""

    id: str
    name: str
    display_name: str
    team: str
    bot_id: str = ""

    @property
    def is_bot(self) -> bool:
        """Whether it is an app's user."""
        return bool(self.bot_id)

    def json(self) -> Json:
        """A user as users.info tells it."""
        profile: Json = {"real_name": self.display_name, "display_name": self.display_name}
        if self.bot_id:
            profile["bot_id"] = self.bot_id
        return {
            "id": self.id,
            "team_id": self.team,
            "name": self.name,
            "real_name": self.display_name,
            "deleted": False,
            "is_bot": self.is_bot,
            "tz": "Europe/Amsterdam",
            "locale": "en-US",
            "profile": profile,
        }


@dataclass(slots=True)
class Channel:
    """`kind` is "public", "private" or "im". `members` are ids of users; of an im, the person
    first and the bot second. `archived` takes no messages.
    """

    id: str
    kind: str
    name: str
    members: list[str] = field(default_factory=list)
    archived: bool = False

    @property
    def person(self) -> str:
        """The id of the user with whom the bot talks in an im."""
        return self.members[0]

    @property
    def type(self) -> str:
        """The channel_type that an event carries."""
        return {"public": "channel", "private": "group", "im": "im"}[self.kind]

    def json(self) -> Json:
        """A conversation as conversations.info tells it."""
        told: Json = {
            "id": self.id,
            "created": 1_700_000_000,
            "is_channel": self.kind == "public",
            "is_group": self.kind == "private",
            "is_im": self.kind == "im",
            "is_mpim": False,
            "is_private": self.kind != "public",
            "is_archived": self.archived,
        }
        if self.kind == "im":
            return {**told, "user": self.person}
        return {**told, "name": self.name, "is_member": True, "num_members": len(self.members)}


@dataclass(frozen=True, slots=True)
class File:
    """A file in the workspace, found by its id. `title` is what the person reads."""

    id: str
    name: str
    media_type: str
    content: bytes = field(repr=False)
    user: str
    url: str
    title: str = ""
    created: int = 0

    def json(self) -> Json:
        """A file object; both URLs need the bot's token."""
        return {
            "id": self.id,
            "created": self.created,
            "timestamp": self.created,
            "name": self.name,
            "title": self.title or self.name,
            "mimetype": self.media_type,
            "filetype": self.name.rpartition(".")[2].lower() or "binary",
            "user": self.user,
            "size": len(self.content),
            "mode": "hosted",
            "is_external": False,
            "url_private": self.url,
            "url_private_download": f"{self.url}?download=1",
        }


@dataclass(slots=True)
class Stream:
    """A message that the bot is still writing. `stopped_by` is the person who pressed Stop; it is
    `told` once, by the error stopped_by_user. `pieces` are the texts that were appended, `tasks`
    the chunks that tell how far it is.
    """

    began: float
    open: bool = True
    stopped_by: str = ""
    told: bool = False
    pieces: list[str] = field(default_factory=list)
    tasks: list[Json] = field(default_factory=list)


@dataclass(slots=True)
class Message:
    """One message as it stands now. `text` of a streamed one is all that was appended.

    `ephemeral_for` is the user who alone sees it. `deleted` ones are kept, and seen by nobody.
    `finds_names` says that the bot asked Slack to act on a bare @channel, too,
    `markdown` that the text is no mrkdwn.
    """

    channel: str
    ts: str
    user: str
    text: str = ""
    blocks: list[Json] = field(default_factory=list)
    metadata: Json | None = None
    thread_ts: str = ""
    bot_id: str = ""
    subtype: str = ""
    edited: str = ""
    stream: Stream | None = None
    files: list[File] = field(default_factory=list)
    reactions: dict[str, list[str]] = field(default_factory=dict)
    ephemeral_for: str = ""
    deleted: bool = False
    attachments: list[Json] = field(default_factory=list)
    finds_names: bool = False
    markdown: bool = False

    @property
    def thread(self) -> str:
        """The ts of the thread's first message; its own where it is in none."""
        return self.thread_ts or self.ts

    @property
    def in_thread(self) -> bool:
        """Whether it is a reply, not what a thread begins with."""
        return self.thread_ts not in {"", self.ts}

    @property
    def streaming(self) -> bool:
        """Whether the bot still writes it."""
        return self.stream is not None and self.stream.open

    @property
    def seen(self) -> str:
        """What a person reads: the blocks where there are any, else the text; of a streamed
        message both, since its blocks stand below. Escaped characters are themselves again.
        """
        parts = block_texts(self.blocks)
        if self.stream or not parts:
            parts = [self.text, *parts]
        return unescaped("\n".join(part for part in parts if part))

    def json(self, *, metadata: bool = True) -> Json:
        """A message as conversations.replies tells it; metadata only if it is asked for."""
        told: Json = {
            "type": "message",
            "user": self.user,
            "ts": self.ts,
            "text": self.text,
        }
        if self.subtype:
            told["subtype"] = self.subtype
        if self.bot_id:
            told |= {"bot_id": self.bot_id, "app_id": "A0TUNEBOT"}
        if self.thread_ts:
            told["thread_ts"] = self.thread_ts
        if self.blocks:
            told["blocks"] = self.blocks
        if self.attachments:
            told["attachments"] = self.attachments
        if self.files:
            told["files"] = [file.json() for file in self.files]
        if self.edited:
            told["edited"] = {"user": self.user, "ts": self.edited}
        if self.reactions:
            told["reactions"] = [
                {"name": name, "users": users, "count": len(users)}
                for name, users in self.reactions.items()
            ]
        if self.metadata and metadata:
            told["metadata"] = self.metadata
        return told


@dataclass(slots=True)
class View:
    """A modal (`kind` "modal") or a person's home tab ("home"), as it is shown to `user`."""

    id: str
    kind: str
    user: str
    view: Json
    hash: str
    previous: str = ""

    def json(self) -> Json:
        """A view as views.open answers it and as events carry it."""
        return {
            **self.view,
            "id": self.id,
            "type": self.kind,
            "hash": self.hash,
            "previous_view_id": self.previous or None,
            "root_view_id": self.previous or self.id,
            "state": {"values": {}},
            "bot_id": "B0TUNEBOT",
            "app_id": "A0TUNEBOT",
            "private_metadata": self.view.get("private_metadata", ""),
            "callback_id": self.view.get("callback_id", ""),
        }
