"""What `tunebot check` finds at Slack."""

from __future__ import annotations

import pytest

from adapters.slack.checks import scopes
from adapters.slack.manifest import SCOPES
from bot.ports import Adapter, Check
from tests.adapters.slack.conftest import Make
from tests.slack_server import Drop, Fail
from tests.slack_server.slack import Slack


def by_name(checks: object) -> dict[str, Check]:
    """The lines by what was tried."""
    assert isinstance(checks, list)
    return {check.what: check for check in checks}


async def test_a_working_app_is_said_to_work(slack: Slack, adapter: Adapter) -> None:
    found = by_name(await adapter.check())
    assert all(check.works for check in found.values())
    assert found["adapter slack"].found == "answers as @tunebot in the workspace tune"
    assert found["slack scopes"].found == "all that are needed"
    assert "opens one" in found["slack socket"].found
    assert not slack.delivery.sockets.opened


@pytest.mark.parametrize("code", ["invalid_auth", "account_inactive", "token_revoked"])
async def test_a_wrong_bot_token_names_what_to_do(
    slack: Slack, adapter: Adapter, code: str
) -> None:
    slack.fails("auth.test", Fail(code))
    (check,) = await adapter.check()
    assert not check.works
    assert "SLACK_BOT_TOKEN" in check.found or "install it again" in check.found


async def test_a_slack_out_of_reach_is_said_to_be(slack: Slack, adapter: Adapter) -> None:
    slack.fails("auth.test", Drop(), times=9)
    (check,) = await adapter.check()
    assert not check.works
    assert "api_url and the network" in check.found


@pytest.mark.parametrize("code", ["invalid_auth", "missing_scope", "not_allowed_token_type"])
async def test_a_wrong_app_token_names_what_to_do(
    slack: Slack, adapter: Adapter, code: str
) -> None:
    slack.fails("apps.connections.open", Fail(code))
    check = by_name(await adapter.check())["slack socket"]
    assert not check.works
    assert "SLACK_APP_TOKEN" in check.found
    assert "connections:write" in check.found


async def test_http_mode_says_where_slack_must_call(make: Make) -> None:
    found = by_name(await make(mode="http").check())
    assert all(check.works for check in found.values())
    assert "/slack" in found["slack request URL"].found
    assert "slack socket" not in found


def test_missing_scopes_are_named() -> None:
    check = scopes("slack", frozenset(SCOPES) - {"reactions:read", "im:write"} | {"extra"})
    assert not check.works
    assert check.found.startswith("missing: im:write, reactions:read; add them")


def test_scopes_that_slack_does_not_tell_are_no_fault() -> None:
    assert scopes("slack", frozenset()).works
