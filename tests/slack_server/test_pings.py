"""Whatever in the bot's text would wake people or mislead them is noticed, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slack_sdk.web.async_client import AsyncWebClient

from tests.slack_server import Channel, SlackServer, User
from tests.slack_server.pings import acts
from tests.slack_server.text import escaped


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("<!channel>", "channel"),
        ("<!here|here>", "here"),
        ("`<!everyone>`", "everyone"),
        ("```\n<!subteam^S012>\n```", "subteam"),
        ("hi <@U012>", "user"),
        ("<@W012|ann>", "user"),
        ("< <!channel>", "channel"),
        ("<https://evil.com|https://bank.com/login>", "link"),
        ("<https://evil.com|bank.com>", "link"),
    ],
)
@pytest.mark.parametrize("kind", ["mrkdwn", "markdown"])
def test_text_that_slack_acts_on(kind: str, text: str, what: str) -> None:
    assert [each for each, _ in acts(kind, text)] == [what]


@pytest.mark.parametrize(
    ("text", "lies"),
    [
        ("[https://bank.com](https://evil.com)", True),
        ("[**www.bank.com**](https://evil.com)", True),
        ("[bank.com](<https://evil.com/bank.com>)", True),
        ("[bank.com](https://www.bank.com/login)", False),
        ("[main.py](https://github.com/a/b/main.py)", False),
        ("[the bank](https://evil.com)", False),
    ],
)
def test_markdown_link_that_shows_another_address(text: str, lies: bool) -> None:
    assert bool([*acts("markdown", text)]) is lies


@pytest.mark.parametrize(
    "text",
    ["&lt;!channel&gt;", "@channel", "a <b> c", "<#C012>", "<https://a.com>", "<https://a.com|a>"],
)
def test_text_that_slack_leaves_alone(text: str) -> None:
    assert not [*acts("mrkdwn", text)]


def test_names_are_found_only_where_the_bot_asks_for_it() -> None:
    assert [*acts("mrkdwn", "@here and ann@here.com", names=True)] == [("here", "@here")]


@given(st.text(alphabet="<>!@&|^ channelU012") | st.text())
def test_escaped_text_wakes_nobody(text: str) -> None:
    assert not [*acts("mrkdwn", escaped(text))]


PLAIN = {"type": "plain_text", "text": "<!channel>"}
MRKDWN = {"type": "mrkdwn", "text": "<!channel>"}


@pytest.mark.parametrize(
    ("block", "pings"),
    [
        ({"type": "markdown", "text": "<!channel>"}, ["channel"]),
        ({"type": "section", "text": MRKDWN}, ["channel"]),
        ({"type": "section", "fields": [MRKDWN]}, ["channel"]),
        ({"type": "context", "elements": [MRKDWN]}, ["channel"]),
        ({"type": "section", "text": PLAIN}, []),
        ({"type": "header", "text": PLAIN}, []),
    ],
)
async def test_blocks_act_by_the_type_of_their_texts(
    server: SlackServer,
    client: AsyncWebClient,
    general: Channel,
    block: dict[str, Any],
    pings: list[str],
) -> None:
    await client.chat_postMessage(channel=general.id, text="x", blocks=[block])
    assert [ping.what for ping in server.workspace.pings] == pings


@pytest.mark.parametrize(
    ("element", "pings"),
    [
        ({"type": "text", "text": "<!channel>"}, []),
        ({"type": "broadcast", "range": "here"}, ["here"]),
        ({"type": "user", "user_id": "U012"}, ["user"]),
        ({"type": "usergroup", "usergroup_id": "S012"}, ["subteam"]),
        ({"type": "link", "url": "https://evil.com", "text": "https://bank.com"}, ["link"]),
    ],
)
async def test_rich_text_acts_by_its_elements(
    server: SlackServer,
    client: AsyncWebClient,
    general: Channel,
    element: dict[str, Any],
    pings: list[str],
) -> None:
    section = {"type": "rich_text_section", "elements": [element]}
    blocks = [{"type": "rich_text", "elements": [section]}]
    await client.chat_postMessage(channel=general.id, text="x", blocks=blocks)
    assert [ping.what for ping in server.workspace.pings] == pings


async def test_ping_is_noticed_when_it_is_put_together_in_a_stream_and_told_once(
    server: SlackServer, client: AsyncWebClient, general: Channel, ann: User
) -> None:
    root = server.workspace.post(general, ann, "<!channel> question")
    stream = await client.chat_startStream(
        channel=general.id,
        thread_ts=root.ts,
        recipient_team_id=server.workspace.team,
        recipient_user_id=ann.id,
        markdown_text="Hello <!cha",
    )
    assert server.workspace.pings == []
    for text in ("nnel>", " and more"):
        await client.chat_appendStream(channel=general.id, ts=stream["ts"], markdown_text=text)
    (ping,) = server.workspace.pings
    assert (ping.what, ping.written, ping.ts) == ("channel", "<!channel>", stream["ts"])


async def test_ping_in_an_update_is_noticed_and_in_an_ephemeral_message_not(
    server: SlackServer, client: AsyncWebClient, general: Channel, ann: User
) -> None:
    await client.chat_postEphemeral(channel=general.id, user=ann.id, text="<!channel>")
    posted = await client.chat_postMessage(channel=general.id, text="safe")
    assert server.workspace.pings == []
    await client.chat_update(channel=general.id, ts=posted["ts"], text="@here", link_names=True)
    assert [ping.what for ping in server.workspace.pings] == ["here"]
