"""What the bot posts stands where it should, and is found again as Slack lets it be found."""

from __future__ import annotations

from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from tests.clock import StoppedClock
from tests.slack_server import Channel, SlackServer, User

MARK = {"event_type": "turn", "event_payload": {"id": "42"}}
BUTTON = {"type": "button", "action_id": "go", "text": {"type": "plain_text", "text": "Go"}}
ACTIONS = {"type": "actions", "elements": [BUTTON]}


async def test_bot_learns_who_it_is_and_who_is_there(
    server: SlackServer, client: AsyncWebClient, ann: User, general: Channel
) -> None:
    me = await client.auth_test()
    assert (me["user_id"], me["team_id"]) == (server.workspace.bot.id, server.workspace.team)
    told = (await client.users_info(user=ann.id))["user"]
    assert (told["profile"]["display_name"], told["is_bot"]) == ("Ann", False)
    assert [each["id"] for each in (await client.users_list())["members"]] == [
        me["user_id"],
        ann.id,
    ]
    about = (await client.conversations_info(channel=general.id))["channel"]
    assert (about["name"], about["is_channel"], about["is_im"]) == ("general", True, False)
    bot = (await client.bots_info(bot=me["bot_id"]))["bot"]
    assert bot["user_id"] == me["user_id"]
    assert (await client.team_info())["team"]["id"] == me["team_id"]


async def test_messages_of_a_person_are_one_channel_by_whichever_name(
    server: SlackServer, client: AsyncWebClient, ann: User
) -> None:
    opened = await client.conversations_open(users=[ann.id])
    posted = await client.chat_postMessage(channel=ann.id, text="Hello")
    assert posted["channel"] == opened["channel"]["id"] == server.workspace.im(ann).id
    assert server.workspace.visible(server.workspace.im(ann)) == ["Hello"]


async def test_timestamps_are_of_the_clock_and_rise(
    client: AsyncWebClient, general: Channel, clock: StoppedClock
) -> None:
    posted = [await client.chat_postMessage(channel=general.id, text="x") for _ in range(2)]
    first, second = (str(each["ts"]) for each in posted)
    assert first == f"{clock.now():.6f}"
    assert float(second) > float(first)


async def test_update_keeps_what_it_does_not_name(
    server: SlackServer, client: AsyncWebClient, general: Channel
) -> None:
    posted = await client.chat_postMessage(
        channel=general.id, text="one", blocks=[ACTIONS], metadata=MARK
    )
    await client.chat_update(channel=general.id, ts=posted["ts"], text="two")
    (message,) = server.workspace.messages(general)
    assert (message.seen, message.blocks, message.metadata) == ("two", [ACTIONS], MARK)
    await client.chat_update(channel=general.id, ts=posted["ts"], text="three", blocks=[])
    assert (message.seen, message.blocks, bool(message.edited)) == ("three", [], True)


async def test_person_reads_blocks_and_escaped_characters(
    server: SlackServer, client: AsyncWebClient, general: Channel
) -> None:
    section = {"type": "section", "text": {"type": "mrkdwn", "text": "1 &lt; 2"}}
    await client.chat_postMessage(channel=general.id, text="for notices", blocks=[section, ACTIONS])
    await client.chat_postMessage(channel=general.id, markdown_text="**bold**")
    assert server.workspace.visible(general) == ["1 < 2", "**bold**"]


async def test_only_the_bot_itself_changes_and_deletes_its_messages(
    server: SlackServer, client: AsyncWebClient, general: Channel, ann: User
) -> None:
    hers = server.workspace.post(general, ann, "mine")
    with pytest.raises(SlackApiError, match="cant_update_message"):
        await client.chat_update(channel=general.id, ts=hers.ts, text="ours")
    with pytest.raises(SlackApiError, match="cant_delete_message"):
        await client.chat_delete(channel=general.id, ts=hers.ts)
    posted = await client.chat_postMessage(channel=general.id, text="x")
    await client.chat_delete(channel=general.id, ts=posted["ts"])
    with pytest.raises(SlackApiError, match="message_not_found"):
        await client.chat_update(channel=general.id, ts=posted["ts"], text="x")
    assert server.workspace.visible(general) == []


