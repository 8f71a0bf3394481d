"""What Slack answers is told apart: what it refuses, when it asks to wait, what nobody knows."""

from __future__ import annotations

import socket

import pytest

from adapters.slack.api import Api
from adapters.slack.failures import Lost, RateLimited, SlackRefused, TokenRefused, Unreached
from bot.errors import DeliveryError, DeliveryRefused
from tests.adapters.slack.desk import Desk, desk
from tests.slack_server import Drop, Fail, Fault, Hang, Raw, page


async def post(slack: Desk) -> str:
    """Say something."""
    return await slack.account.api.post(slack.general.id, "Hello", [])


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fail("is_archived"), SlackRefused),
        (Fail("something_new"), SlackRefused),
        (Fail("invalid_auth"), TokenRefused),
        (Fail("token_expired"), TokenRefused),
        (Fail(retry_after=3), RateLimited),
        (Fail("rate_limited"), RateLimited),
        (Fail("internal_error"), Lost),
        (Fail("fatal_error", status=500), Lost),
        (Fail("service_unavailable", status=503), Lost),
        (page("Bad gateway"), Lost),
        (page("The proxy forbids it", 403), Unreached),
        (Raw(b"<html>", content_type="text/html"), Lost),
        (Raw(b'{"ok": true}'), Lost),
        (Raw(b"[[1]]"), Lost),
        (Raw(b'"text"'), Lost),
        (Drop(), Lost),
        (Drop(after=True), Lost),
    ],
)
async def test_failures_are_told_apart(fault: Fault, kind: type[DeliveryError]) -> None:
    async with desk() as slack:
        slack.server.fails("chat.postMessage", fault)
        with pytest.raises(DeliveryError) as raised:
            await post(slack)
        assert type(raised.value) is kind
        assert raised.value.__cause__ is None
        assert slack.server.tokens.bot not in repr(raised.value)
        assert await post(slack)


async def test_wait_that_slack_asks_for_is_told() -> None:
    async with desk() as slack:
        slack.server.fails("chat.postMessage", Fail(retry_after=7))
        with pytest.raises(DeliveryError) as raised:
            await post(slack)
        assert raised.value.retry_after == 7


async def test_answer_that_takes_too_long_is_lost() -> None:
    async with desk(patience=0.1) as slack:
        slack.server.fails("chat.postMessage", Hang())
        with pytest.raises(Lost):
            await post(slack)


async def test_server_that_is_not_there_is_not_reached() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        api = Api(f"http://127.0.0.1:{closed.getsockname()[1]}/api/", "xoxb-secret", 5)
        with pytest.raises(Unreached):
            await api.auth_test()
        with pytest.raises(Unreached):
            await api.respond(f"http://127.0.0.1:{closed.getsockname()[1]}/x", {"text": "Hello"})
        await api.close()
        assert "secret" not in repr(api)


async def test_lacking_scope_is_named_with_what_to_do() -> None:
    async with desk() as slack:
        body = b'{"ok": false, "error": "missing_scope", "needed": "chat:write"}'
        slack.server.fails("chat.postMessage", Raw(body))
        with pytest.raises(DeliveryRefused, match=r"lacks the scope chat:write: add it"):
            await post(slack)


async def test_response_url_that_is_used_up_is_refused() -> None:
    async with desk() as slack:
        url, _ = slack.server.delivery.responses.give(slack.general, slack.ann)
        for _ in range(5):
            await slack.account.api.respond(url, {"text": "Hello"})
        with pytest.raises(SlackRefused) as raised:
            await slack.account.api.respond(url, {"text": "Hello"})
        assert raised.value.code == "used_url"
        with pytest.raises(SlackRefused):
            await slack.account.api.respond(f"{slack.server.url}/nowhere", {"text": "Hello"})
