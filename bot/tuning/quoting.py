"""Texts from elsewhere in our Markdown: names of files, and what a service says. They may hold
marks, mentions, line ends, or be endless. Pure.
"""

from __future__ import annotations

import re

SHORT = 100  # characters of a name
LONGEST = 500  # of a sentence

_MARKS = re.compile(r"[`*~\[\]<>|\\#@]|(?<!\w)_|_(?!\w)|^\s*(?:[-+>]|\d+[.)])\s")


def quoted(text: str, most: int = SHORT) -> str:
    """A text in one line as it is, or as code where it would be more than text."""
    text = one_line(text, most)
    return coded(text, most) if _MARKS.search(text) else text


def coded(text: str, most: int = 2 * SHORT) -> str:
    """A text in one line as code, in which no mark means anything; "" for none."""
    text = one_line(text, most).replace("`", "'")
    return f"`{text}`" if text else ""


def one_line(text: str, most: int) -> str:
    """A text without line ends and other characters that cannot be seen, cut at its length."""
    text = " ".join("".join(c if c.isprintable() else " " for c in text[: 4 * most]).split())
    return text if len(text) <= most else f"{text[: most - 1]}…"
