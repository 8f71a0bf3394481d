"""Trying again: Telegram until it answers, the store until it has room."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Mapping
from itertools import count
from typing import TypeVar

import structlog
from telegram.error import Conflict, InvalidToken, RetryAfter, TelegramError

from adapters.telegram.account import Account
from adapters.telegram.api import REFUSED, unsent, wait_asked
from bot.errors import StoreError
from bot.ports import Clock

T = TypeVar("T")
LONGEST_BACKOFF, LONGEST_STORE_BACKOFF = 60.0, 30.0  # seconds
TWO_POLLERS = (
    "Another program fetches the messages of this Telegram bot: stop that one, or give this one "
    "a bot of its own from @BotFather."
)
SENTENCES: Mapping[type[TelegramError], str] = {Conflict: TWO_POLLERS, InvalidToken: REFUSED}
NO_CONNECTION = (
    "There is no connection to Telegram: check the network and api_url; trying again until there "
    "is one."
)
OUT_OF_REACH = "Telegram does not answer as it should: trying again until it does."

log = structlog.get_logger()


async def insist(call: Callable[[], Awaitable[T]], account: Account) -> T:
    """What Telegram answers in the end."""
    for attempt in count():
        try:
            answer = await call()
        except TelegramError as error:
            sentence = sentence_of(error)
            if sentence != account.trouble:
                log.warning(sentence, reason=type(error.__cause__ or error).__name__)
            account.trouble = sentence
            wait = wait_asked(error) if isinstance(error, RetryAfter) else 0.0
            await account.clock.sleep(max(wait, backoff(attempt, LONGEST_BACKOFF)))
        else:
            if account.trouble:
                log.info("Telegram answers again.")
            account.trouble = ""
            return answer
    raise AssertionError


def sentence_of(error: TelegramError) -> str:
    """What is wrong."""
    if unsent(error):
        return NO_CONNECTION
    return SENTENCES.get(type(error), OUT_OF_REACH)


async def stored(step: Callable[[], Awaitable[T]], clock: Clock) -> T:
    """What the core returns once the store has taken a step."""
    for attempt in count():
        try:
            return await step()
        except StoreError as error:
            if not attempt:
                log.warning("update waits for the store", reason=str(error))
        await clock.sleep(backoff(attempt, LONGEST_STORE_BACKOFF))
    raise AssertionError


def backoff(attempt: int, longest: float) -> float:
    """Seconds before the next try: doubling, jittered by a quarter."""
    return float(min(2.0 ** min(attempt, 10), longest) * random.uniform(0.75, 1.25))
