"""Files: what a visitor attaches, and what comes with an answer."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from adapters.http.errors import Refusal
from adapters.http.page.visitor import Name, Where, Who
from adapters.http.settings import Settings
from bot.messages import Attachment
from bot.ports import Core

LONGEST_NAME = 200
MOST_UPLOADS = 64  # of the largest size, in a day
DAY_SECONDS = 86_400.0
LEAST_FREE = 256 * 1024**2  # bytes that stay for the database
FULL = "There is no room for more files now; try again tomorrow, or ask who runs this."
SAVED = "application/octet-stream"  # a file is saved, and never shown, whatever it says it is

FileName = Annotated[str, Query(min_length=1, max_length=LONGEST_NAME)]


class Upload(BaseModel, extra="forbid"):
    """A file that was uploaded: the id is the server's, the name and type the visitor's."""

    id: Annotated[str, Field(pattern="^[0-9a-f]{32}$")]
    name: Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]
    media_type: Annotated[str, Field(pattern=r"^[\x20-\x7e]{0,100}$")]


class Room:
    """What uploads may take of the disk. Each one that is under way counts as the largest."""

    def __init__(self, folder: Path, largest: int) -> None:
        self._folder = folder
        self._largest = largest
        self._coming = 0

    @asynccontextmanager
    async def for_one(self) -> AsyncIterator[None]:
        """Have room for one more upload. Raises Refusal where there is none."""
        self._coming += self._largest
        try:
            if not await asyncio.to_thread(self._suffices):
                raise Refusal(507, FULL)
            yield
        finally:
            self._coming -= self._largest

    def _suffices(self) -> bool:
        try:
            free = shutil.disk_usage(self._folder).free - self._coming
            kept = size_since(self._folder, time.time() - DAY_SECONDS)
        except OSError as error:
            raise unkept(error) from error
        return free >= LEAST_FREE and kept + self._coming <= MOST_UPLOADS * self._largest


def size_since(folder: Path, oldest: float) -> int:
    """The bytes of the files that came into a folder since a Unix time."""
    size = 0
    with os.scandir(folder) as files:
        for file in files:
            with suppress(FileNotFoundError):  # it was deleted just now
                stat = file.stat()
                size += stat.st_size if stat.st_mtime >= oldest else 0
    return size


def add(router: APIRouter, core: Core, settings: Settings) -> None:
    """POST files; GET the file that came with an answer."""
    room = Room(core.files, settings.max_upload)

    @router.post("/api/page/files", status_code=201)
    async def upload(request: Request, name: FileName, _: Who) -> Upload:
        """Keep the body as a file that a message may have. Who has its id may send it."""
        media_type = readable(request.headers.get("content-type", SAVED))
        file = Upload(id=secrets.token_hex(16), name=name, media_type=media_type)
        async with room.for_one():
            await keep(request, core.files / file.id)
        return file

    @router.get("/api/page/conversations/{name}/documents/{question_id}")
    async def document(where: Where, question_id: Name) -> Response:
        """The file that came with what was said to a question."""
        said = await core.said(where, question_id)
        if said is None or said.document is None:
            raise Refusal(404, "There is no such file any more.")
        name = quote(safe(said.document.name))
        return Response(
            said.document.content,
            media_type=SAVED,
            headers={"Content-Disposition": f"attachment; filename*=UTF-8''{name}"},
        )


async def keep(request: Request, path: Path) -> None:
    """Stream a body to the disk, within the guard's limit; what does not come whole goes again.
    Raises Refusal where the disk does not take it.
    """
    try:
        with await asyncio.to_thread(path.open, "xb") as file:
            async for piece in request.stream():
                await asyncio.to_thread(file.write, piece)
    except OSError as error:
        await asyncio.to_thread(path.unlink, missing_ok=True)
        raise unkept(error) from error
    except BaseException:
        await asyncio.to_thread(path.unlink, missing_ok=True)
        raise


def unkept(error: OSError) -> Refusal:
    """Why the disk did not take a file."""
    return Refusal(507, f"The file could not be kept: {error.strerror}.")


def attachment(folder: Path, file: Upload) -> Attachment:
    """An uploaded file, as the core knows it. Raises Refusal where it is gone."""
    path = folder / file.id
    try:
        size = path.stat().st_size
    except OSError:
        raise Refusal(410, f"{safe(file.name)} is gone; attach it again.") from None
    return Attachment(safe(file.name), file.media_type, str(path), size)


def readable(media_type: str) -> str:
    """A media type as far as it can be one."""
    return "".join(each for each in media_type if " " <= each <= "~")[:100]


def safe(name: str) -> str:
    """A file's name without folders, and without what does not print."""
    name = name.replace("\\", "/").rpartition("/")[2]
    return "".join(each for each in name if each.isprintable()).lstrip(". ") or "file"
