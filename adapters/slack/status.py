"""That the bot is seen thinking while there is nothing of its answer yet."""

from __future__ import annotations

import asyncio

import structlog

from adapters.slack.account import Account
from adapters.slack.pacer import STATUS, Urgency
from adapters.slack.place import Place
from bot.errors import DeliveryError, DeliveryRefused

THINKING = "is thinking…"
AFTER = 0.4  # seconds: who answers faster was not seen thinking
LASTS = 100.0  # seconds; Slack takes it away after 120
WORDLESS = 600.0  # seconds until it is tried again where it was refused

log = structlog.get_logger()


class Status:
    """What stands below a thread, where it is `wanted`; it does not matter if it cannot."""

    def __init__(self, account: Account, place: Place, name: str, *, wanted: bool) -> None:
        self._account = account
        self._place = place
        self._shown = False
        self._name = name
        self._task: asyncio.Task[None] | None = None
        self._ended = False
        if wanted and place.thread:
            self._task = asyncio.create_task(self._keep(), name=f"status {name}")

    def end(self) -> None:
        """The answer is seen."""
        if self._ended:
            return
        self._ended = True
        if self._task:
            self._task.cancel()
        if self._shown:
            self._task = asyncio.create_task(self._set(""), name=f"no status {self._name}")

    async def close(self) -> None:
        """Nothing of it is left."""
        self.end()
        if self._task:
            await asyncio.gather(self._task, return_exceptions=True)

    async def _keep(self) -> None:
        await self._account.clock.sleep(AFTER)
        while self._wanted:
            self._shown = True
            await self._set(THINKING)
            await self._account.clock.sleep(LASTS)

    @property
    def _wanted(self) -> bool:
        quiet_until = self._account.wordless.get(self._place.channel, 0.0)
        return quiet_until <= self._account.clock.now()

    async def _set(self, status: str) -> None:
        account, place = self._account, self._place
        try:
            await account.pacer.call(
                STATUS,
                Urgency.PROGRESS,
                lambda: account.api.set_status(place.channel, place.thread, status),
            )
        except DeliveryRefused as error:
            self._shown = False
            account.wordless[place.channel] = account.clock.now() + WORDLESS
            log.info("status refused", channel=place.channel, reason=str(error))
        except DeliveryError as error:
            log.info("status not shown", channel=place.channel, reason=str(error))
