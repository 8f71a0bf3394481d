"""The methods that post, change and take away messages."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.slack_server.blocks import checked, refusal
from tests.slack_server.methods import channel, flag, method, user, writable
from tests.slack_server.values import Channel, Json, Message, Parameters, Refused

if TYPE_CHECKING:
    from tests.slack_server.server import SlackServer


@dataclass(slots=True)
class Content:
    """What a message says: a text or markdown, blocks, metadata."""

    text: str = ""
    markdown: bool = False
    blocks: list[Json] = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    metadata: Json | None = None
    finds_names: bool = False


@method("chat.postMessage")
def post_message(slack: SlackServer, given: Parameters) -> Json:
    """A new message of the bot."""
    where = writable(slack, given)
    said = content(slack, given)
    message = posted(slack, where, said, given)
    return {"channel": where.id, "ts": message.ts, "message": message.json()}


@method("chat.postEphemeral")
def post_ephemeral(slack: SlackServer, given: Parameters) -> Json:
    """A message that one person alone sees; it can be neither changed nor found later."""
    where = writable(slack, given)
    who = user(slack, given["user"])
    if who.id not in where.members:
        raise Refused("user_not_in_channel")
    message = posted(slack, where, content(slack, given), given, ephemeral_for=who.id)
    return {"message_ts": message.ts}


@method("chat.update")
def update(slack: SlackServer, given: Parameters) -> Json:
    """Another content for a message of the bot. Blocks, attachments and metadata that are not
    named stay as they are; an empty list takes them away.
    """
    message = own(slack, given, "cant_update_message")
    if slack.streaming(message):
        raise Refused("streaming_state_conflict")
    said = content(slack, given)
    message.stream = None
    if said.text:
        message.text, message.markdown = said.text, said.markdown
    if "blocks" in given:
        message.blocks = said.blocks
    if "attachments" in given:
        message.attachments = said.attachments
    if said.metadata is not None:
        message.metadata = said.metadata or None
    message.finds_names = said.finds_names
    slack.workspace.changed(message)
    return {
        "channel": message.channel,
        "ts": message.ts,
        "text": message.text,
        "message": message.json(),
    }


@method("chat.delete")
def delete(slack: SlackServer, given: Parameters) -> Json:
    """Take a message of the bot away."""
    message = own(slack, given, "cant_delete_message")
    slack.workspace.delete(message)
    return {"channel": message.channel, "ts": message.ts}


def posted(
    slack: SlackServer,
    where: Channel,
    said: Content,
    given: Parameters,
    *,
    ephemeral_for: str = "",
) -> Message:
    """A message of the bot stands in a channel, or in the thread that is named."""
    thread = thread_of(slack, where, given.get("thread_ts"))
    message = slack.workspace.message(where, slack.workspace.bot, said.text, thread_ts=thread)
    message.markdown, message.blocks = said.markdown, said.blocks
    message.attachments, message.metadata = said.attachments, said.metadata or None
    message.finds_names, message.ephemeral_for = said.finds_names, ephemeral_for
    if thread and flag(given, "reply_broadcast"):
        message.subtype = "thread_broadcast"
    return slack.workspace.add(message)


def thread_of(slack: SlackServer, where: Channel, ts: object) -> str:
    """The thread that a ts names, "" for none; a reply's ts names its thread. Raises Refused."""
    if not ts:
        return ""
    message = slack.workspace.find(where.id, str(ts))
    if not message:
        raise Refused("thread_not_found")
    return message.thread


def content(slack: SlackServer, given: Parameters) -> Content:
    """What the bot says with a call. Raises Refused."""
    text, markdown = given.get("text") or "", given.get("markdown_text") or ""
    blocks, attachments = given.get("blocks") or [], given.get("attachments") or []
    if markdown and (text or blocks):
        raise refusal(slack, "markdown_text_conflict", "markdown_text with text or blocks")
    if not (text or markdown or blocks or attachments):
        raise Refused("no_text")
    if len(text) > slack.lengths.text or len(markdown) > slack.lengths.markdown_text:
        raise Refused("msg_too_long")
    return Content(
        text or markdown,
        bool(markdown),
        checked(slack, blocks),
        attachments,
        metadata(slack, given.get("metadata")),
        finds_names=flag(given, "link_names") or given.get("parse") == "full",
    )


def metadata(slack: SlackServer, given: Any) -> Json | None:
    """The metadata of a message, None if none is named, {} to take it away. Raises Refused."""
    if not given:
        return None if given is None else {}
    kind, payload = given.get("event_type"), given.get("event_payload")
    if not isinstance(kind, str) or not kind or not isinstance(payload, dict):
        raise refusal(slack, "invalid_metadata_format", f"metadata {given!r:.100}")
    if len(repr(payload)) > slack.lengths.metadata:
        raise Refused("metadata_too_large")
    return {"event_type": kind, "event_payload": payload}


def own(slack: SlackServer, given: Parameters, error: str) -> Message:
    """The message that is meant, which must be the bot's, else `error`. Raises Refused."""
    where = channel(slack, given)
    message = slack.workspace.find(where.id, str(given["ts"]))
    if not message:
        raise Refused("message_not_found")
    if message.user != slack.workspace.bot.id:
        raise Refused(error)
    return message
