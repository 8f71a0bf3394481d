"""Native streaming: a message that grows where it stands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tests.slack_server.blocks import checked, refusal
from tests.slack_server.chat import metadata, own, thread_of
from tests.slack_server.methods import method, user, writable
from tests.slack_server.values import Channel, Json, Message, Parameters, Refused, Stream

if TYPE_CHECKING:
    from tests.slack_server.server import SlackServer

PROGRESS = {"task_update": {"id", "title", "status"}, "plan_update": {"title"}}


@method("chat.startStream")
def start_stream(slack: SlackServer, given: Parameters) -> Json:
    """A reply that is still written. In a channel Slack must be told for whom."""
    where = writable(slack, given)
    if slack.streams == "nowhere" or (slack.streams == "im" and where.kind != "im"):
        raise Refused("channel_type_not_supported")
    thread = thread_of(slack, where, given.get("thread_ts"))
    if not thread:
        raise refusal(slack, "invalid_arguments", "chat.startStream: thread_ts is missing")
    for_whom(slack, where, given)
    message = slack.workspace.message(where, slack.workspace.bot, thread_ts=thread)
    message.markdown, message.stream = True, Stream(slack.now())
    grow(slack, message, given)
    slack.workspace.add(message)
    return {"channel": where.id, "ts": message.ts}


@method("chat.appendStream")
def append_stream(slack: SlackServer, given: Parameters) -> Json:
    """More of it. Raises Refused("stopped_by_user") once after a person pressed Stop."""
    message = own(slack, given, "message_not_owned_by_app")
    stream = message.stream
    if stream and stream.stopped_by and not stream.told:
        stream.told = True
        raise Refused("stopped_by_user")
    if not slack.streaming(message):
        raise Refused("message_not_in_streaming_state")
    if not given.get("markdown_text") and not given.get("chunks"):
        raise Refused("no_text")
    grow(slack, message, given)
    slack.workspace.told("message_changed", message)
    return {"channel": message.channel, "ts": message.ts}


@method("chat.stopStream")
def stop_stream(slack: SlackServer, given: Parameters) -> Json:
    """The end of it, perhaps with a last text, and blocks that stand below."""
    message = own(slack, given, "message_not_owned_by_app")
    if not slack.streaming(message) or not message.stream:
        raise Refused("message_not_in_streaming_state")
    blocks = checked(slack, given.get("blocks") or [])
    about = metadata(slack, given.get("metadata"))
    grow(slack, message, given)
    message.blocks += blocks
    message.metadata = about or message.metadata
    message.stream.open = False
    slack.workspace.told("message_changed", message)
    return {"channel": message.channel, "ts": message.ts, "message": message.json()}


def for_whom(slack: SlackServer, where: Channel, given: Parameters) -> None:
    """Check the recipient, who need not be named in direct messages. Raises Refused."""
    if where.kind == "im":
        return
    for name in ("recipient_team_id", "recipient_user_id"):
        if not given.get(name):
            raise refusal(slack, f"missing_{name}", f"chat.startStream: {name} is missing")
    if given["recipient_team_id"] != slack.workspace.team:
        raise Refused("team_not_found")
    user(slack, given["recipient_user_id"])


def grow(slack: SlackServer, message: Message, given: Parameters) -> None:
    """Append what a call brings. Raises Refused, and then nothing is appended."""
    text = given.get("markdown_text") or ""
    chunks = given.get("chunks") or []
    pieces = [text] if text else []
    blocks: list[Json] = []
    for chunk in chunks:
        match chunk:
            case {"type": "markdown_text", "text": str(piece)}:
                pieces.append(piece)
            case {"type": "blocks", "blocks": list(more)}:
                blocks += more
            case {"type": str(kind)} if PROGRESS.get(kind, {""}) <= chunk.keys():
                pass
            case _:
                raise refusal(slack, "invalid_chunks", f"{chunk!r:.100} is no chunk")
    assert message.stream
    too_long(slack, message.text, pieces)
    message.blocks += checked(slack, blocks)
    message.stream.tasks += [chunk for chunk in chunks if chunk["type"] in PROGRESS]
    message.stream.pieces += pieces
    message.text += "".join(pieces)


def too_long(slack: SlackServer, text: str, pieces: Sequence[str]) -> None:
    """Raises Refused where a call or the whole message says too much."""
    lengths: Any = slack.lengths
    added = "".join(pieces)
    if len(added) > lengths.markdown_text or len((text + added).encode()) > lengths.stream:
        raise Refused("msg_too_long")
