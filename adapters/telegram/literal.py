"""Markdown in which is escaped what telegramify-markdown would drop or misread.

HTML is text here, as are dollar signs without TeX between them and `||`; TeX in \\( \\) and \\[ \\]
is found outside of code only; bold text ends where Chinese, Japanese or Korean punctuation meets a
letter, which CommonMark's rules for blanks forbid.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import pyromark
from telegramify_markdown.converter import STANDARD_OPTIONS

MARK = "\ufdd0"  # no character: it is in no text, and a letter to a Markdown parser
BLOCK_TEX = re.compile(r"\\\[((?:(?!\n\n).)+?)\\\]", re.DOTALL)
INLINE_TEX = re.compile(r"\\\((.+?)\\\)")
TEX = re.compile(r"[\\^_{}]")
WIDE_MARKS = (
    "\u2014\u2018-\u201f\u2026\u3001-\u3003\u3008-\u3011\u3014-\u301f"
    "\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65"
)
ENDS = re.compile(rf"(?<=[{WIDE_MARKS}])(\*\*|~~)(?=[^\W_])")
BEGINS = re.compile(rf"(?<=[^\W_])(\*\*|~~)(?=[{WIDE_MARKS}])")
ESCAPED = re.compile(r"\\[$<|]")
MOST_LOOKS = 20  # what is escaped may uncover more, but not without end

Event = tuple[Any, Mapping[str, Any]]
Insertion = tuple[int, bytes]


def literal(markdown: str) -> str:
    """The same Markdown, of which nothing that is seen gets lost."""
    text = ENDS.sub(rf"{MARK}\1", BEGINS.sub(rf"\1{MARK}", markdown))
    if "\\(" in text or "\\[" in text:
        text = with_dollars(text)
    if not any(sign in text for sign in ("<", "$", "||")):
        return text
    for _ in range(MOST_LOOKS):
        insertions = sorted(misread(text, events(text)))
        if not insertions:
            break
        text = inserted(text, insertions)
    return text


def events(text: str) -> Sequence[Event]:
    """What the parser finds, each with its range in bytes of UTF-8."""
    found = pyromark.events_with_range(text, options=STANDARD_OPTIONS)
    return [(event, dict(at)) for event, at in found]


def with_dollars(text: str) -> str:
    """TeX between dollar signs, which the parser knows; what is no TeX stays as it is."""
    data = text.encode()
    pieces, at = [], 0
    for start, end in code(events(text)):
        pieces += [dollars(data[at:start].decode()), data[start:end].decode()]
        at = end
    return "".join([*pieces, dollars(data[at:].decode())])


def dollars(text: str) -> str:
    """The same for a text without code."""
    text = BLOCK_TEX.sub(lambda found: tex(found, "$$"), text)
    return INLINE_TEX.sub(lambda found: tex(found, "$"), text)


def tex(found: re.Match[str], sign: str) -> str:
    """A formula between signs, unless it is none."""
    body = found[1].strip()
    return f"{sign}{body}{sign}" if is_tex(body) and "$" not in body else found[0]


def code(found: Sequence[Event]) -> Iterator[tuple[int, int]]:
    """Where code stands."""
    for event, at in found:
        start = event.get("Start") if isinstance(event, dict) else None
        if isinstance(event, dict) and ("Code" in event or "CodeBlock" in (start or ())):
            yield at["start"], at["end"]


def misread(text: str, found: Sequence[Event]) -> Iterator[Insertion]:
    """What must be put in, and where, so that everything is read as it is seen."""
    data = text.encode()
    yield from bars(data, found)
    for event, at in found:
        kind = next(iter(event)) if isinstance(event, dict) else ""
        start, end = at["start"], at["end"]
        if kind in {"Html", "InlineHtml"}:
            less = data.find(b"<", start, end)
            if less >= 0 and data.find(b"`", start, less) < 0:  # else it may be code, once seen so
                yield less, b"\\"
        elif kind in {"InlineMath", "DisplayMath"} and not is_tex(event[kind]):
            width = 1 if kind == "InlineMath" else 2
            places = [*range(start, start + width), *range(end - width, end)]
            yield from ((place, b"\\") for place in places)


def is_tex(math: str) -> bool:
    """Whether a formula stands between dollar signs; what was escaped here makes none."""
    return bool(TEX.search(ESCAPED.sub("", math)))


def bars(data: bytes, found: Sequence[Event]) -> Iterator[Insertion]:
    """`||` hides text in Telegram, but a model means an "or", or an empty cell of a table."""
    if b"||" not in data:
        return
    codes, tables = list(code(found)), list(regions(found, "Table"))
    for bar in re.finditer(rb"(?<!\\)\|(?=\|)", data):
        place = bar.end()
        if not within(place, codes):
            yield place, b" " if within(place, tables) else b"\\"


def regions(found: Sequence[Event], kind: str) -> Iterator[tuple[int, int]]:
    """Where blocks of a kind stand."""
    for event, at in found:
        start = event.get("Start") if isinstance(event, dict) else None
        if isinstance(start, dict) and kind in start:
            yield at["start"], at["end"]


def within(place: int, ranges: Sequence[tuple[int, int]]) -> bool:
    """Whether a place is inside one of the ranges."""
    return any(start < place < end for start, end in ranges)


def inserted(text: str, insertions: Sequence[Insertion]) -> str:
    """A text with something put in at some bytes."""
    data = text.encode()
    places = [0, *(place for place, _ in insertions), len(data)]
    signs = [sign for _, sign in insertions] + [b""]
    pieces = (data[a:b] + sign for (a, b), sign in zip(pairwise(places), signs, strict=True))
    return b"".join(pieces).decode()
