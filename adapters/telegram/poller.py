"""Long polling that lets Telegram forget an update only once it is committed.

PTB's own Updater polls on before anybody has seen what came (facts/telegram.md). Here the offset
rises up to the oldest update that is still under way; meanwhile it is asked for what comes after.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import count
from typing import Any, TypeVar

import structlog
from telegram import User
from telegram.error import Conflict, InvalidToken, RetryAfter, TelegramError

from adapters.telegram.account import Account
from adapters.telegram.api import REFUSED, wait_asked
from adapters.telegram.intake import Intake, backoff
from bot.errors import ConfigError

T = TypeVar("T")
LONG, SHORT = 45.0, 0.0  # seconds that Telegram waits for something to happen
LOOK, LONGEST_LOOK = 0.1, 1.0  # seconds between two looks while an update is under way
LONGEST_BACKOFF = 60.0
TWO_POLLERS = (
    "Another program fetches the messages of this Telegram bot: stop that one, or give this one "
    "a bot of its own from @BotFather."
)
SENTENCES: Mapping[type[TelegramError], str] = {Conflict: TWO_POLLERS, InvalidToken: REFUSED}
OUT_OF_REACH = "Telegram is out of reach: trying again until it answers."

log = structlog.get_logger()


class Poller:
    """Fetches updates and gives them to the intake."""

    def __init__(self, account: Account, intake: Intake) -> None:
        self._account = account
        self._intake = intake
        self._offset = 0
        self._newest = 0
        self._taken: dict[int, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Poll until cancelled."""
        look = LOOK
        while True:
            found = await insist(self._fetch, self._account)
            for raw in found:
                number = self._number(raw)
                if number not in self._taken:
                    self._taken[number] = self._intake.take(raw)
            if self._taken:
                await asyncio.wait(self._taken.values(), timeout=look)
                self._forget()
                look = LOOK if len(found) > len(self._taken) else min(2 * look, LONGEST_LOOK)
            elif not found:
                self._offset = 0  # all is confirmed; after a quiet week Telegram numbers anew

    async def _fetch(self) -> Sequence[Any]:
        return await self._account.api.updates(self._offset, SHORT if self._taken else LONG)

    def _number(self, raw: Any) -> int:
        """An update's id, or the next one for something that has none."""
        number = raw.get("update_id") if isinstance(raw, dict) else None
        self._newest = number if isinstance(number, int) else self._newest + 1
        return self._newest

    def _forget(self) -> None:
        """Raise the offset above what is done with."""
        for number in sorted(self._taken):
            if not self._taken[number].done():
                break
            del self._taken[number]
            self._offset = max(self._offset, number + 1)


async def begin(account: Account) -> User:
    """Who the bot is, once Telegram answers. Raises ConfigError where it refuses the token."""

    async def ask() -> User:
        try:
            return await account.api.get_me()
        except InvalidToken:
            raise ConfigError(REFUSED) from None

    return await insist(ask, account)


async def insist(call: Callable[[], Awaitable[T]], account: Account) -> T:
    """What Telegram answers in the end."""
    for attempt in count():
        try:
            answer = await call()
        except TelegramError as error:
            sentence = SENTENCES.get(type(error), OUT_OF_REACH)
            if sentence != account.trouble:
                log.warning(sentence, reason=type(error).__name__)
            account.trouble = sentence
            wait = wait_asked(error) if isinstance(error, RetryAfter) else 0.0
            await account.clock.sleep(max(wait, backoff(attempt, LONGEST_BACKOFF)))
        else:
            if account.trouble:
                log.info("Telegram answers again.")
            account.trouble = ""
            return answer
    raise AssertionError
