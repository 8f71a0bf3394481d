"""What a model wrote, so that Slack shows it and does nothing else by it.

Slack acts on `<!channel>`, `<@U…>` and `<address|label>` wherever a bot writes them, code included
(facts/slack.md). So `<` and `&` become references, sign by sign: nothing is ever cut in two by
that, and what a person reads is what the model wrote. A Markdown link whose label shows another
address than it opens gets a blank before its target, which makes text of it, both addresses seen.

`safe` of the beginning of a text begins `safe` of the text, up to what `streamable` holds back.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from itertools import pairwise

from slackify_markdown import slackify_markdown  # type: ignore[import-untyped]  # it has no stubs

from adapters.slack.links import links

PLACEHOLDER = "…"  # Slack takes no message in which nothing is seen
LESS, AND = "\ufdd0", "\ufdd1"  # no characters: they are in no text that was cleaned
# Control characters, halves of characters, what turns the direction of writing, no characters.
REMOVED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef\ufff9-\ufffb"
    "\ufffe\uffff]"
)
REFERENCES = str.maketrans({"<": "&lt;", "&": "&amp;"})
OWN_LINK = re.compile(r"<(?!(?:https?://|mailto:|tel:)[^<>|\s]+(?:\|[^<>|\n]*)?>)")


def safe(text: str) -> str:
    """Markdown for a markdown block or a stream."""
    text = cleaned(text).translate(REFERENCES)
    return spaced(text, [place for place, honest in links(text) if not honest])


def streamable(text: str) -> str:
    """As much of `safe` as whatever comes next cannot change."""
    text = cleaned(text).translate(REFERENCES)
    found = list(links(text))
    end = len(text)
    for place, honest in found:
        if honest is None:
            end = place
            break
    shown = text[:end]
    if shown.endswith("]"):  # a link's target may follow
        shown = shown[: len(shown.rstrip("]"))]
    dishonest = [place for place, honest in found if honest is False]
    return spaced(shown, [place for place in dishonest if place < len(shown)])


def visible(text: str) -> str:
    """The same, or a sign in the place of nothing."""
    seen = any(unicodedata.category(char)[0] not in "ZC" for char in text)
    return text if seen else PLACEHOLDER


def plain(text: str) -> str:
    """For where Slack takes no markup at all: labels of buttons, names of files."""
    return cleaned(text).replace("\n", " ").translate({ord("<"): "‹", ord(">"): "›"})


def notice(text: str, most: int) -> str:
    """For a message's `text`, which notifications show and search finds: `most` characters."""
    text = cleaned(text)
    shown = escaped(text)
    while len(shown) > most:
        text = text[: len(text) * most // len(shown) - 1]
        shown = escaped(text) + PLACEHOLDER
    return visible(shown)


def mrkdwn(text: str) -> str:
    """Slack's older markup, for where it takes no Markdown."""
    text = cleaned(text)
    text = spaced(text, [place for place, honest in links(text.translate(SINGLE)) if not honest])
    text = text.translate(SINGLE)
    try:
        shown = slackify_markdown(text)
    except Exception:  # an answer is never lost to its formatting
        shown = text.replace(">", "&gt;")
    shown = OWN_LINK.sub("&lt;", shown)
    for sign, reference in ((LESS, "&lt;"), (AND, "&amp;")):
        percent = "".join(f"%{byte:02X}" for byte in sign.encode())
        shown = shown.replace(sign, reference).replace(percent, reference)
    return visible(shown.strip("\n"))


SINGLE = str.maketrans({"<": LESS, "&": AND})


def escaped(text: str) -> str:
    """As it is written, in mrkdwn."""
    return cleaned(text).translate(REFERENCES).replace(">", "&gt;")


def cleaned(text: str) -> str:
    """Without what is no character, and what would show others in a wrong order."""
    return REMOVED.sub("", text)


def spaced(text: str, places: Sequence[int]) -> str:
    """A text with blanks put in at some places."""
    cuts = [0, *places, len(text)]
    return " ".join(text[a:b] for a, b in pairwise(cuts))
