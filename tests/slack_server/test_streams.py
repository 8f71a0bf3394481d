"""Native streams grow, and end as reported in facts/slack.md."""

from __future__ import annotations

from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.models.messages.chunk import MarkdownTextChunk, TaskUpdateChunk
from slack_sdk.web.async_client import AsyncWebClient

from tests.clock import StoppedClock
from tests.slack_server import Channel, Message, SlackServer, User

DIVIDER = {"type": "divider"}


@pytest.fixture
def question(server: SlackServer, general: Channel, ann: User) -> Message:
    return server.workspace.post(general, ann, "question")


@pytest.fixture
def where(server: SlackServer, question: Message, ann: User) -> dict[str, Any]:
    return {
        "channel": question.channel,
        "thread_ts": question.ts,
        "recipient_team_id": server.workspace.team,
        "recipient_user_id": ann.id,
    }


async def begun(client: AsyncWebClient, where: dict[str, Any], text: str) -> dict[str, Any]:
    """A stream with its first text; what names it."""
    started = await client.chat_startStream(**where, markdown_text=text)
    return {"channel": started["channel"], "ts": started["ts"]}


async def test_stream_grows_and_ends_with_blocks_below(
    server: SlackServer, client: AsyncWebClient, where: dict[str, Any], question: Message
) -> None:
    stream = await begun(client, where, "Hel")
    message = server.workspace.find(**stream)
    assert message
    assert (message.seen, message.streaming, message.thread) == ("Hel", True, question.ts)
    await client.chat_appendStream(**stream, markdown_text="lo ")
    await client.chat_appendStream(
        **stream,
        chunks=[
            TaskUpdateChunk(id="1", title="Looking", status="in_progress"),
            MarkdownTextChunk(text="the"),
        ],
        markdown_text="",
    )
    await client.chat_stopStream(**stream, markdown_text="re", blocks=[DIVIDER])
    assert (message.seen, message.streaming, message.blocks) == ("Hello there", False, [DIVIDER])
    assert message.stream
    assert message.stream.pieces == ["Hel", "lo ", "the", "re"]
    assert [task["title"] for task in message.stream.tasks] == ["Looking"]


async def test_stream_that_ended_takes_nothing_more(
    server: SlackServer, client: AsyncWebClient, where: dict[str, Any], general: Channel
) -> None:
    stream = await begun(client, where, "done")
    await client.chat_stopStream(**stream)
    for call in (client.chat_appendStream, client.chat_stopStream):
        with pytest.raises(SlackApiError, match="message_not_in_streaming_state"):
            await call(**stream, markdown_text="more")
    posted = await client.chat_postMessage(channel=general.id, text="no stream")
    with pytest.raises(SlackApiError, match="message_not_in_streaming_state"):
        await client.chat_appendStream(channel=general.id, ts=posted["ts"], markdown_text="x")
    assert server.workspace.visible(general) == ["done", "no stream"]


async def test_stream_dies_after_five_minutes_and_can_be_updated_then(
    server: SlackServer,
    client: AsyncWebClient,
    where: dict[str, Any],
    general: Channel,
    clock: StoppedClock,
) -> None:
    stream = await begun(client, where, "one")
    with pytest.raises(SlackApiError, match="streaming_state_conflict"):
        await client.chat_update(**stream, text="whole")
    clock.advance(299)
    await client.chat_appendStream(**stream, markdown_text=" two")
    clock.advance(1)
    with pytest.raises(SlackApiError, match="message_not_in_streaming_state"):
        await client.chat_appendStream(**stream, markdown_text=" three")
    await client.chat_update(**stream, text="whole")
    assert server.workspace.visible(general) == ["whole"]


async def test_person_stops_a_stream_and_the_bot_is_told_once(
    server: SlackServer, client: AsyncWebClient, where: dict[str, Any], ann: User
) -> None:
    stream = await begun(client, where, "one")
    message = server.workspace.find(**stream)
    assert message
    server.workspace.stop_stream(message, ann)
    with pytest.raises(SlackApiError, match="stopped_by_user"):
        await client.chat_appendStream(**stream, markdown_text="two")
    with pytest.raises(SlackApiError, match="message_not_in_streaming_state"):
        await client.chat_appendStream(**stream, markdown_text="two")
    assert message.seen == "one"


async def test_stream_is_no_longer_than_its_bytes(
    server: SlackServer, client: AsyncWebClient, where: dict[str, Any], general: Channel
) -> None:
    stream = await begun(client, where, "ü" * 5_000)
    await client.chat_appendStream(**stream, markdown_text="x" * 600)
    with pytest.raises(SlackApiError, match="msg_too_long"):
        await client.chat_appendStream(**stream, markdown_text="x")
    server.lengths.stream = 99_999
    await client.chat_appendStream(**stream, markdown_text="x" * 12_000)
    with pytest.raises(SlackApiError, match="msg_too_long"):
        await client.chat_appendStream(**stream, markdown_text="x" * 12_001)
    (seen,) = server.workspace.visible(general)
    assert len(seen) == 17_600


@pytest.mark.parametrize(
    ("missing", "error"),
    [
        ("recipient_team_id", "missing_recipient_team_id"),
        ("recipient_user_id", "missing_recipient_user_id"),
        ("thread_ts", "invalid_arguments"),
    ],
)
async def test_stream_in_a_channel_needs_a_thread_and_for_whom(
    server: SlackServer, client: AsyncWebClient, where: dict[str, Any], missing: str, error: str
) -> None:
    given = {name: value for name, value in where.items() if name != missing}
    with pytest.raises(SlackApiError, match=error):
        await client.api_call("chat.startStream", json=given)
    assert missing in server.violations.pop()


async def test_stream_in_direct_messages_needs_only_a_thread(
    server: SlackServer, client: AsyncWebClient, ann: User, where: dict[str, Any]
) -> None:
    server.streams = "im"
    im = server.workspace.im(ann)
    root = server.workspace.post(im, ann, "question")
    await client.chat_startStream(channel=im.id, thread_ts=root.ts, markdown_text="Hello")
    assert server.workspace.visible(im) == ["Hello"]
    with pytest.raises(SlackApiError, match="channel_type_not_supported"):
        await begun(client, where, "Hello")


async def test_malformed_chunk_is_a_violation_and_changes_nothing(
    server: SlackServer, client: AsyncWebClient, where: dict[str, Any], general: Channel
) -> None:
    stream = await begun(client, where, "one")
    chunks = [{"type": "markdown_text", "text": "two"}, {"type": "text", "text": "three"}]
    with pytest.raises(SlackApiError, match="invalid_chunks"):
        await client.chat_appendStream(**stream, chunks=chunks)
    assert "three" in server.violations.pop()
    assert server.workspace.visible(general) == ["one"]
