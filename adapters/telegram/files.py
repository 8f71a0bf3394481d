"""What people attach: streamed to the disk, under a name that nobody chose."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from pathlib import Path

import structlog
from telegram.error import TelegramError

from adapters.telegram.api import Api, says
from adapters.telegram.updates import Wanted
from bot.messages import Attachment
from bot.ports import Clock

MOST_BYTES = 20 * 1024**2  # that Telegram lets bots download
TRIES, PAUSE = 3, 2.0  # seconds between two tries
LONGEST = 300.0  # seconds that a file may take in all; what is said after it waits for it
MOST_AT_ONCE = 16  # files on their way

log = structlog.get_logger()


class Unfetched(Exception):
    """A sentence for the person: why a file did not come."""


class Files:
    """Fetches files into a folder."""

    def __init__(self, api: Api, folder: Path, clock: Clock) -> None:
        self._api = api
        self._folder = folder
        self._clock = clock
        self._slots = asyncio.Semaphore(MOST_AT_ONCE)

    async def fetch(self, wanted: Sequence[Wanted]) -> tuple[list[Attachment], list[str]]:
        """The files that came, and a sentence for each that did not."""
        came, sentences = [], []
        for each in wanted:
            try:
                async with self._slots, asyncio.timeout(LONGEST):
                    came.append(await self._fetch(each))
            except TimeoutError:
                sentences.append(unfetched(each))
            except Unfetched as why:
                sentences.append(str(why))
        return came, sentences

    async def _fetch(self, wanted: Wanted) -> Attachment:
        if wanted.size > MOST_BYTES:
            raise Unfetched(too_large(wanted))
        for _ in range(TRIES):
            path = self._folder / secrets.token_hex(16)
            try:
                size = await self._api.save(wanted.id, path, MOST_BYTES)
            except (TelegramError, OSError) as error:
                path.unlink(missing_ok=True)
                if isinstance(error, TelegramError) and says(error, "too big"):
                    raise Unfetched(too_large(wanted)) from None
                log.warning("file not fetched", reason=type(error).__name__)
                await self._clock.sleep(PAUSE)
            except BaseException:
                path.unlink(missing_ok=True)
                raise
            else:
                return Attachment(wanted.name, wanted.media_type, str(path), size)
        raise Unfetched(unfetched(wanted))


def unfetched(wanted: Wanted) -> str:
    """Why a file did not come."""
    return f"{wanted.name} could not be fetched from Telegram: please send it again."


def too_large(wanted: Wanted) -> str:
    """Why a file is not even asked for."""
    return f"{wanted.name} is larger than 20 MB, the most that Telegram gives to bots."


def forget(attachments: Sequence[Attachment]) -> None:
    """Delete files that nobody needs."""
    for each in attachments:
        Path(each.path).unlink(missing_ok=True)
