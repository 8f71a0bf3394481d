"""HTTP mode: Slack posts to a door of the HTTP adapter, and is answered once we have it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bot.errors import StoreBusy
from bot.ports import Adapter, Knock
from tests.adapters.fake_core import FakeCore
from tests.adapters.http.stage import serving
from tests.adapters.slack.conftest import Core, Make, read, running, texts
from tests.clock import StoppedClock
from tests.slack_server.http_events import RequestUrl, Signature
from tests.slack_server.people import Person
from tests.slack_server.slack import Slack

FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.fixture
def adapter(make: Make) -> Adapter:
    return make(mode="http")


@pytest.fixture
def ann(slack: Slack) -> Person:
    return slack.person("ann")


@asynccontextmanager
async def posting(slack: Slack, adapter: Adapter) -> AsyncIterator[RequestUrl]:
    """Slack posts to the door of an adapter, on the server of the real HTTP adapter."""

    def with_doors(http: Adapter) -> FakeCore:
        core = FakeCore(http)
        core.doors = adapter.doors
        return core

    async with serving(with_doors) as server:
        yield slack.delivery.posts_to(f"{server.adapter.address}slack")


async def test_events_commands_and_presses_come_through_one_door(
    slack: Slack, adapter: Adapter, ann: Person
) -> None:
    async with posting(slack, adapter) as url, running(adapter) as core:
        await core.begun.wait()
        assert await url.verify()
        ann.says(ann.im, "Hello")
        ann.slash("/tunebot", "/help what a payload is")
        await core.heard("Hello")
        await core.heard("/help what a payload is")
        await read(slack, core)
        assert set(url.statuses) == {200}


async def test_store_that_fails_is_no_acknowledgement(
    slack: Slack, patience: StoppedClock, adapter: Adapter, ann: Person
) -> None:
    core = Core(adapter)
    async with posting(slack, adapter) as url, running(adapter, core=core):
        await core.begun.wait()
        core.shelf_failures = [StoreBusy("The database is busy.")] * 2
        ann.says(ann.im, "Hello")
        await slack.workspace.until(lambda: len(url.statuses) == 2)
        assert url.statuses == [503, 503], "Slack tries again at once"
        await patience.asleep()
        patience.advance(60)
        await core.heard("Hello")
        await read(slack, core)
        assert texts(core) == ["Hello"]


async def test_event_posted_again_is_heard_once(
    slack: Slack, adapter: Adapter, ann: Person
) -> None:
    async with posting(slack, adapter) as url, running(adapter) as core:
        await core.begun.wait()
        message = ann.says(ann.im, "Hello")
        await core.heard("Hello")
        slack.delivery.again(message)
        slack.delivery.again(message, under_another_id=True)
        await read(slack, core)
        assert texts(core) == ["Hello"]
        assert set(url.statuses) == {200}


@pytest.mark.parametrize("forged", [Signature("another secret"), Signature("", age=0)])
async def test_who_does_not_know_the_secret_is_refused(
    slack: Slack, adapter: Adapter, ann: Person, forged: Signature
) -> None:
    async with posting(slack, adapter) as url, running(adapter) as core:
        await core.begun.wait()
        url.signature = forged
        ann.slash("/tunebot", "/help")
        await slack.delivery.settled()
        assert url.statuses == [401]
        assert not core.received


async def test_door_is_closed_until_the_adapter_listens(adapter: Adapter) -> None:
    (door,) = adapter.doors
    assert (await door.opens(Knock({}, b"{}"))).status == 503


def test_socket_mode_has_no_door(make: Make) -> None:
    assert not make().doors


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"content-type": "application/json"}, b"[" * 100_000),
        ({"content-type": "application/json"}, b"\xff\x00"),
        ({"content-type": "application/json"}, b"[]"),
        ({"content-type": "application/json; charset=utf-8"}, b'"text"'),
        (FORM, b"payload=%7B"),
        (FORM, b"payload=[]"),
    ],
)
async def test_what_cannot_be_read_is_kept_aside_and_does_not_come_again(
    adapter: Adapter, headers: dict[str, str], body: bytes
) -> None:
    (door,) = adapter.doors
    async with running(adapter) as core:
        await core.begun.wait()
        assert (await door.opens(Knock(headers, body))).status == 200
        assert core.aside == [body.decode(errors="replace")]


async def test_certificate_check_of_slack_is_answered(adapter: Adapter) -> None:
    (door,) = adapter.doors
    async with running(adapter) as core:
        await core.begun.wait()
        assert (await door.opens(Knock(FORM, b"ssl_check=1&token=x"))).status == 200
        assert not core.shelf


async def test_who_hangs_up_leaves_behind_what_has_begun(adapter: Adapter, ann: Person) -> None:
    going = asyncio.Event()

    class SlowCore(Core):
        """Commits nothing until it is let go."""

        async def shelve(self, *given: Any) -> Any:
            await going.wait()
            return await super().shelve(*given)

    (door,) = adapter.doors
    core = SlowCore(adapter)
    async with running(adapter, core=core):
        await core.begun.wait()
        message = {"type": "message", "channel": ann.im.id, "user": ann.id, "ts": "1.0"}
        event = {**message, "text": "Hello", "channel_type": "im"}
        body = {"type": "event_callback", "team_id": "T1", "event_id": "Ev1", "event": event}
        knock = Knock({"content-type": "application/json"}, json.dumps(body).encode())
        knocking = asyncio.ensure_future(door.opens(knock))
        await asyncio.sleep(0)
        knocking.cancel()
        await asyncio.wait([knocking])
        going.set()
        await core.heard("Hello")