async def test_thread_is_read_in_pages_with_its_metadata(
    server: SlackServer, client: AsyncWebClient, general: Channel, ann: User
) -> None:
    server.rates.limits = None
    root = server.workspace.post(general, ann, "question")
    for number in range(5):
        await client.chat_postMessage(
            channel=general.id, thread_ts=root.ts, text=f"{number}", metadata=MARK
        )
    await client.chat_postMessage(channel=general.id, text="elsewhere")
    page = await client.conversations_replies(
        channel=general.id, ts=root.ts, limit=3, include_all_metadata=True
    )
    assert [each["text"] for each in page["messages"]] == ["question", "0", "1", "2"]
    assert page["messages"][1]["metadata"] == MARK
    rest = await client.conversations_replies(
        channel=general.id, ts=root.ts, cursor=page["response_metadata"]["next_cursor"]
    )
    assert [each["text"] for each in rest["messages"]] == ["question", "3", "4"]
    assert (rest["has_more"], rest["response_metadata"]["next_cursor"]) == (False, "")
    assert "metadata" not in rest["messages"][1]
    newer = await client.conversations_replies(
        channel=general.id, ts=root.ts, oldest=page["messages"][3]["ts"]
    )
    assert [each["text"] for each in newer["messages"]] == ["question", "3", "4"]
    history = await client.conversations_history(channel=general.id, limit=1)
    assert [each["text"] for each in history["messages"]] == ["elsewhere"]


async def test_reply_to_a_reply_stands_in_the_same_thread(
    server: SlackServer, client: AsyncWebClient, general: Channel, ann: User
) -> None:
    root = server.workspace.post(general, ann, "question")
    reply = await client.chat_postMessage(channel=general.id, thread_ts=root.ts, text="one")
    await client.chat_postMessage(channel=general.id, thread_ts=reply["ts"], text="two")
    assert server.workspace.visible(general, root.ts) == ["one", "two"]
    with pytest.raises(SlackApiError, match="thread_not_found"):
        await client.chat_postMessage(channel=general.id, thread_ts="1.000001", text="x")


async def test_ephemeral_message_is_seen_by_one_person_and_found_by_nobody(
    server: SlackServer, client: AsyncWebClient, general: Channel, ann: User
) -> None:
    bob = server.workspace.user("bob")
    question = server.workspace.post(general, ann, "question")
    told = await client.chat_postEphemeral(
        channel=general.id, thread_ts=question.ts, user=ann.id, text="psst"
    )
    assert [each.seen for each in server.workspace.ephemeral(ann, general)] == ["psst"]
    assert server.workspace.ephemeral(bob) == []
    assert (server.workspace.messages(general), question.thread_ts) == ([question], "")
    with pytest.raises(SlackApiError, match="message_not_found"):
        await client.chat_update(channel=general.id, ts=told["message_ts"], text="x")
    with pytest.raises(SlackApiError, match="user_not_in_channel"):
        await client.chat_postEphemeral(channel=general.id, user=bob.id, text="psst")


async def test_thread_outlives_its_first_message(
    server: SlackServer, client: AsyncWebClient, general: Channel, ann: User
) -> None:
    root, lonely = (server.workspace.post(general, ann, text) for text in ("question", "hm"))
    where: dict[str, Any] = {"channel": general.id, "thread_ts": root.ts}
    await client.chat_postMessage(**where, text="one")
    for message in (root, lonely):
        server.workspace.delete(message)
    await client.chat_postMessage(**where, text="two")
    thread = (await client.conversations_replies(channel=general.id, ts=root.ts))["messages"]
    assert [each.get("subtype") for each in thread] == ["tombstone", None, None]
    assert server.workspace.visible(general) == ["one", "two"]
    with pytest.raises(SlackApiError, match="thread_not_found"):
        await client.chat_postMessage(channel=general.id, thread_ts=lonely.ts, text="x")


