"""The moment in which a message can get lost: what Slack delivers is committed, then acknowledged.

Bolt acknowledges before anybody has done anything, and says 200 where it could not authorize
(facts/slack.md). So everything is put on the core's shelf in `before_authorize`, raw, and read from
there by tasks of ours. Only what must be answered together with its acknowledgement, or within the
three seconds of a trigger, goes on through Bolt: shortcuts and views.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import structlog
from slack_bolt.async_app import AsyncApp, AsyncBoltRequest
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.events import key_of
from bot.errors import StoreError
from bot.messages import RawEvent
from bot.ports import Core

THROUGH_BOLT = frozenset(
    {
        "url_verification",
        "shortcut",
        "message_action",
        "view_submission",
        "view_closed",
        "block_suggestion",
    }
)

log = structlog.get_logger()


class Reception:
    """Takes envelopes, in both modes. `taken` is called with each that is new, once it is on the
    shelf.
    """

    def __init__(
        self,
        name: str,
        core: Core,
        client: AsyncWebClient,
        who: AuthorizeResult,
        taken: Callable[[RawEvent], None],
    ) -> None:
        self._name = name
        self._core = core
        self._taken = taken
        self._committing: set[asyncio.Task[BoltResponse]] = set()

        async def authorize() -> AuthorizeResult:
            """Who the bot is was asked at the start: no call stands before an acknowledgement."""
            return who

        self.app = AsyncApp(
            name=name,
            logger=quiet(),
            client=client,
            authorize=authorize,
            before_authorize=self._before_authorize,
            request_verification_enabled=False,  # a socket needs none, a Door has done it
        )

    async def take(self, payload: Any, raw: str) -> BoltResponse:
        """Take an envelope and say what to answer: nothing but 200 acknowledges it.

        `raw` is kept where nothing can be made of the payload: it would come again for nothing.
        Whoever hangs up leaves behind what has begun.
        """
        request = readable(payload)
        if request is None:
            return await self._whole(self._keep("", raw, aside=True))
        return await self._whole(self.app.async_dispatch(request))

    async def close(self) -> None:
        """End what still runs: Slack delivers again what is not acknowledged."""
        for task in self._committing:
            task.cancel()
        await asyncio.gather(*self._committing, return_exceptions=True)

    async def _whole(self, work: Coroutine[Any, Any, BoltResponse]) -> BoltResponse:
        task = asyncio.create_task(work, name="commit")
        self._committing.add(task)
        task.add_done_callback(self._committing.discard)
        return await asyncio.shield(task)

    async def _before_authorize(
        self,
        body: dict[str, Any],
        next: Callable[[], Awaitable[BoltResponse]],  # noqa: A002  Bolt's name for it
    ) -> BoltResponse | None:
        if f"{body.get('type')}" in THROUGH_BOLT:
            return await next()
        return await self._keep(key_of(body), json.dumps(body))

    async def _keep(self, key: str, raw: str, *, aside: bool = False) -> BoltResponse:
        """Commit an envelope, and have it read unless it was delivered before."""
        try:
            (event,) = await self._core.shelve(self._name, [(key, raw)])
        except StoreError as error:
            log.warning("not acknowledged: Slack delivers it again", reason=str(error))
            return BoltResponse(status=503)
        if event and aside:
            await self._core.set_aside(event)
        elif event:
            self._taken(event)
        return BoltResponse(status=200)


def readable(payload: Any) -> AsyncBoltRequest | None:
    """A payload as Bolt takes it; None where it cannot.

    In its HTTP mode Bolt would parse forms itself, and lose a command that has the word "payload"
    in its text (read in its source).
    """
    if not isinstance(payload, dict):
        return None
    try:
        return AsyncBoltRequest(mode="socket_mode", body=payload)
    except Exception as error:  # whatever Bolt stumbles over, it spoils nothing else
        log.warning("envelope not read", reason=type(error).__name__)
        return None


def quiet() -> logging.Logger:
    """Bolt's log, without its advice: what people write stands in that."""
    logger = logging.getLogger("slack_bolt")
    logger.setLevel(logging.ERROR)
    return logger
