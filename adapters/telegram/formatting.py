"""A formatted text that is refused goes plain: an answer is never lost to its formatting."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
from telegram.error import BadRequest

from adapters.telegram.api import says
from adapters.telegram.format import Formatted, plain

T = TypeVar("T")
SAME = "message is not modified"
LOST = ("to edit not found", "can't be edited", "MESSAGE_ID_INVALID", "no text in the message")

log = structlog.get_logger()


async def with_formatting(call: Callable[[Formatted], Awaitable[T]], text: Formatted) -> T:
    """Make a call with a text, and again with it plain if its entities are refused."""
    try:
        return await call(text)
    except BadRequest as error:
        if not text.entities or says(error, SAME, *LOST):
            raise
        log.warning("formatting refused", reason=error.message)
        return await call(plain(text.text))
