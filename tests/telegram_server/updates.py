"""What happened and is not confirmed yet, and the ways by which the bot learns of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from typing import Any

import aiohttp

from tests.telegram_server.values import Json, Refused

ONLY_ASKED_FOR = frozenset({"chat_member", "message_reaction", "message_reaction_count"})
TERMINATED = (
    "Conflict: terminated by other getUpdates request; "
    "make sure that only one bot instance is running"
)
WEBHOOK_ACTIVE = (
    "Conflict: can't use getUpdates method while webhook is active; "
    "use deleteWebhook to delete the webhook first"
)
AGAIN = 0.02  # seconds until a webhook that failed is called again; Telegram takes longer


@dataclass(frozen=True, slots=True)
class Update:
    """Something that happened. `raw` is its JSON."""

    id: int
    raw: str


@dataclass(slots=True)
class Webhook:
    """Where updates are posted."""

    url: str = ""
    secret: str = ""
    last_error: str = ""


class Updates:
    """A queue that forgets only what was confirmed. Ids rise. `changed` hears of what a webhook
    got.
    """

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self.waiting: list[Update] = []
        self.confirmed: list[Update] = []
        self.webhook = Webhook()
        self._repeated: list[Update] = []
        self._ids = count(1001)
        self._allowed: Sequence[str] = ()
        self._arrived = asyncio.Event()
        self._ousted: asyncio.Event | None = None
        self._delivery: asyncio.Task[None] | None = None

    def add(self, kind: str, what: Json) -> int:
        """Something happened; return its id, 0 if the bot does not want to know."""
        wanted = kind in self._allowed if self._allowed else kind not in ONLY_ASKED_FOR
        return self.inject({kind: what}) if wanted else 0

    def inject(self, update: Any) -> int:
        """An update as it is, however malformed; without an update_id an object gets the next."""
        number = next(self._ids)
        if isinstance(update, dict):
            update = {"update_id": number, **update}
        self.waiting.append(Update(number, json.dumps(update)))
        self._arrived.set()
        return number

    def redeliver(self) -> None:
        """Deliver once more what was confirmed already."""
        self._repeated = [*self.confirmed]
        if self.webhook.url:
            self.waiting = [*self._repeated, *self.waiting]
        self._arrived.set()

    def confirm(self, offset: int) -> None:
        """The bot has everything before `offset`; a negative one keeps so many of the newest."""
        if offset < 0:
            offset = self.waiting[offset].id if -offset <= len(self.waiting) else 0
        self.confirmed += [update for update in self.waiting if update.id < offset]
        self.waiting = [update for update in self.waiting if update.id >= offset]

    def allow(self, kinds: Sequence[str] | None) -> None:
        """From now on only these kinds; None leaves it as it is, nothing means the default."""
        if kinds is not None:
            self._allowed = kinds

    async def poll(self, offset: int, limit: int, seconds: float) -> str:
        """Long polling: a JSON array of updates. Raises Refused if another poll begins."""
        if self.webhook.url:
            raise Refused(WEBHOOK_ACTIVE, 409)
        if self._ousted:
            self._ousted.set()
        self._ousted = ousted = asyncio.Event()
        self.confirm(offset)
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not self.waiting and not self._repeated and not ousted.is_set():
                    await self._something(ousted)
        if ousted.is_set():
            raise Refused(TERMINATED, 409)
        self._ousted = None
        found, self._repeated = [*self._repeated, *self.waiting[:limit]][:limit], []
        return f"[{','.join(update.raw for update in found)}]"

    async def _something(self, ousted: asyncio.Event) -> None:
        """Return when something arrived, or another poll began."""
        self._arrived.clear()
        waits = [asyncio.create_task(each.wait()) for each in (self._arrived, ousted)]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def deliver_to(self, webhook: Webhook) -> None:
        """Post updates to a webhook from now on; to none if its URL is empty."""
        await self._stop_delivery()
        self.webhook = webhook
        if webhook.url:
            self._delivery = asyncio.create_task(self._deliver(webhook), name="webhook")

    async def _deliver(self, webhook: Webhook) -> None:
        async with aiohttp.ClientSession() as session:
            while True:
                while self.waiting:
                    await self._post(session, webhook, self.waiting[0])
                self._arrived.clear()
                await self._arrived.wait()

    async def _post(self, session: aiohttp.ClientSession, to: Webhook, update: Update) -> None:
        headers = {"Content-Type": "application/json"}
        if to.secret:
            headers["X-Telegram-Bot-Api-Secret-Token"] = to.secret
        try:
            async with session.post(to.url, data=update.raw, headers=headers) as answer:
                wrong = "" if answer.ok else f"Wrong response from the webhook: {answer.status}"
        except aiohttp.ClientError as error:
            wrong = f"Connection failed: {type(error).__name__}"
        to.last_error = wrong or to.last_error
        if wrong:
            await asyncio.sleep(AGAIN)
            return
        self.waiting.remove(update)
        self.confirmed.append(update)
        self._changed()

    async def close(self) -> None:
        """Post no more, and end a poll that waits."""
        await self._stop_delivery()
        if self._ousted:
            self._ousted.set()

    async def _stop_delivery(self) -> None:
        if self._delivery:
            self._delivery.cancel()
            await asyncio.wait([self._delivery])
            self._delivery = None
