"""What happened in the workspace, on its way to the bot: attempts, acknowledgements and losses."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable
from itertools import count
from typing import TYPE_CHECKING, Any

from aiohttp import web

from tests.slack_server import events
from tests.slack_server.http_events import RequestUrl
from tests.slack_server.payloads import Attempt, Payload, Undelivered, Way
from tests.slack_server.responses import Responses
from tests.slack_server.sockets import Sockets
from tests.slack_server.values import Json, Message

if TYPE_CHECKING:
    from tests.slack_server.server import SlackServer

ACKNOWLEDGED_WITHIN = 3.0

Sleep = Callable[[float], Awaitable[None]]


class Delivery:
    """Everything that the bot is told: of what changes in the workspace by itself, of the rest when
    it `happens`. Through sockets, unless it `posts_to` a request URL.

    `subscriptions` are the bot_events of the app's manifest, None for all of them. `sleep` is the
    clock of attempts; on a stopped one they wait until the test moves it on. `payloads` is all that
    the bot was told, `pending` what is neither acknowledged nor lost yet.
    """

    def __init__(
        self,
        slack: SlackServer,
        *,
        sleep: Sleep = asyncio.sleep,
        subscriptions: Collection[str] | None = None,
    ) -> None:
        self.slack = slack
        self.workspace = slack.workspace
        self.sockets = Sockets(slack)
        self.responses = Responses(slack)
        self.subscriptions = subscriptions
        self.payloads: list[Payload] = []
        self.pending: list[Payload] = []
        self._ways: list[Way] = [self.sockets]
        self._sleep = sleep
        self._ids = count(1)
        self._shown: dict[tuple[str, str], Json] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.workspace.watchers.append(self._watched)

    # As the server mounts it

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        """The sockets, and the response_urls."""
        return [*self.sockets.routes(), *self.responses.routes()]

    def link(self) -> str:
        """The address of a new socket."""
        return f"ws://127.0.0.1:{self.slack.port}{self.sockets.ticket()}"

    async def start(self) -> None:
        """Nothing is to be started: the bot comes to the sockets, or the first payload goes out."""

    async def close(self) -> None:
        """Deliver no more, and close the sockets."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for way in self._ways:
            await way.close()

    def posts_to(self, url: str) -> RequestUrl:
        """From now on everything is posted there."""
        request_url = RequestUrl(self.workspace, url, self.slack.tokens.signing_secret)
        self._ways.append(request_url)
        return request_url

    # What happens

    def happens(self, event: Json, *, about: Message | None = None, person: str = "") -> None:
        """An event, told if the app has subscribed to it. `person` is who it is authorized by
        where that is not the bot.
        """
        if self.subscriptions is None or events.subscription(event) in self.subscriptions:
            body = events.callback(self.workspace, event, self._event_id(), person)
            self.deliver(Payload("events_api", body, about))

    def deliver(self, payload: Payload) -> Payload:
        """Start to deliver something."""
        self.payloads.append(payload)
        self.pending.append(payload)
        task = asyncio.create_task(self._deliver(payload), name=f"deliver {payload.name}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return payload

    def again(self, message: Message, *, under_another_id: bool = False) -> list[Payload]:
        """Deliver once more what was told of a message, under the same event ids or new ones."""
        return [
            self.deliver(Payload("events_api", self._copied(payload, under_another_id), message))
            for payload in self.of(message)
        ]

    def _copied(self, payload: Payload, under_another_id: bool) -> Json:
        return {**payload.body, "event_id": self._event_id()} if under_another_id else payload.body

    def _event_id(self) -> str:
        return f"Ev0{next(self._ids):09d}"

    def _watched(self, what: str, message: Message) -> None:
        """Tell what became of a message, where the bot is. Of a stream only its end is told:
        assumed, for Slack does not say.
        """
        channel = self.workspace.channels[message.channel]
        if self.workspace.bot.id not in channel.members or message.streaming:
            return
        before = self._shown.get((message.channel, message.ts), {})
        self._shown[message.channel, message.ts] = message.json()
        for event in events.of_message(self.workspace, what, message, before):
            self.happens(event, about=message)

    # How it went

    @property
    def losses(self) -> list[Payload]:
        """What was not acknowledged, and is not delivered any more."""
        return [payload for payload in self.payloads if payload.outcome == "lost"]

    @property
    def acknowledgements(self) -> list[float]:
        """The seconds that each acknowledgement took, also those that were too late."""
        attempts = [attempt for payload in self.payloads for attempt in payload.attempts]
        return [attempt.seconds for attempt in attempts if attempt.seconds is not None]

    @property
    def delivered(self) -> Counter[str]:
        """How often each event was delivered, by its event_id."""
        return Counter(
            payload.body["event_id"]
            for payload in self.payloads
            for attempt in payload.attempts
            if payload.kind == "events_api" and attempt.sent
        )

    def of(self, message: Message) -> list[Payload]:
        """The events about a message, oldest first."""
        return [payload for payload in self.payloads if payload.about is message]

    def told(self, name: str) -> list[Payload]:
        """The payloads of that type of event or interaction, or of that command."""
        return [payload for payload in self.payloads if payload.name == name]

    async def settled(self, seconds: float = 30.0) -> None:
        """Return when everything is acknowledged or lost. Raises TimeoutError."""
        await self.workspace.until(lambda: not self.pending, seconds)

    # Attempts

    async def _deliver(self, payload: Payload) -> None:
        acknowledged = await self._acknowledged(payload)
        if acknowledged and payload.then:
            payload.then(payload.answer)
        payload.outcome = "acknowledged" if acknowledged else "lost"
        self.pending.remove(payload)
        self.workspace.change()

    async def _acknowledged(self, payload: Payload) -> bool:
        failed = ""
        for number, pause in enumerate(payload.pauses):
            if pause:
                await self._sleep(pause)
            attempt = Attempt(number, failed, self.workspace.now())
            payload.attempts.append(attempt)
            self.workspace.change()
            way = self._ways[-1]
            try:
                payload.answer = await self._in_time(way.attempt(payload, attempt))
            except Undelivered as undelivered:
                failed = attempt.failed = undelivered.reason
                if undelivered.final:
                    return False
            except TimeoutError:
                failed = attempt.failed = way.timeout
            else:
                return True
            self.workspace.change()
        return False

    async def _in_time(self, doing: Coroutine[Any, Any, Json]) -> Json:
        """What comes of it within three seconds of the clock. Raises TimeoutError."""
        work = asyncio.create_task(doing)
        alarm = asyncio.ensure_future(self._sleep(ACKNOWLEDGED_WITHIN))
        try:
            await asyncio.wait({work, alarm}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                raise TimeoutError
            return work.result()
        finally:
            work.cancel()
            alarm.cancel()
            await asyncio.wait({work, alarm})
