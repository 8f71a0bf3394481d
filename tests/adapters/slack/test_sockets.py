"""Socket Mode: whatever becomes of the connections, no message is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from adapters.slack import sockets
from bot.errors import ConfigError
from bot.ports import Adapter
from tests.adapters.fake_core import FakeCore
from tests.adapters.slack.conftest import HastyClock, Make, adapter_on, read, running, texts
from tests.slack_server import Drop, Fail, Hang, page
from tests.slack_server.people import Person
from tests.slack_server.server import Tokens
from tests.slack_server.slack import Slack

MANY = 60


@pytest.fixture
def ann(slack: Slack) -> Person:
    return slack.person("ann")


async def open_sockets(slack: Slack, number: int = 2) -> None:
    """Return when so many are open."""
    await slack.workspace.until(lambda: len(slack.delivery.sockets.live) == number)


async def test_two_sockets_are_open_by_default(slack: Slack, adapter: Adapter) -> None:
    async with running(adapter):
        await open_sockets(slack)
        assert not adapter.trouble


async def hastily(seconds: float) -> None:
    """Slack waits a second for an acknowledgement, and not much longer before it tries again."""
    await asyncio.sleep(seconds / 3 if seconds <= 3 else seconds / 60)


async def refreshed(slack: Slack) -> None:
    """Slack wants all connections to be replaced."""
    await slack.delivery.sockets.disconnect()


async def warned(slack: Slack) -> None:
    """Slack will want that soon."""
    await slack.delivery.sockets.disconnect("warning")


async def dropped(slack: Slack) -> None:
    """All connections are cut."""
    for socket in tuple(slack.delivery.sockets.live):
        socket.drop()


async def closed(slack: Slack) -> None:
    """Slack closes all connections."""
    for socket in tuple(slack.delivery.sockets.live):
        await socket.close()


@pytest.mark.parametrize("happens", [refreshed, warned, dropped, closed])
async def test_no_message_is_lost_or_heard_twice_when_connections_end(
    slack: Slack,
    adapter: Adapter,
    ann: Person,
    monkeypatch: pytest.MonkeyPatch,
    happens: Callable[[Slack], object],
) -> None:
    monkeypatch.setattr(sockets, "GRACE", 0.05)
    slack.delivery._sleep = hastily
    async with running(adapter) as core:
        await open_sockets(slack)
        for number in range(MANY):
            ann.says(ann.im, f"{number}")
            if number % 15 == 10:
                await happens(slack)  # type: ignore[misc]
                await asyncio.sleep(0)
        await read(slack, core)
        assert sorted(texts(core), key=int) == [f"{number}" for number in range(MANY)]
        assert not slack.delivery.losses
        await open_sockets(slack)


async def test_connection_that_is_replaced_is_listened_to_until_then(
    slack: Slack, make: Make, ann: Person
) -> None:
    async with running(make(sockets=1)) as core:
        await open_sockets(slack, 1)
        hang = Hang()
        slack.fails("apps.connections.open", hang)
        await warned(slack)
        await slack.workspace.until(
            lambda: len(slack.workspace.called("apps.connections.open")) == 2
        )
        ann.says(ann.im, "Hello")
        await core.heard("Hello")
        await slack.delivery.settled()
        hang.until.set()


async def test_connection_behind_which_nobody_is_any_more_is_replaced(
    slack: Slack, make: Make, ann: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "HEARTBEAT", 0.1)
    async with running(make(sockets=1)) as core:
        await open_sockets(slack, 1)
        (deaf,) = slack.delivery.sockets.live
        deaf.deaf = True
        await slack.workspace.until(lambda: slack.delivery.sockets.opened == 2)
        ann.says(ann.im, "Hello")
        await core.heard("Hello")


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (Fail("invalid_auth"), "SLACK_APP_TOKEN"),
        (Fail("not_allowed_token_type"), "SLACK_APP_TOKEN"),
        (Fail("missing_scope"), "connections:write"),
        (Fail("forbidden_team"), "Socket Mode"),
        (Fail(retry_after=1), "asks to wait"),
        (page("Bad Gateway"), "out of reach"),
        (Drop(), "out of reach"),
    ],
    ids=str,
)
async def test_what_is_wrong_is_said_once_and_outlived(
    slack: Slack,
    adapter: Adapter,
    ann: Person,
    capsys: pytest.CaptureFixture[str],
    fault: Fail | Drop,
    sentence: str,
) -> None:
    slack.fails("apps.connections.open", fault, times=1000)
    async with running(adapter) as core:
        await slack.workspace.until(
            lambda: len(slack.workspace.called("apps.connections.open")) > 4
        )
        assert sentence in adapter.trouble
        slack.faults.clear()
        ann.says(ann.im, "Hello")
        await core.heard("Hello")
        assert not adapter.trouble
    assert capsys.readouterr().err.count(sentence) == 1


async def test_socket_mode_that_is_turned_off_is_said_and_outlived(
    slack: Slack, adapter: Adapter, capsys: pytest.CaptureFixture[str]
) -> None:
    async with running(adapter):
        await open_sockets(slack)
        await slack.delivery.sockets.disconnect("link_disabled")
        await slack.workspace.until(lambda: slack.delivery.sockets.opened == 4)
        await open_sockets(slack)
    assert "Socket Mode was turned off" in capsys.readouterr().err


async def test_start_without_a_network_waits_for_it(
    slack: Slack, adapter: Adapter, ann: Person, capsys: pytest.CaptureFixture[str]
) -> None:
    slack.fails("auth.test", Drop(), times=1000)
    ann.says(ann.im, "Hello")
    async with running(adapter) as core:
        await slack.workspace.until(lambda: len(slack.workspace.called("auth.test")) > 2)
        assert "out of reach" in adapter.trouble
        slack.faults.clear()
        await core.heard("Hello")
        await read(slack, core)
        assert not adapter.trouble
    assert capsys.readouterr().err.count("out of reach") == 1


@pytest.mark.parametrize("code", ["invalid_auth", "account_inactive", "token_revoked"])
async def test_refused_token_ends_the_program_with_a_sentence(slack: Slack, code: str) -> None:
    adapter = adapter_on(slack, HastyClock())
    slack.fails("auth.test", Fail(code))
    with pytest.raises(ConfigError, match=r"SLACK_BOT_TOKEN|install it again"):
        await adapter.run(FakeCore(adapter))
    await adapter.close()


async def test_token_of_another_workspace_is_refused(slack: Slack) -> None:
    adapter = adapter_on(slack)
    slack.tokens = Tokens(bot="xoxb-another")
    with pytest.raises(ConfigError, match="SLACK_BOT_TOKEN"):
        await adapter.run(FakeCore(adapter))
    await adapter.close()


async def test_what_is_no_envelope_does_no_harm(slack: Slack, adapter: Adapter) -> None:
    ann = slack.person("ann")
    async with running(adapter) as core:
        await open_sockets(slack)
        for socket in slack.delivery.sockets.live:
            for text in ("", "text", "[]", "[" * 100_000, "7", '{"type": "hello"}', "{}"):
                await socket.ws.send_str(text)
            await socket.ws.send_bytes(b"\x00\xff")
        ann.says(ann.im, "Hello")
        await core.heard("Hello")
        await open_sockets(slack)
