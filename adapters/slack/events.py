"""What an envelope of Slack means. Pure: nothing is fetched, nothing is answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel

# A message of these subtypes was written by a person just now (specs/slack/events.json, "message").
REAL = frozenset({None, "file_share", "thread_broadcast", "me_message"})
SLACKBOT = "USLACKBOT"  # has no bot_id

Deed = Literal["command", "action", "submission", "home", "reaction", "stopped", "gone"]
DEEDS: Mapping[str, Deed] = {
    "app_home_opened": "home",
    "reaction_added": "reaction",
    "reaction_removed": "reaction",
    "agent_session_stopped": "stopped",
    "app_uninstalled": "gone",
    "tokens_revoked": "gone",
}


class File(BaseModel, frozen=True):
    """A file as Slack describes it beside a message; what another workspace shares may come with an
    id alone. Sizes in bytes.
    """

    id: str = ""
    name: str | None = None
    mimetype: str | None = None
    size: int = 0
    mode: str = ""
    is_external: bool = False
    file_access: str = ""
    url_private_download: str | None = None

    @property
    def title(self) -> str:
        """What people call it."""
        return self.name or "The file"

    @property
    def kind(self) -> str:
        """Its media type."""
        return self.mimetype or "application/octet-stream"


class Forwarded(BaseModel, frozen=True):
    """A message that somebody shared with theirs: Slack has it among the attachments, as it has
    previews of links, which do not matter.
    """

    is_share: bool = False
    text: str | None = None
    fallback: str | None = None
    author_name: str | None = None


class Message(BaseModel, frozen=True):
    """A message event, as far as it matters."""

    channel: str
    ts: str
    user: str | None = None
    bot_id: str | None = None
    subtype: str | None = None
    hidden: bool = False
    text: str | None = None
    thread_ts: str | None = None
    parent_user_id: str | None = None
    team: str | None = None
    channel_type: str = ""
    files: list[File] | None = None
    attachments: list[Forwarded] | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """A person wrote a message, in a thread or, with "", at top level. `team` is the workspace of
    the bot, `user_team` that of the person. `direct` is where only these two are, `below` in a
    thread that the bot's own message begins. `forwarded` are messages that came with it, each with
    its author's name.
    """

    team: str
    channel: str
    user: str
    user_team: str
    ts: str
    thread: str
    text: str
    direct: bool
    below: bool
    files: tuple[File, ...]
    forwarded: tuple[tuple[str, str], ...] = ()

    @property
    def key(self) -> str:
        """By which the message is known however often, and under whichever ids, it is told."""
        return f"{self.team}/{self.channel}/{self.ts}"


@dataclass(frozen=True, slots=True)
class Did:
    """A person did something else; `deed` names what takes it. Those in one `queue` happened one
    after the other; in "" nothing waits for anything.
    """

    deed: Deed
    payload: Mapping[str, Any]
    queue: str


@dataclass(frozen=True, slots=True)
class Moved:
    """A channel has another id."""

    channel: str
    to: str


@dataclass(frozen=True, slots=True)
class Throttled:
    """Slack withholds events: there were more than 30,000 within an hour."""


Meaning = Written | Did | Moved | Throttled


def key_of(payload: Mapping[str, Any]) -> str:
    """By which an envelope is known when Slack delivers it again; "" where it has nothing."""
    return str(payload.get("event_id") or payload.get("trigger_id") or "")


def read(payload: Mapping[str, Any], bot_user: str) -> Meaning | None:
    """What an envelope means; None if it is nothing to the bot, whose id is `bot_user`.

    What Slack would not send raises ValueError, KeyError, TypeError or AttributeError.
    """
    match payload.get("type"):
        case "event_callback":
            return event(payload, bot_user)
        case "block_actions":
            return Did("action", payload, queue("action", payload["user"]["id"]))
        case "view_submission":
            return Did("submission", payload, queue("submission", payload["user"]["id"]))
        case "app_rate_limited":
            return Throttled()
        case None if "command" in payload:
            return Did("command", payload, queue("command", payload["user_id"]))
    return None


def event(payload: Mapping[str, Any], bot_user: str) -> Meaning | None:
    """What an event means."""
    told = payload["event"]
    kind = told["type"]
    if kind in {"message", "app_mention"}:
        return written(payload["team_id"], told, bot_user)
    if kind == "channel_id_changed":
        return Moved(told["old_channel_id"], told["new_channel_id"])
    if kind not in DEEDS:
        return None
    deed = DEEDS[kind]
    # Stop waits for nothing.
    return Did(deed, payload, "" if deed == "stopped" else queue(deed, told.get("user", "")))


def written(team: str, told: Mapping[str, Any], bot_user: str) -> Written | None:
    """What a person wrote; None for bots, edits, and what Slack itself says."""
    if told.get("subtype") not in REAL or told.get("bot_id"):
        return None
    message = Message.model_validate(told)
    if message.hidden or not message.user or message.user in {bot_user, SLACKBOT}:
        return None
    return Written(
        f"{team}",
        message.channel,
        message.user,
        message.team or f"{team}",
        message.ts,
        "" if message.thread_ts == message.ts else message.thread_ts or "",
        message.text or "",
        message.channel_type == "im" or message.channel.startswith("D"),
        message.parent_user_id == bot_user,
        tuple(message.files or ()),
        tuple(
            (each.author_name or "", text)
            for each in message.attachments or ()
            if each.is_share and (text := each.text or each.fallback or "")
        ),
    )


def queue(*names: str) -> str:
    """The name of a queue."""
    return "/".join(names)