@pytest.mark.parametrize(
    ("kind", "with_bot", "archived", "error"),
    [
        ("private", False, False, "channel_not_found"),
        ("public", False, False, "not_in_channel"),
        ("public", True, True, "is_archived"),
    ],
)
async def test_bot_writes_only_where_it_may(
    server: SlackServer,
    client: AsyncWebClient,
    kind: str,
    with_bot: bool,
    archived: bool,
    error: str,
) -> None:
    channel = server.workspace.channel("other", kind=kind, with_bot=with_bot)
    channel.archived = archived
    with pytest.raises(SlackApiError, match=error):
        await client.chat_postMessage(channel=channel.id, text="x")


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"text": "x" * 4001}, "msg_too_long"),
        ({"markdown_text": "x" * 12_001}, "msg_too_long"),
        ({"text": ""}, "no_text"),
    ],
)
async def test_message_says_something_and_not_too_much(
    client: AsyncWebClient, general: Channel, given: dict[str, str], error: str
) -> None:
    with pytest.raises(SlackApiError, match=error):
        await client.api_call("chat.postMessage", json={"channel": general.id, **given})


async def test_metadata_without_its_form_is_a_violation(
    server: SlackServer, client: AsyncWebClient, general: Channel
) -> None:
    with pytest.raises(SlackApiError, match="invalid_metadata_format"):
        await client.chat_postMessage(channel=general.id, text="x", metadata={"id": "42"})
    assert "metadata" in server.violations.pop()


async def test_reactions_come_and_go_once(
    server: SlackServer, client: AsyncWebClient, general: Channel, ann: User
) -> None:
    message = server.workspace.post(general, ann, "x")
    where = {"channel": general.id, "timestamp": message.ts}
    await client.reactions_add(**where, name="eyes")
    assert message.reactions == {"eyes": [server.workspace.bot.id]}
    with pytest.raises(SlackApiError, match="already_reacted"):
        await client.reactions_add(**where, name="eyes")
    await client.reactions_remove(**where, name="eyes")
    with pytest.raises(SlackApiError, match="no_reaction"):
        await client.reactions_remove(**where, name="eyes")
    assert message.reactions == {}


async def test_status_is_seen_until_the_message_or_for_two_minutes(
    server: SlackServer, client: AsyncWebClient, general: Channel, ann: User, clock: StoppedClock
) -> None:
    root = server.workspace.post(general, ann, "question")
    where: dict[str, Any] = {"channel_id": general.id, "thread_ts": root.ts}
    for _ in range(2):
        await client.assistant_threads_setStatus(**where, status="is thinking…")
        assert server.workspace.status(general, root.ts) == "is thinking…"
        await client.chat_postMessage(channel=general.id, thread_ts=root.ts, text="x")
        assert server.workspace.status(general, root.ts) == ""
    await client.assistant_threads_setStatus(**where, status="is thinking…")
    clock.advance(120)
    assert server.workspace.status(general, root.ts) == ""


async def test_thread_gets_a_title_and_prompts(
    server: SlackServer, client: AsyncWebClient, general: Channel, ann: User
) -> None:
    root = server.workspace.post(general, ann, "question")
    prompt = {"title": "Try", "message": "Hello"}
    await client.assistant_threads_setTitle(channel_id=general.id, thread_ts=root.ts, title="Hi")
    await client.assistant_threads_setSuggestedPrompts(
        channel_id=general.id, thread_ts=root.ts, prompts=[prompt]
    )
    assert server.workspace.titles == {(general.id, root.ts): "Hi"}
    assert server.workspace.prompts == {(general.id, root.ts): [prompt]}


async def test_until_returns_when_the_state_has_come(
    server: SlackServer, client: AsyncWebClient, general: Channel
) -> None:
    heard: list[tuple[str, str]] = []
    server.workspace.watchers.append(lambda what, message: heard.append((what, message.text)))
    posted = await client.chat_postMessage(channel=general.id, text="one")
    await client.chat_update(channel=general.id, ts=posted["ts"], text="two")
    await server.workspace.until(lambda: server.workspace.visible(general) == ["two"])
    assert heard == [("message", "one"), ("message_changed", "two")]
    with pytest.raises(TimeoutError):
        await server.workspace.until(lambda: False, seconds=0.01)
