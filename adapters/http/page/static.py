"""The page itself and its files: everything that a browser loads, and all that it may."""

from __future__ import annotations

import mimetypes
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse

FOLDER = Path(__file__).with_name("static")
INDEX = "index.html"

# Nothing but our own scripts runs, nothing from elsewhere is loaded, and HTML is made from text at
# one place alone, page/static/html.js.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data: blob:; font-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types answers"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cache-Control": "no-cache",
}


@dataclass(frozen=True, slots=True)
class File:
    """A file as it is sent; the tag changes with its content."""

    content: bytes
    media_type: str
    tag: str


def add(router: APIRouter) -> None:
    """GET / and GET /page/NAME, for anybody: no secret is in them."""
    files = {path.name: read(path) for path in FOLDER.iterdir()}

    @router.get("/")
    async def page(request: Request) -> Response:
        """The page."""
        return sent(files[INDEX], request)

    @router.get("/page/{name}")
    async def file(name: str, request: Request) -> Response:
        """A file of the page."""
        if name not in files:
            return PlainTextResponse("The page has no such file.", 404)
        return sent(files[name], request)


def read(path: Path) -> File:
    """A file of the page; there are few, and they are small."""
    content = path.read_bytes()
    media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return File(content, media_type, f'"{sha256(content).hexdigest()[:16]}"')


def sent(file: File, request: Request) -> Response:
    """A file, or that the browser has it already."""
    headers = {**HEADERS, "ETag": file.tag}
    if request.headers.get("if-none-match") == file.tag:
        return Response(status_code=304, headers=headers)
    return Response(file.content, media_type=file.media_type, headers=headers)
