"""A file for a chat: a picture so that it is seen, anything else as it is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from telegram import InputFile, Message
from telegram.error import BadRequest

from adapters.telegram.api import Api
from bot.messages import Document

Call = Callable[[dict[str, Any]], Awaitable[Message]]
MOST_PHOTO, MOST_UPLOAD = 10 * 1024**2, 50 * 1024**2
PHOTOS = ("image/png", "image/jpeg")


async def upload(
    api: Api, document: Document, here: Callable[[Call], Awaitable[Message]]
) -> Message:
    """Post a file; `here` says where a call goes."""
    file = InputFile(document.content, filename=document.name)
    if document.media_type in PHOTOS and len(document.content) <= MOST_PHOTO:
        with suppress(BadRequest):
            return await here(lambda where: api.send_photo(photo=file, **where))
    return await here(lambda where: api.send_document(document=file, **where))
