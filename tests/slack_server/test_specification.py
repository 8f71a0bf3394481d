"""A call or block that Slack does not describe is refused, and fails the test in the end."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from tests.shared import shared
from tests.slack_server import Channel, SlackServer
from tests.slack_server.methods import METHODS
from tests.slack_server.specification import BLOCKS
from tests.slack_server.specification import METHODS as FILE


@pytest.mark.parametrize(
    ("method", "given", "wrong"),
    [
        ("chat.postMessage", {"text": "x"}, "channel is missing"),
        ("chat.postMessage", {"channel": "C1", "txet": "x"}, "txet is unknown"),
        ("chat.postMessage", {"channel": 7, "text": "x"}, "channel 7 is not of type"),
        ("chat.postMessage", {"channel": "C1", "text": "x", "blocks": "nonsense"}, "blocks is"),
        ("chat.postMessage", {"channel": "C1", "text": "x", "metadata": []}, "metadata is []"),
        ("chat.startStream", {"channel": "C1", "task_display_mode": "list"}, "not one of"),
        ("conversations.replies", {"channel": "C1", "ts": "1.2"}, "takes no JSON"),
        ("chat.postMassage", {}, "not in the Web API"),
    ],
)
async def test_call_that_slack_does_not_describe_is_a_violation(
    server: SlackServer, client: AsyncWebClient, method: str, given: dict[str, Any], wrong: str
) -> None:
    shared(FILE)
    with pytest.raises(SlackApiError, match="invalid_arguments"):
        await client.api_call(method, json=given)
    assert wrong in server.violations.pop()


@pytest.mark.parametrize(
    ("params", "wrong"),
    [
        ({"limit": "many"}, "limit is 'many'"),
        ({"include_all_metadata": "yes"}, "include_all_metadata is 'yes'"),
    ],
)
async def test_form_has_words_for_what_json_has_itself(
    server: SlackServer,
    client: AsyncWebClient,
    general: Channel,
    params: dict[str, str],
    wrong: str,
) -> None:
    shared(FILE)
    with pytest.raises(SlackApiError, match="invalid_arguments"):
        await client.api_call(
            "conversations.history", http_verb="GET", params={"channel": general.id, **params}
        )
    assert wrong in server.violations.pop()


async def test_form_says_the_same_as_json(
    server: SlackServer, client: AsyncWebClient, general: Channel
) -> None:
    divider = '[{"type": "divider"}]'
    data = {"channel": general.id, "text": "x", "blocks": divider, "unfurl_links": "false"}
    await client.api_call("chat.postMessage", data=data)
    (message,) = server.workspace.messages(general)
    assert (message.text, message.blocks) == ("x", [{"type": "divider"}])


async def test_method_that_is_not_imitated_fails_the_test(
    server: SlackServer, client: AsyncWebClient
) -> None:
    with pytest.raises(SlackApiError):
        await client.emoji_list()
    with pytest.raises(AssertionError, match=r"emoji\.list"):
        await server.__aexit__(None)
    server.violations.clear()


async def test_body_that_is_no_json_is_a_violation(server: SlackServer) -> None:
    headers = {"Authorization": f"Bearer {server.tokens.bot}", "Content-Type": "application/json"}
    for body, error in (("{", "invalid_json"), ("[]", "json_not_object")):
        async with (
            aiohttp.ClientSession(headers=headers) as http,
            http.post(f"{server.api_url}chat.postMessage", data=body) as answer,
        ):
            assert (await answer.json())["error"] == error
        assert error in server.violations.pop()


def text(kind: str, length: int) -> dict[str, str]:
    """A text object of that length."""
    return {"type": kind, "text": "x" * length}


BUTTON = {"type": "button", "action_id": "go", "text": text("plain_text", 2)}


@pytest.mark.parametrize(
    ("blocks", "wrong"),
    [
        ([{"type": "divider"}] * 51, "51 blocks"),
        ([{"type": "section", "text": text("mrkdwn", 3_001)}], "longer than 3000"),
        ([{"type": "header", "text": text("plain_text", 151)}], "longer than 150"),
        ([{"type": "markdown", "text": "x" * 7_000}] * 2, "14000 characters of markdown"),
        ([{"type": "actions", "elements": [{**BUTTON, "value": "x" * 2_001}]}], "button.value"),
        ([{"type": "actions", "elements": [BUTTON, BUTTON]}], "action_id go stands twice"),
        ([{"type": "divider", "block_id": "a"}] * 2, "block_id a stands twice"),
        ([{"type": "section"}], "neither text nor fields"),
        ([{"type": "section", "text": text("mrkdwn", 0)}], "empty mrkdwn"),
        (["divider"], "is no block"),
    ],
)
async def test_blocks_that_slack_does_not_take_are_a_violation(
    server: SlackServer, client: AsyncWebClient, general: Channel, blocks: list[Any], wrong: str
) -> None:
    with pytest.raises(SlackApiError, match="blocks"):
        await client.chat_postMessage(channel=general.id, text="x", blocks=blocks)
    assert wrong in server.violations.pop()
    assert server.workspace.visible(general) == []


@pytest.mark.parametrize(
    ("block", "wrong"),
    [
        ({"type": "sectoin", "text": text("mrkdwn", 1)}, "no block of type 'sectoin'"),
        ({"type": "section", "text": text("mrkdwn", 1), "colour": "red"}, "colour"),
        ({"type": "header", "text": text("mrkdwn", 1)}, "plain_text"),
        ({"type": "image", "image_url": "https://a.com/a.png"}, "image: "),
    ],
)
async def test_block_against_its_schema_is_a_violation(
    server: SlackServer,
    client: AsyncWebClient,
    general: Channel,
    block: dict[str, Any],
    wrong: str,
) -> None:
    shared(BLOCKS)
    with pytest.raises(SlackApiError, match="invalid_blocks"):
        await client.chat_postMessage(channel=general.id, text="x", blocks=[block])
    assert wrong in server.violations.pop()


def test_every_method_here_is_one_of_slack() -> None:
    assert METHODS.keys() <= shared(FILE).keys()
