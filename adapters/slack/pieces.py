"""A part of an answer in several messages, where escaping makes it too long for one.

Every cut depends only on what stands before it, as the core's own: a piece that is full never
changes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from adapters.slack.safe import safe

FENCE = re.compile(r"[ \t]*(`{3,}|~{3,})([^`\n]{0,20})")
LEAST = 400  # bytes that every message takes
ROOM = 40  # bytes for a code block to be closed and opened again


def pieces(text: str, most: int) -> Sequence[str]:
    """The texts of the messages that hold a part: `most` bytes each at most, once they are safe."""
    if largest(text) <= most:
        return [text]
    whole, opening = [], ""
    while size(opening + text) > most:
        cut = last_cut(text, most - ROOM - size(opening))
        body = opening + text[:cut].rstrip("\n")
        fence = open_fence(body)
        whole.append(f"{body}\n{fence.strip()[:3]}" if fence else body)
        opening = f"{fence}\n" if fence else ""
        text = text[cut:].lstrip("\n")
    return [*whole, opening + text] if text.strip() or not whole else whole


def size(text: str) -> int:
    """The bytes that Slack gets of a text, with room for the blanks that part links."""
    return len(safe(text).encode())


def largest(text: str) -> int:
    """No fewer bytes than `size` finds, and found at once."""
    grows = 3 * text.count("<") + 4 * text.count("&") + text.count("]")
    return len(text.encode("utf-8", "surrogatepass")) + grows


def last_cut(text: str, most: int) -> int:
    """Where a text is cut: at the end of a line in its second half, else at a space, else where it
    is full.
    """
    low, high = 1, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if size(text[:middle]) <= most else (low, middle - 1)
    for sign in ("\n", " "):
        found = text.rfind(sign, low // 2, low)
        if found > 0:
            return found + 1
    return low


def open_fence(text: str) -> str:
    """The line that opened the code block in which a text ends, "" outside of one."""
    fence = ""
    for line in text.split("\n"):
        found = FENCE.match(line)
        if not found:
            continue
        if not fence:
            fence = found[0]
        elif found[1].startswith(fence.strip()[:3]) and not found[2].strip():
            fence = ""
    return fence
