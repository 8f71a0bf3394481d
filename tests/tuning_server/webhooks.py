"""What the service tells a listener: signed by the Standard Webhooks scheme.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass

import aiohttp

# Enough like a real one for those that decode it.
SECRET = "whsec_" + base64.b64encode(b"a secret of this test, no other").decode()


@dataclass(frozen=True, slots=True)
class Webhook:
    """One that was, or is to be, delivered."""

    id: str
    body: bytes


class Webhooks:
    """Tells `url`, if there is one, that a job has ended. `statuses` has what the listener said."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.url = ""
        self.secret = SECRET
        self.statuses: list[int] = []
        self.sent: list[Webhook] = []
        self._now = now
        self._tasks: set[asyncio.Task[None]] = set()

    def tell(self, job: str, ending: str) -> None:
        """A job has ended."""
        event = {
            "object": "event",
            "id": f"evt_{len(self.sent) + 1}",
            "type": f"fine_tuning.job.{ending}",
            "created_at": int(self._now()),
            "data": {"id": job},
        }
        webhook = Webhook(f"wh_{len(self.sent) + 1}", json.dumps(event).encode())
        self.sent.append(webhook)
        self._deliver(webhook)

    def redeliver(self) -> None:
        """Deliver the last one once more, under its id."""
        self._deliver(self.sent[-1])

    async def delivered(self) -> None:
        """Return when all have been delivered, or have failed."""
        while self._tasks:
            await asyncio.gather(*self._tasks)

    async def close(self) -> None:
        """Deliver nothing more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def headers(self, webhook: Webhook) -> dict[str, str]:
        """What goes with one that is delivered now."""
        stamp = str(int(self._now()))
        key = base64.b64decode(self.secret.removeprefix("whsec_"))
        signed = b".".join([webhook.id.encode(), stamp.encode(), webhook.body])
        signature = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        return {
            "Content-Type": "application/json",
            "webhook-id": webhook.id,
            "webhook-timestamp": stamp,
            "webhook-signature": f"v1,{signature}",
        }

    def _deliver(self, webhook: Webhook) -> None:
        if self.url:
            task = asyncio.create_task(self._post(webhook), name=f"deliver {webhook.id}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _post(self, webhook: Webhook) -> None:
        try:
            async with (
                aiohttp.ClientSession() as client,
                client.post(self.url, data=webhook.body, headers=self.headers(webhook)) as answer,
            ):
                self.statuses.append(answer.status)
        except aiohttp.ClientError:
            self.statuses.append(0)
