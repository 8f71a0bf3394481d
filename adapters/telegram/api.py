"""Telegram's Bot API by python-telegram-bot, over aiohttp, and its errors in the core's words.

The token is in every URL. So no error of this wire travels on: what leaves is a sentence of our
own, raised `from None`, and the libraries that log URLs are held at WARNING.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import aiohttp
import httpx
from httpx_aiohttp import HttpxAiohttpClient
from telegram import Bot
from telegram.error import (
    BadRequest,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
)
from telegram.request import HTTPXRequest

from bot.errors import DeliveryError, DeliveryRefused

# Asks python-telegram-bot for timedeltas, as its next major release has them; else it warns.
os.environ.setdefault("PTB_TIMEDELTA", "true")

WANTED = ("message", "callback_query", "message_reaction", "stopped_message_generation")
REFUSED = (
    "Telegram refuses TELEGRAM_BOT_TOKEN: copy it again from @BotFather, or have a new one made."
)
PATIENCE = 60.0  # seconds until what waits for a better token is tried again
UNSENT = (aiohttp.ClientConnectorError, httpx.ConnectError, httpx.PoolTimeout)


class Doubtful(DeliveryError):
    """The answer of Telegram got lost: what was sent may stand there."""


class Wire(HTTPXRequest):
    """PTB's way to Telegram. aiohttp parses HTTP in C, httpx's own transport in Python."""

    def __init__(self, base: str, seconds: float) -> None:
        # Without TLS nobody is to be trusted, and the 0.1 s for reading certificates is saved.
        trusted = {"verify": False} if base.startswith("http://") else {}
        super().__init__(
            read_timeout=seconds,
            write_timeout=seconds,
            connect_timeout=seconds,
            pool_timeout=None,
            media_write_timeout=6 * seconds,
            httpx_kwargs=trusted,
        )

    def _build_client(self) -> httpx.AsyncClient:
        return HttpxAiohttpClient(**self._client_kwargs)

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, Any]:
        """As PTB does, without logging what cannot be read: people's words may stand there."""
        try:
            return dict(json.loads(payload))
        except (ValueError, TypeError):
            raise TelegramError("Invalid server response") from None

    async def save(self, url: str, path: Path, most: int) -> int:
        """Stream a file to the disk and return its size; raises OSError and TelegramError."""
        size = 0
        try:
            async with self._client.stream("GET", url) as response:
                response.raise_for_status()
                with path.open("xb") as file:
                    async for piece in response.aiter_bytes():
                        size += len(piece)
                        if size > most:
                            raise BadRequest("file is too big")
                        file.write(piece)
        except (httpx.HTTPError, httpx.InvalidURL, aiohttp.ClientError) as error:
            raise NetworkError(type(error).__name__) from None
        return size

    async def do_request(self, *args: Any, **kwargs: Any) -> tuple[int, bytes]:
        """As PTB does, but what httpx-aiohttp lets through of aiohttp has the URL in its text."""
        try:
            return await super().do_request(*args, **kwargs)
        except aiohttp.ClientError as error:
            raise NetworkError(type(error).__name__) from None


class Api(Bot):
    """A bot's account at Telegram. `seconds` is how long an answer may take."""

    def __init__(self, api_url: str, token: str, seconds: float) -> None:
        for name in ("httpx", "httpcore", "telegram"):
            logging.getLogger(name).setLevel(logging.WARNING)
        base = api_url.rstrip("/")
        self._wire = Wire(base, seconds)
        self._seconds = seconds
        super().__init__(
            token,
            f"{base}/bot",
            f"{base}/file/bot",
            request=self._wire,
            get_updates_request=Wire(base, seconds),
        )

    def __repr__(self) -> str:
        """Not as PTB's, in which the token stands."""
        return "Api()"

    async def _do_post(self, *args: Any, **kwargs: Any) -> Any:
        """As PTB does; an answer without a result is not Telegram's, but a proxy's."""
        try:
            return await super()._do_post(*args, **kwargs)
        except KeyError:
            raise TelegramError("Invalid server response") from None

    async def updates(self, offset: int, seconds: float) -> Sequence[Any]:
        """What happened since, as it came: one update that PTB cannot read spoils no other."""
        given = {"offset": offset, "timeout": int(seconds), "allowed_updates": list(WANTED)}
        found = await self._post("getUpdates", given, read_timeout=seconds + self._seconds)
        return found if isinstance(found, list) else []

    async def save(self, file_id: str, path: Path, most: int) -> int:
        """Stream a file that a person sent to the disk and return its size."""
        file = await self.get_file(file_id)
        if (file.file_size or 0) > most:
            raise BadRequest("file is too big")
        return await self._wire.save(file.file_path or "", path, most)

    async def leave(self) -> None:
        """Close the connections."""
        for request in self._request:
            await request.shutdown()


def failure(error: TelegramError) -> DeliveryError:
    """Why a message was not taken, and whether it may be later."""
    match error:
        case RetryAfter():
            return DeliveryError("Telegram asks to wait.", wait_asked(error))
        case Forbidden():
            return DeliveryRefused("The bot may not write in this Telegram chat any more.")
        case BadRequest():
            return DeliveryRefused(f"Telegram refuses the message: {error.message}")
        case InvalidToken():
            return DeliveryError(REFUSED, PATIENCE)
        case _ if unsent(error):
            return DeliveryError("Telegram is out of reach.")
        case _:
            return Doubtful("Telegram did not say whether it has the message.")


def unsent(error: BaseException) -> bool:
    """Whether a call cannot have reached Telegram."""
    return any(isinstance(cause, UNSENT) for cause in causes(error))


def wait_asked(error: RetryAfter) -> float:
    """The seconds that Telegram asks to wait."""
    wait = error.retry_after
    return float(wait) if isinstance(wait, int) else wait.total_seconds()


def causes(error: BaseException) -> Iterator[BaseException]:
    """What an error comes from."""
    cause = error.__cause__
    while cause:
        yield cause
        cause = cause.__cause__


def says(error: TelegramError, *words: str) -> bool:
    """Whether Telegram's description has one of the words."""
    return isinstance(error, BadRequest) and any(
        word.lower() in error.message.lower() for word in words
    )
