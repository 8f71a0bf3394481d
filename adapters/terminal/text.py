"""What may reach a terminal: a model's text is data and must not command the terminal."""

from __future__ import annotations

import re

# A whole sequence goes, so that its parameters do not stay behind as litter …
_SEQUENCES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor, modes
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)"  # OSC, DCS …
)
# … and then every control character by itself: C0, DEL, C1, and what turns the reading direction.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_SURROGATES = re.compile(r"[\ud800-\udfff]")


def clean(text: str) -> str:
    """The text without anything that a terminal would obey; lines and tabs stay."""
    text = _SEQUENCES.sub("", text.replace("\r\n", "\n"))
    return _SURROGATES.sub("\N{REPLACEMENT CHARACTER}", _CONTROLS.sub("", text))


def tail(markdown: str, most: int) -> str:
    """The last whole lines within `most` characters; a code block that is cut is opened again."""
    if len(markdown) <= most:
        return markdown
    start = markdown.find("\n", len(markdown) - most) + 1 or len(markdown) - most
    fence = ""
    for line in map(str.strip, markdown[:start].splitlines()):
        if fence:
            fence = "" if closes(line, fence) else fence
        elif line.startswith(("```", "~~~")):
            fence = line
    return f"{fence}\n{markdown[start:]}" if fence else markdown[start:]


def closes(line: str, fence: str) -> bool:
    """Whether a line ends the code block that the fence began."""
    mark = fence[0]
    return not line.strip(mark) and len(line) >= len(fence) - len(fence.lstrip(mark))
