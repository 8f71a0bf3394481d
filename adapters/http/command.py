"""The command interface: POST /api/command."""

from __future__ import annotations

import asyncio
import secrets
import shutil
from pathlib import Path
from typing import Any, BinaryIO
from uuid import uuid4

from fastapi import APIRouter, Request, Response
from starlette.datastructures import FormData, UploadFile

from adapters.http.errors import Refusal, Refused
from adapters.http.exchanges import NAME, Exchanges
from adapters.http.page.files import Room, readable, safe, unkept
from adapters.http.plain import Plain, inlined_schema, require_json
from adapters.http.presence import present
from adapters.http.question import refusal
from adapters.http.schema import VERSION, Command, CommandPars, Reply, file_of, read
from adapters.http.settings import Settings
from adapters.http.sse import as_json
from bot.errors import BotError
from bot.messages import Attachment, ConversationId, Ending, IncomingMessage, Person, Said
from bot.ports import Core

FORM = "multipart/form-data"
FIELDS = ("json", "file")


def routes(core: Core, exchanges: Exchanges, settings: Settings) -> APIRouter:
    """/api/command."""
    router = APIRouter(tags=["commands"], route_class=Plain)
    room = Room(core.files, settings.max_upload)

    @router.post(
        "/api/command",
        openapi_extra=body(),
        responses={
            200: {"model": Reply},
            415: {"model": Refused},
            507: {"model": Refused},
        },
    )
    async def command(request: Request) -> Response:
        """Give a command, as people type it in a chat, and wait for what it says.

        A training file goes with `/finetune prepare` and `/finetune start`: then the body is a form
        whose field `json` has the JSON, and whose field `file` the file. `buttons` are how to go
        on: confirm a start by giving the command of its button.

        Nothing is pushed: what happens to a job that was started or followed here is told by
        `/finetune status` and `/finetune events`. What was begun goes on when the client hangs up;
        the same question_id gets its answer.
        """
        content, files = await received(request, room, core.files, settings.max_body)
        pars = read(Command, content).pars
        message = IncomingMessage(
            ConversationId(NAME, f"group:{pars.group_id}", pars.user_id),
            Person(f"{NAME}:{pars.user_id}"),
            pars.command,
            attachments=files,
            question_id=pars.question_id or uuid4().hex,
        )
        try:
            async with present(request.receive):
                said = await answered(core, exchanges, message)
        except BotError as error:
            return refusal(error)
        reply = replied(pars, message.question_id, said)
        return Response(as_json(reply), media_type="application/json")

    return router


async def answered(core: Core, exchanges: Exchanges, message: IncomingMessage) -> Said:
    """What is said to a command. It is carried out even if nobody waits for that any more."""
    async with exchanges.ask(core, message, withdraws=False) as exchange:
        async for _ in exchange:
            pass
        return exchange.said


def replied(pars: CommandPars, question_id: str, said: Said) -> dict[str, Any]:
    """A Reply."""
    return {
        "version": VERSION,
        "pars": {
            "user_id": pars.user_id,
            "group_id": pars.group_id,
            "question_id": question_id,
            "text": said.text,
            "failed": said.ending in {Ending.FAILED, Ending.BROKEN},
            "buttons": [{"label": each.label, "command": each.says} for each in said.buttons],
            "file": file_of(said.document) if said.document else None,
        },
    }


async def received(
    request: Request, room: Room, folder: Path, most: int
) -> tuple[bytes, tuple[Attachment, ...]]:
    """The JSON of a request, of `most` bytes in a form, and the file beside it, which was kept.
    Raises Refusal.
    """
    if not request.headers.get("content-type", "").lower().startswith(FORM):
        require_json(request)
        return await request.body(), ()
    async with room.for_one():
        try:
            async with request.form(max_files=1, max_fields=1, max_part_size=most) as form:
                content, upload = fields(form)
                return content.encode(), (await kept(upload, folder),)
        except OSError as error:
            raise unkept(error) from error


def fields(form: FormData) -> tuple[str, UploadFile]:
    """The two fields of a form. Raises Refusal."""
    for name in form:
        if name not in FIELDS:
            raise Refusal(422, f"{safe(name)} is not a field of this form.", field=safe(name))
    content, upload = (form.get(name) for name in FIELDS)
    if not isinstance(content, str):
        raise Refusal(422, "json is missing: it has what a body without a file is.", field="json")
    if not isinstance(upload, UploadFile):
        raise Refusal(422, "file is missing: it has a file, with its name.", field="file")
    return content, upload


async def kept(upload: UploadFile, folder: Path) -> Attachment:
    """A file of a form, put where the core has files. Raises OSError."""
    path = folder / secrets.token_hex(16)
    await asyncio.to_thread(copy, upload.file, path)
    name = safe(upload.filename or "")
    return Attachment(name, readable(upload.content_type or ""), str(path), upload.size or 0)


def copy(file: BinaryIO, path: Path) -> None:
    """Write a file anew; nothing of it stays where it could not be written whole."""
    try:
        with path.open("xb") as target:
            shutil.copyfileobj(file, target)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def body() -> dict[str, Any]:
    """What the document says about the body."""
    schema = inlined_schema(Command)
    form = {
        "type": "object",
        "properties": {"json": schema, "file": {"type": "string", "format": "binary"}},
        "required": list(FIELDS),
        "additionalProperties": False,
    }
    encoding = {"json": {"contentType": "application/json"}}
    content = {"application/json": {"schema": schema}, FORM: {"schema": form, "encoding": encoding}}
    return {"requestBody": {"required": True, "content": content}}
