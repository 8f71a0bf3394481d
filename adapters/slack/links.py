"""Links in Markdown, and whether their labels are honest: none may show one address and open
another.

What is still to come may make a link of what stands at the end of a growing text: then nobody
knows yet.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

SIGNS = re.compile(r"\\[\[\]]|[\[\]]|`+|\n[ \t]*\n")
STOPS = re.compile(r"[\s()]")  # what a link's target ends with
FOLLOWS = "([:"  # what follows a label that is one
MOST_LABEL = 500  # characters; what is longer is nobody's label of a link
MOST_TARGET = 2000  # characters that a link's target may have, and be waited for
MARKS = re.compile(r"[*_~`\\\s]")
ENDINGS = (
    "com|org|net|io|dev|ai|app|co|edu|gov|mil|int|info|biz|me|us|uk|eu|de|fr|nl|ch|at|es|it|pl|ru|"
    "cn|jp|in|br|ca|au|se|no|dk|fi|be|ie|xyz|online|site|shop|store|cloud|tech|link|top|page|live|"
    "bank|pay|slack"
)
ADDRESS = re.compile(
    rf"(?:[a-z][a-z0-9+.-]*://|www\.)[^\s/?#|<>()\[\]]+|[\w-]+(?:\.[\w-]+)*\.(?:{ENDINGS})\b",
    re.IGNORECASE,
)
ACTS = ("!", "@", "#")  # how what Slack acts on begins, if it made such a form of a link


def links(text: str) -> Iterator[tuple[int, bool | None]]:
    """Each place between a label and what may be its target, and whether the label is honest; None
    where what is still to come decides that.
    """
    for place, labels in labelled(text):
        if text[place : place + 1] not in FOLLOWS:  # the end of a text is
            continue
        rest = text[place : place + MOST_TARGET]
        found = {fits(label, rest) for label in labels}
        if False in found or (None in found and len(rest) == MOST_TARGET):
            yield place, False
        else:
            yield place, None if None in found else True


def labelled(text: str) -> Iterator[tuple[int, Sequence[str]]]:
    """Where labels end, and all that each may be: whether a bracket stands in a code span, and so
    is none, only Slack's own parser decides.
    """
    every: list[int] = []  # where brackets are open
    outside: list[int] = []  # the same without those in code spans
    spans: dict[str, list[int]] = {}  # what `outside` was where a code span may begin
    paragraph, code = 0, False
    for sign in SIGNS.finditer(text):
        match sign[0]:
            case "[":
                every.append(sign.end())
                outside.append(sign.end())
            case "]":
                starts = {stack.pop() if stack else paragraph for stack in (every, outside)}
                if code and every:
                    starts.add(every[0])
                yield sign.end(), [text[start : sign.start()] for start in starts]
            case ticks if ticks[0] == "`":
                code = True
                if ticks in spans:
                    outside, spans = spans[ticks], {}
                else:
                    spans[ticks] = outside.copy()
            case blank if blank[0] == "\n":
                every, outside, spans = [], [], {}
                paragraph, code = sign.end(), False


def fits(label: str, rest: str) -> bool | None:
    """Whether what follows a label leads where the label says; None while that is not known."""
    shown = addresses(label)
    if not rest:
        return None if shown else True
    if rest[0] != "(":  # where a reference leads is said elsewhere
        return not shown
    inside = rest[1:].lstrip()
    target = STOPS.split(inside, maxsplit=1)[0]
    if target == inside:
        return None
    if target.startswith(ACTS) or len(label) > MOST_LABEL:
        return False
    hosts = {host(each) for each in shown}
    return not hosts or hosts == {host(target)}


def addresses(label: str) -> Sequence[str]:
    """The addresses that a person sees in a label, whatever it is written with."""
    if len(label) > MOST_LABEL:
        return [label]
    seen = label.replace("&amp;", "&")
    if not seen.isascii():
        seen = unicodedata.normalize("NFKC", seen)
        seen = "".join(char for char in seen if unicodedata.category(char) != "Cf")
    return ADDRESS.findall(MARKS.sub("", seen)) or ADDRESS.findall(seen)


def host(address: str) -> str:
    """The host of an address, with or without a scheme."""
    address = address.replace("&amp;", "&")
    try:
        parts = urlsplit(address if "//" in address else f"//{address}")
        return (parts.hostname or "").rstrip(".").removeprefix("www.")
    except ValueError:
        return address
