"""What a model is told of the files that people attach: text is read out, pictures are shown to
models that see, everything else is named.
"""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import Sequence
from pathlib import Path

from bot.messages import Attachment, Turn

MOST_BYTES = 64 * 1024  # of a text that are read out: what many windows still hold
MOST_PICTURES = 4  # the newest of a conversation: each is paid for with every turn
SEEN = ("image/png", "image/jpeg", "image/webp", "image/gif")  # what models take: OpenAI's guide
KILO = 1000


async def read_out(turns: Sequence[Turn], *, sees: bool) -> tuple[Turn, ...]:
    """Turns with their files' texts below what was written; pictures stay for a model that sees."""
    if not any(turn.attachments for turn in turns):
        return tuple(turns)
    return await asyncio.to_thread(lambda: tuple(with_files(turn, sees=sees) for turn in turns))


async def pictures(turns: Sequence[Turn]) -> dict[str, str]:
    """The newest pictures of turns as data URLs, by path."""
    files = [file for turn in turns for file in turn.attachments][-MOST_PICTURES:]
    return await asyncio.to_thread(
        lambda: {file.path: url for file in files if (url := shown(file))}
    )


def with_files(turn: Turn, *, sees: bool) -> Turn:
    """A turn that says what its files say."""
    seen = tuple(file for file in turn.attachments if sees and file.media_type in SEEN)
    texts = (told(file) for file in turn.attachments if file not in seen)
    return turn._replace(text="\n\n".join(filter(None, [turn.text, *texts])), attachments=seen)


def told(file: Attachment) -> str:
    """What a model is told of a file."""
    text = text_of(file)
    if text is None:
        return f"[The file {file.name}, {file.media_type}, {sized(file.size)}: not readable here]"
    fence = "`" * max(3, 1 + longest_fence(text))
    cut = f"\n[Cut: the whole file has {sized(file.size)}]" if file.size > MOST_BYTES else ""
    return f"The file {file.name}:\n{fence}\n{text.rstrip()}\n{fence}{cut}"


def text_of(file: Attachment) -> str | None:
    """The beginning of a text file; None for one that is no UTF-8 text, or not there any more."""
    try:
        with Path(file.path).open("rb") as opened:
            content = opened.read(MOST_BYTES)
    except OSError:
        return None
    if b"\0" in content:
        return None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if file.size <= MOST_BYTES or error.start < len(content) - 3:
            return None
        return content[: error.start].decode("utf-8-sig")  # the cut went through a character


def shown(file: Attachment) -> str:
    """A picture as a data URL; "" when it is not there any more."""
    try:
        content = Path(file.path).read_bytes()
    except OSError:
        return ""
    return f"data:{file.media_type};base64,{base64.b64encode(content).decode()}"


def longest_fence(text: str) -> int:
    """The most backticks that stand together."""
    return max((len(ticks) for ticks in re.findall("`+", text)), default=0)


def sized(size: int) -> str:
    """A size for people."""
    if size < KILO:
        return f"{size} bytes"
    return f"{size / KILO:,.0f} kB" if size < KILO**2 else f"{size / KILO**2:,.1f} MB"
