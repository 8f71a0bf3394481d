"""/v1/files"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from secrets import token_hex
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import FileResponse

from bot.local.api.errors import Refused
from bot.local.api.pages import After, listed, page
from bot.local.api.upload import Upload
from bot.local.jobs.database import Database
from bot.local.jobs.examining import Examining
from bot.local.jobs.folder import Folder
from bot.local.jobs.pruning import drop_expired
from bot.local.jobs.values import StoredFile

TRAINING = "fine-tune"
PURPOSES = (TRAINING, "user_data", "assistants", "batch", "vision", "evals")
LONGEST_NAME = 255
EXPIRY = "expires_after[anchor]", "expires_after[seconds]"
SHORTEST, LONGEST = 3600, 2_592_000  # seconds until a file expires


class FileRoutes:
    """Take files, list them, give them back, delete them."""

    def __init__(
        self,
        database: Database,
        folder: Folder,
        examining: Examining,
        now: Callable[[], float],
    ) -> None:
        self._database = database
        self._folder = folder
        self._examining = examining
        self._now = now

    def add_to(self, router: APIRouter) -> None:
        add = router.add_api_route
        add("/files", self.create, methods=["POST"])
        add("/files", self.list, methods=["GET"])
        add("/files/{id_}", self.retrieve, methods=["GET"])
        add("/files/{id_}/content", self.content, methods=["GET"])
        add("/files/{id_}", self.delete, methods=["DELETE"])

    async def create(self, request: Request) -> dict[str, Any]:
        """Keep a file. One to train from is looked through after the answer, as at OpenAI."""
        id_ = f"file-{token_hex(12)}"
        partial = self._folder.file(f"{id_}.partial")
        try:
            await asyncio.to_thread(drop_expired, self._database, self._folder, self._now())
            upload = Upload(partial)
            await upload.read(request)
            purpose = upload.texts.get("purpose", "")
            if not upload.name:
                raise Refused(400, "'file' is a required property", param="file")
            if purpose not in PURPOSES:
                raise Refused(400, f"{purpose!r} is not one of {[*PURPOSES]}.", param="purpose")
            name = Path(upload.name.replace("\\", "/")).name[-LONGEST_NAME:] or "file"
            trains, now = purpose == TRAINING, int(self._now())
            until = expiry(upload.texts, now)
            file = StoredFile(
                id_, name, purpose, upload.size, now, examined=not trains, expires_at=until
            )
            await asyncio.to_thread(self._keep, partial, file)
            if trains:
                self._examining.begin(id_)
            return shown(file)
        finally:
            partial.unlink(missing_ok=True)

    def list(
        self,
        purpose: str = "",
        limit: Annotated[int, Query(ge=1, le=10_000)] = 10_000,
        order: Literal["asc", "desc"] = "desc",
        after: After = "",
    ) -> dict[str, Any]:
        """All files, or those of a purpose."""
        with self._database.look() as tables:
            kept = tables.files(oldest_first=order == "asc")
        now = self._now()
        kept = [file for file in kept if purpose in {"", file.purpose} and not file.is_expired(now)]
        some, more = page(kept, lambda file: file.id, after, limit)
        ends = {"first_id": some[0].id if some else "", "last_id": some[-1].id if some else ""}
        return {**listed(map(shown, some), has_more=more), **ends}

    def retrieve(self, id_: str) -> dict[str, Any]:
        return shown(self._found(id_))

    def content(self, id_: str) -> FileResponse:
        file = self._found(id_)
        path = self._folder.file(id_)
        return FileResponse(path, media_type="application/octet-stream", filename=file.name)

    def delete(self, id_: str) -> dict[str, Any]:
        """Have a file no more. A job that was made from it has its own."""
        self._found(id_)
        with self._database.transaction() as tables:
            tables.delete_file(id_)
        self._folder.file(id_).unlink(missing_ok=True)
        return {"id": id_, "object": "file", "deleted": True}

    def _keep(self, partial: Path, file: StoredFile) -> None:
        partial.replace(self._folder.file(file.id))
        with self._database.transaction() as tables:
            tables.put_file(file)

    def _found(self, id_: str) -> StoredFile:
        with self._database.look() as tables:
            file = tables.file(id_)
        if file is None or file.is_expired(self._now()):
            raise Refused(404, f"No such File object: {id_}", param="id")
        return file


def shown(file: StoredFile) -> dict[str, Any]:
    """A file as it goes out."""
    return {
        "id": file.id,
        "object": "file",
        "bytes": file.size,
        "created_at": file.created_at,
        **({"expires_at": file.expires_at} if file.expires_at else {}),
        "filename": file.name,
        "purpose": file.purpose,
        "status": status_of(file),
        **({"status_details": file.fault} if file.fault else {}),
    }


def expiry(texts: Mapping[str, str], created_at: int) -> int:
    """When a file expires, by the form that it came with, in Unix seconds; 0 for never. Raises
    Refused.
    """
    told = {key: value for key, value in texts.items() if key.startswith("expires_after")}
    if not told:
        return 0
    anchor, seconds = (told.get(key, "") for key in EXPIRY)
    within = seconds.isdecimal() and SHORTEST <= int(seconds) <= LONGEST
    if anchor != "created_at" or not within:
        said = f"{EXPIRY[0]} is 'created_at', and {EXPIRY[1]} from {SHORTEST} to {LONGEST}."
        raise Refused(400, said, "invalid_value", "expires_after")
    return created_at + int(seconds)


def status_of(file: StoredFile) -> str:
    """How far the check of a file is."""
    if not file.examined:
        return "uploaded"
    return "error" if file.fault else "processed"
