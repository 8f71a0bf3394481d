"""Files: the bot's are uploaded in three steps, everybody's are fetched with the bot's token."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from mimetypes import guess_type
from typing import TYPE_CHECKING

from aiohttp import web

from tests.slack_server import wire
from tests.slack_server.blocks import checked
from tests.slack_server.chat import thread_of
from tests.slack_server.methods import method, writable
from tests.slack_server.values import File, Json, Parameters, Refused

if TYPE_CHECKING:
    from tests.slack_server.server import SlackServer


class Uploads:
    """What was announced, and what of it has come: a file is in the workspace when it is shared."""

    def __init__(self, slack: SlackServer) -> None:
        self._slack = slack
        self._announced: dict[str, tuple[File, int]] = {}
        self._come: dict[str, File] = {}

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        """Where files are sent and fetched; and the page for who shows no token."""
        return [
            web.post("/upload/v1/{file}", self._sent),
            web.get("/files/{place}/{name}", self._fetched),
            web.get("/login", self._login),
        ]

    def announce(self, name: str, length: int) -> Json:
        """A file is to come: its id and where it is to be posted."""
        workspace = self._slack.workspace
        file = workspace.keep(name, b"", guess_type(name)[0] or "text/plain", workspace.bot)
        # Until it has come and is shared, nobody finds it.
        del workspace.files[file.id]
        self._announced[file.id] = file, length
        return {"upload_url": f"{self._slack.url}/upload/v1/{file.id}", "file_id": file.id}

    def share(self, file_id: str, title: str) -> File:
        """A file that has come is in the workspace. Raises Refused."""
        if file_id not in self._come:
            raise Refused("file_not_found")
        file = replace(self._come.pop(file_id), title=title)
        self._slack.workspace.files[file_id] = file
        return file

    async def _sent(self, request: web.Request) -> web.Response:
        """The bytes of a file: as the whole body, or as the one part of a form."""
        file, length = self._announced.get(request.match_info["file"], (None, 0))
        if not file:
            return web.Response(status=404, text="no such upload")
        content = await request.read()
        if request.content_type == "multipart/form-data":
            parts = (await request.post()).values()
            files = [part.file.read() for part in parts if isinstance(part, web.FileField)]
            content = files[0] if files else b""
        if len(content) != length:
            self._slack.violates(f"{file.name}: {len(content)} bytes came, {length} were announced")
            return web.Response(status=400, text="wrong length")
        self._come[file.id] = replace(file, content=content)
        return web.Response(text=f"OK - {length}")

    async def _fetched(self, request: web.Request) -> web.StreamResponse:
        """A file; who has no right to it is sent to a page where people log in, as facts/slack.md
        has it.
        """
        token = request.headers.get("Authorization", "")
        if token != f"Bearer {self._slack.tokens.bot}":
            raise web.HTTPFound(f"{self._slack.url}/login?redir={request.path}")
        number = request.match_info["place"].rpartition("-")[2]
        file = self._slack.workspace.files.get(number)
        if not file:
            return wire.page("Not found", 404)
        return web.Response(body=file.content, content_type=file.media_type)

    async def _login(self, _: web.Request) -> web.Response:
        return wire.page("Sign in to Slack")


@method("files.getUploadURLExternal")
def get_upload_url_external(slack: SlackServer, given: Parameters) -> Json:
    """The first step: a place for a file of that `length` in bytes."""
    if int(given["length"]) < 1:
        raise Refused("missing_argument")
    return slack.uploads.announce(given["filename"], int(given["length"]))


@method("files.completeUploadExternal")
def complete_upload_external(slack: SlackServer, given: Parameters) -> Json:
    """The last step: the files are there and, if channels are named, in one message of each."""
    named = str(given.get("channel_id") or given.get("channels") or "")
    channels = [writable(slack, {"channel": each}) for each in named.split(",") if each]
    threads = [thread_of(slack, each, given.get("thread_ts")) for each in channels]
    blocks = checked(slack, given.get("blocks") or [])
    files = [slack.uploads.share(each["id"], each.get("title", "")) for each in given["files"]]
    comment = given.get("initial_comment") or ""
    for where, thread in zip(channels, threads, strict=True):
        slack.workspace.post(
            where, slack.workspace.bot, comment, blocks=blocks, files=files, thread_ts=thread
        )
    return {"files": [file.json() for file in files]}


@method("files.info")
def files_info(slack: SlackServer, given: Parameters) -> Json:
    """What a file is, and where it can be fetched."""
    file = slack.workspace.files.get(given["file"])
    if not file:
        raise Refused("file_not_found")
    return {"file": file.json(), "comments": []}
