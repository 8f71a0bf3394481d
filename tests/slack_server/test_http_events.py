"""HTTP mode, with the real slack-bolt behind the request URL."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond

from tests.clock import StoppedClock
from tests.ending import end
from tests.slack_server.bolt import bolt, served
from tests.slack_server.http_events import Signature
from tests.slack_server.slack import Slack

Handler = Callable[[web.Request], Awaitable[web.Response]]


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock(time.time())  # Bolt holds the timestamps against its own clock


@pytest.fixture
async def app(slack: Slack) -> AsyncIterator[AsyncApp]:
    async with bolt(slack) as app:
        yield app


@asynccontextmanager
async def answering(handler: Handler) -> AsyncIterator[str]:
    """A request URL without Bolt."""
    bot = web.Application()
    bot.router.add_post("/", handler)
    runner = web.AppRunner(bot, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    await end(runner)


async def test_event_is_taken_by_bolt(slack: Slack, app: AsyncApp) -> None:
    ann, heard = slack.person("ann"), []

    @app.event("message")
    async def hear(event: dict[str, Any]) -> None:
        heard.append(event["text"])

    async with served(app) as url:
        slack.delivery.posts_to(url)
        ann.says(ann.im, "hello")
        await slack.delivery.settled()
    assert heard == ["hello"]
    assert slack.delivery.acknowledgements == [0]


async def test_command_and_press_come_as_forms(slack: Slack, app: AsyncApp) -> None:
    ann = slack.person("ann")
    general = slack.workspace.channel("general", [ann.user])

    @app.command("/finetune")
    async def finetune(ack: AsyncAck, command: dict[str, Any], respond: AsyncRespond) -> None:
        await ack(f"Looking for {command['text']} …")
        await respond(response_type="in_channel", text="ready", blocks=[BUTTON])

    @app.action("cancel")
    async def cancel(ack: AsyncAck, body: dict[str, Any], respond: AsyncRespond) -> None:
        await ack()
        await respond(replace_original=True, text=f"cancelled by {body['user']['name']}")

    async with served(app) as url:
        slack.delivery.posts_to(url)
        ann.slash("/finetune", "ft & 1", general)
        await slack.workspace.until(lambda: slack.workspace.messages(general))
        await slack.delivery.settled()
        (job,) = slack.workspace.messages(general)
        ann.press(job, "Cancel")
        await slack.workspace.until(lambda: job.text == "cancelled by ann")
        await slack.delivery.settled()
    assert [each.text for each in slack.workspace.ephemeral(ann.user)] == ["Looking for ft & 1 …"]
    assert not slack.delivery.losses


BUTTON = {
    "type": "actions",
    "elements": [
        {
            "type": "button",
            "action_id": "cancel",
            "text": {"type": "plain_text", "text": "Cancel"},
            "value": "ft-1",
        }
    ],
}


async def test_request_url_proves_itself(slack: Slack, app: AsyncApp) -> None:
    async with served(app) as url:
        assert await slack.delivery.posts_to(url).verify()


@pytest.mark.parametrize(
    "signature",
    [Signature("not the secret"), Signature("8f742231b10e8888abcd99yyyzzz85a5", age=301)],
    ids=["wrong", "old"],
)
async def test_request_that_may_be_forged_is_refused_by_bolt(
    slack: Slack, app: AsyncApp, signature: Signature
) -> None:
    ann = slack.person("ann")
    async with served(app) as url:
        request_url = slack.delivery.posts_to(url)
        request_url.signature = signature
        ann.slash("/finetune")
        await slack.delivery.settled()
        assert request_url.statuses == [401]
    assert slack.delivery.losses


FAILED = ["http_error", "http_error"]


async def test_event_that_fails_comes_again_with_number_and_reason(
    slack: Slack, clock: StoppedClock
) -> None:
    ann, tries = slack.person("ann"), []

    async def fail_twice(request: web.Request) -> web.Response:
        tries.append(
            (request.headers.get("X-Slack-Retry-Num"), request.headers.get("X-Slack-Retry-Reason"))
        )
        return web.Response(status=200 if len(tries) == 3 else 503)

    async with answering(fail_twice) as url:
        slack.delivery.posts_to(url)
        ann.says(ann.im, "hello")
        (payload,) = slack.delivery.payloads
        await slack.workspace.until(lambda: [each.failed for each in payload.attempts] == FAILED)
        await clock.asleep()
        clock.advance(60)
        await slack.delivery.settled()
    assert tries == [(None, None), ("1", "http_error"), ("2", "http_error")]


async def test_event_that_the_bot_wants_no_more_does_not_come_again(slack: Slack) -> None:
    ann = slack.person("ann")

    async def refuse(_: web.Request) -> web.Response:
        return web.Response(status=500, headers={"X-Slack-No-Retry": "1"})

    async with answering(refuse) as url:
        slack.delivery.posts_to(url)
        ann.says(ann.im, "hello")
        await slack.delivery.settled()
    (payload,) = slack.delivery.losses
    assert len(payload.attempts) == 1


async def test_answer_after_three_seconds_is_too_late(slack: Slack, clock: StoppedClock) -> None:
    ann, never, come = slack.person("ann"), asyncio.Event(), asyncio.Event()

    async def hang_once(request: web.Request) -> web.Response:
        if "X-Slack-Retry-Num" not in request.headers:
            come.set()
            await never.wait()
        return web.Response(text=request.headers.get("X-Slack-Retry-Reason", ""))

    async with answering(hang_once) as url:
        slack.delivery.posts_to(url)
        ann.says(ann.im, "hello")
        await come.wait()
        clock.advance(3)
        await slack.delivery.settled()
        never.set()
    (payload,) = slack.delivery.payloads
    assert payload.outcome == "acknowledged"
    assert payload.answer == {"text": "http_timeout"}


async def test_bot_that_is_not_there_is_a_failed_connection(slack: Slack) -> None:
    ann = slack.person("ann")
    slack.delivery.posts_to("http://127.0.0.1:9/")
    ann.says(ann.im, "hello")
    (payload,) = slack.delivery.payloads
    await slack.workspace.until(lambda: len(payload.attempts) == 2)
    assert payload.attempts[1].reason == "connection_failed"
