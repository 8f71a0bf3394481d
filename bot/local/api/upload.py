"""A file of a form, written to the disk piece by piece as it comes."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

from fastapi import Request
from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header

from bot.local.api.errors import Refused

LARGEST = 512 * 1024**2  # https://platform.openai.com/docs/api-reference/files/create
LONGEST_FIELD = 4096  # bytes
ESCAPED = {"%22": '"', "%0D": "\r", "%0A": "\n"}
"""What browsers and clients write in a name, and nothing else: a "%" stays itself.
https://html.spec.whatwg.org/multipage/form-control-infrastructure.html#multipart-form-data
"""


class Upload:
    """A form that comes: a field named file, whose content goes to `path`, and short texts."""

    def __init__(self, path: Path) -> None:
        self.name = ""  # of the file; "" while none came
        self.size = 0
        self.texts: dict[str, str] = {}
        self._path = path
        self._pieces: list[bytes] = []  # of the file, since they were last written
        self._header: list[bytes] = [b"", b""]
        self._options: dict[bytes, bytes] = {}
        self._text = b""
        self._whole = False

    async def read(self, request: Request) -> None:
        """Take the whole form. Raises Refused, OSError and starlette's ClientDisconnect."""
        kind, options = parse_options_header(request.headers.get("content-type", ""))
        if kind != b"multipart/form-data" or b"boundary" not in options:
            raise Refused(400, "Send the file as multipart/form-data, with file and purpose.")
        parser = MultipartParser(options[b"boundary"], self._callbacks())
        with self._path.open("wb") as file:
            async for piece in request.stream():
                try:
                    parser.write(piece)
                except MultipartParseError as error:
                    raise Refused(400, f"The form cannot be read: {error}.") from None
                pieces, self._pieces = self._pieces, []
                await asyncio.to_thread(file.writelines, pieces)
        if not self._whole:
            raise Refused(400, "The form cannot be read: its end is missing.")

    def _callbacks(self) -> Any:
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._name_header,
            "on_header_value": self._value_header,
            "on_header_end": self._end_header,
            "on_part_data": self._data,
            "on_part_end": self._end,
            "on_end": self._finish,
        }

    def _begin(self) -> None:
        self._options, self._text = {}, b""

    def _name_header(self, data: bytes, start: int, end: int) -> None:
        self._header[0] += data[start:end]

    def _value_header(self, data: bytes, start: int, end: int) -> None:
        self._header[1] += data[start:end]

    def _end_header(self) -> None:
        name, value = self._header
        if name.lower() == b"content-disposition":
            self._options = parse_options_header(value)[1]
            if self._is_file:
                self.name = unescaped(self._options[b"filename"].decode(errors="replace"))
        self._header = [b"", b""]

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._is_file:
            self.size += end - start
            if self.size > LARGEST:
                raise Refused(413, f"A file may have {LARGEST // 1024**2} MB at most.")
            self._pieces.append(data[start:end])
        else:
            self._text += data[start:end]
            if len(self._text) > LONGEST_FIELD or len(self.texts) > 20:
                raise Refused(400, "A field of the form is too long.")

    def _end(self) -> None:
        if not self._is_file:
            name = self._options.get(b"name", b"").decode(errors="replace")
            self.texts[name] = self._text.decode(errors="replace")

    def _finish(self) -> None:
        self._whole = True

    @property
    def _is_file(self) -> bool:
        return self._options.get(b"name") == b"file" and b"filename" in self._options


def unescaped(name: str) -> str:
    """A file's name as it was before it became a part of a header."""
    return re.sub("|".join(ESCAPED), lambda found: ESCAPED[found[0]], name)
