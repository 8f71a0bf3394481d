"""What people attach: streamed to the disk, under a name that nobody chose."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import structlog

from adapters.slack.api import Api
from adapters.slack.events import File
from bot.errors import DeliveryError
from bot.messages import Attachment
from bot.ports import Clock

TRIES, PAUSE = 3, 2.0  # seconds between two tries
A_PIECE = 262_144  # bytes that are written at once
STRETCH = 6  # a file may take so many times as long as a call
ELSEWHERE = "{} is not kept by Slack but somewhere else: please upload the file itself."
GONE = "{} was deleted, or is hidden by the limits of this Slack workspace."
LOGIN = (
    "{} could not be fetched: the app lacks files:read or the token is wrong. Whoever runs the bot "
    "can mend that."
)
BROKEN = "{} could not be fetched from Slack: please send it again."
TAKEN_AWAY = frozenset({"tombstone", "hidden_by_limit"})

log = structlog.get_logger()


class Unfetched(Exception):
    """A sentence for the person: why a file did not come."""


class Files:
    """Fetches files into a folder. `most` is in bytes; the token is shown to the hosts of `api_url`
    alone. `seconds` is how long a call may take.
    """

    def __init__(
        self, api: Api, api_url: str, folder: Path, clock: Clock, most: int, seconds: float
    ) -> None:
        self._api = api
        self._home = urlsplit(api_url)
        self._folder = folder
        self._clock = clock
        self._most = most
        self._timeout = aiohttp.ClientTimeout(total=STRETCH * seconds)

    async def fetch(self, files: Sequence[File]) -> tuple[list[Attachment], list[str]]:
        """The files that came, and a sentence for each that did not."""
        came, sentences = [], []
        for file in files:
            try:
                came.append(await self._fetch(await self._known(file)))
            except Unfetched as why:
                sentences.append(str(why))
        return came, sentences

    async def _known(self, file: File) -> File:
        """A file with all that Slack knows of it: of another workspace's it sends the id alone."""
        if file.file_access != "check_file_info":
            return file
        try:
            return File.model_validate(await self._api.file(file.id))
        except (DeliveryError, ValueError):
            raise Unfetched(BROKEN.format(file.title)) from None

    async def _fetch(self, file: File) -> Attachment:
        if file.is_external or file.mode == "external":
            raise Unfetched(ELSEWHERE.format(file.title))
        if file.mode in TAKEN_AWAY or not file.url_private_download:
            raise Unfetched(GONE.format(file.title))
        if file.size > self._most:
            raise Unfetched(too_large(file, self._most))
        if not self._trusts(file.url_private_download):
            raise Unfetched(ELSEWHERE.format(file.title))
        for last in range(TRIES - 1, -1, -1):
            path = self._folder / secrets.token_hex(16)
            try:
                size = await self._save(file, file.url_private_download, path)
            except (aiohttp.ClientError, OSError) as error:
                path.unlink(missing_ok=True)
                log.warning("file not fetched", reason=type(error).__name__)
                if last:
                    await self._clock.sleep(PAUSE)
            except BaseException:
                path.unlink(missing_ok=True)
                raise
            else:
                return Attachment(file.title, file.kind, str(path), size)
        raise Unfetched(BROKEN.format(file.title))

    async def _save(self, file: File, url: str, path: Path) -> int:
        """Stream a file to the disk and return its size.

        Raises Unfetched, aiohttp.ClientError and OSError.
        """
        size = 0
        async with self._api.session.get(
            url, headers=self._api.authorization, timeout=self._timeout
        ) as response:
            response.raise_for_status()
            if is_login(file, response):
                raise Unfetched(LOGIN.format(file.title))
            with path.open("xb") as kept:
                async for piece in response.content.iter_chunked(A_PIECE):
                    size += len(piece)
                    if size > self._most:
                        raise Unfetched(too_large(file, self._most))
                    # A slow disk must not hold up acknowledgements.
                    await asyncio.to_thread(kept.write, piece)
        return size

    def _trusts(self, url: str) -> bool:
        """Whether an address is Slack's own: its API's host, or one below."""
        there = urlsplit(url)
        home, host = self._home.hostname or "", there.hostname or ""
        return there.scheme == self._home.scheme and (host == home or host.endswith(f".{home}"))


def is_login(file: File, response: aiohttp.ClientResponse) -> bool:
    """Whether Slack sent the page where people log in, which it does with a 200 (facts/slack.md).
    It redirects to it, and a file of that type is sent from where it was asked for.
    """
    page = response.content_type == "text/html"
    return page and (file.kind != "text/html" or bool(response.history))


def too_large(file: File, most: int) -> str:
    """Why a file is not taken."""
    return f"{file.title} is larger than {most / 1024**2:.3g} MB, the most that the bot takes."


def forget(attachments: Sequence[Attachment]) -> None:
    """Delete files that nobody needs."""
    for each in attachments:
        Path(each.path).unlink(missing_ok=True)
