"""Modals open while the trigger is fresh; home tabs stand until they are published again."""

from __future__ import annotations

from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from tests.clock import StoppedClock
from tests.slack_server import SlackServer, User

TITLE = {"type": "plain_text", "text": "Start"}
MODAL: dict[str, Any] = {"type": "modal", "title": TITLE, "blocks": [{"type": "divider"}]}
HOME: dict[str, Any] = {"type": "home", "blocks": [{"type": "divider"}]}


async def test_trigger_is_good_once_and_for_three_seconds(
    server: SlackServer, client: AsyncWebClient, ann: User, clock: StoppedClock
) -> None:
    trigger = server.workspace.trigger(ann)
    clock.advance(3)
    await client.views_open(trigger_id=trigger, view=MODAL)
    with pytest.raises(SlackApiError, match="exchanged_trigger_id"):
        await client.views_open(trigger_id=trigger, view=MODAL)
    late = server.workspace.trigger(ann)
    clock.advance(3.1)
    with pytest.raises(SlackApiError, match="expired_trigger_id"):
        await client.views_open(trigger_id=late, view=MODAL)
    with pytest.raises(SlackApiError, match="invalid_trigger_id"):
        await client.views_open(trigger_id="12345.98765.abcd", view=MODAL)
    assert [view.view for view in server.workspace.stack(ann)] == [MODAL]


async def test_modals_stand_on_each_other_and_change(
    server: SlackServer, client: AsyncWebClient, ann: User
) -> None:
    with pytest.raises(SlackApiError, match="not_found"):
        await client.views_push(trigger_id=server.workspace.trigger(ann), view=MODAL)
    opened = await client.views_open(trigger_id=server.workspace.trigger(ann), view=MODAL)
    for _ in range(2):
        await client.views_push(trigger_id=server.workspace.trigger(ann), view=MODAL)
    with pytest.raises(SlackApiError, match="push_limit_reached"):
        await client.views_push(trigger_id=server.workspace.trigger(ann), view=MODAL)
    first, second, _ = server.workspace.stack(ann)
    assert second.json()["previous_view_id"] == first.id == opened["view"]["id"]
    named = {**MODAL, "external_id": "start"}
    changed = await client.views_update(view_id=first.id, hash=first.hash, view=named)
    with pytest.raises(SlackApiError, match="hash_conflict"):
        await client.views_update(view_id=first.id, hash=opened["view"]["hash"], view=MODAL)
    assert changed["view"]["hash"] == first.hash
    await client.views_update(external_id="start", view=MODAL)
    server.workspace.hide(first)
    with pytest.raises(SlackApiError, match="not_found"):
        await client.views_update(view_id=first.id, view=MODAL)


async def test_home_tab_stands_until_it_is_published_again(
    server: SlackServer, client: AsyncWebClient, ann: User
) -> None:
    first = (await client.views_publish(user_id=ann.id, view=HOME))["view"]
    await client.views_publish(user_id=ann.id, view={**HOME, "private_metadata": "2"})
    home = server.workspace.homes[ann.id]
    assert (home.id, home.view["private_metadata"]) == (first["id"], "2")
    with pytest.raises(SlackApiError, match="hash_conflict"):
        await client.views_publish(user_id=ann.id, view=HOME, hash=first["hash"])


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"type": "home"}, "is 'home' and not 'modal'"),
        ({"title": {"type": "plain_text", "text": "x" * 25}}, "title is longer than 24"),
        ({"private_metadata": "x" * 3_001}, "private_metadata is longer than 3000"),
        ({"colour": "red"}, "colour is unknown"),
        ({"blocks": [{"type": "divider"}] * 101}, "101 blocks"),
        ({"blocks": [{"type": "markdown", "text": "x"}]}, "markdown is no block of a modal"),
        ({"blocks": {}}, "has no blocks"),
        (
            {
                "blocks": [
                    {
                        "type": "input",
                        "label": TITLE,
                        "element": {"type": "plain_text_input", "action_id": "a"},
                    }
                ]
            },
            "no submit",
        ),
    ],
)
async def test_view_that_slack_does_not_take_is_a_violation(
    server: SlackServer, client: AsyncWebClient, ann: User, change: dict[str, Any], wrong: str
) -> None:
    with pytest.raises(SlackApiError, match="invalid_"):
        await client.views_open(trigger_id=server.workspace.trigger(ann), view={**MODAL, **change})
    assert wrong in server.violations.pop()
    assert server.workspace.stack(ann) == []
