"""Markdown to what Telegram shows: a text and its entities, in UTF-16 code units.

telegramify-markdown does the work; adapters.telegram.literal keeps what it would drop. Entities
need no escaping, so nothing that a model writes can fail to parse.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

import structlog
from telegram import MessageEntity
from telegramify_markdown import MessageEntity as Found
from telegramify_markdown import RenderConfig, convert

from adapters.telegram.literal import MARK, literal

MOST_UNITS = 4096
MOST_ENTITIES = 100
TAB = 4  # blanks
PLACEHOLDER = "…"  # Telegram takes no message in which nothing is seen
WELL_FORMED_URL = re.compile(r"(?:https?://|tg://|mailto:|tel:)\S+", re.IGNORECASE)
LANGUAGE = re.compile(r"[\w+#.-]{1,32}")
# Telegram makes blanks of control characters and takes these others out, which would move entities.
BLANKED = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f]")
REMOVED = re.compile(f"[\u2028-\u202e\ufff9-\ufffb\ufffe\uffff{MARK}]")
HALVES = re.compile("[\ud800-\udfff]")

log = structlog.get_logger()


class Formatted(NamedTuple):
    """What one message holds."""

    text: str
    entities: Sequence[MessageEntity] = ()


def symbols() -> RenderConfig:
    """Quiet signs: a heading is bold, a point is a point, and a long quotation is not folded."""
    config = RenderConfig.isolated()
    config.cite_expandable = False
    signs = config.markdown_symbol
    signs.heading_level_1 = signs.heading_level_2 = signs.heading_level_3 = ""
    signs.heading_level_4 = ""
    signs.unordered_list_item, signs.task_uncompleted = "•", "☐"
    return config


CONFIG = symbols()


def formatted(markdown: str) -> Formatted:
    """The message that shows a text of 4,096 units at most.

    It is plain where formatting would make it longer than a message, or leave nothing.
    """
    source = cleaned(markdown)
    try:
        converted = convert(literal(source), config=CONFIG, latex_escape=False)
        text, entities = trimmed(*unmarked(*converted))
    except Exception:  # an answer is never lost to its formatting
        log.exception("formatting failed")
        return plain(source)
    if not visible(text) or units(text) > MOST_UNITS:
        return plain(source)
    return Formatted(text, [entity(each) for each in sound(entities)])


def plain(text: str) -> Formatted:
    """The text as it was written, as far as a message goes."""
    text = cleaned(text).strip()
    return Formatted(cut(text) if visible(text) else PLACEHOLDER)


def cut(text: str) -> str:
    """What fits into a message."""
    return text.encode("utf-16-le")[: 2 * MOST_UNITS].decode("utf-16-le", "ignore")


def cleaned(text: str) -> str:
    """Without what Telegram would refuse, or take out behind our back."""
    text = widened(text.replace("\r\n", "\n"))
    return HALVES.sub("\ufffd", REMOVED.sub("", BLANKED.sub(" ", text)))


def widened(text: str) -> str:
    """With blanks for tabs, which Telegram shows as one: several, as far as a message has room."""
    tabs = text.count("\t")
    if not tabs:
        return text
    room = (MOST_UNITS - units(text)) // tabs
    return text.replace("\t", " " * (1 + max(0, min(TAB - 1, room))))


def visible(text: str) -> bool:
    """Whether a person sees anything: neither blanks nor characters without a shape."""
    return any(unicodedata.category(char)[0] not in "ZC" for char in text)


def units(text: str) -> int:
    """The length as Telegram counts it."""
    return len(text) + sum(char > "\uffff" for char in text)


def unmarked(text: str, entities: Sequence[Found]) -> tuple[str, list[Found]]:
    """Without the marks that `literal` put in, nor what character references stood for that
    Telegram takes out; the entities are moved accordingly.
    """
    text = BLANKED.sub(" ", text)
    if not REMOVED.search(text):
        return text, list(entities)
    before = list(accumulate((bool(REMOVED.match(char)) for char in wide(text)), initial=0))
    moved = [
        each.copy_with(
            offset=each.offset - before[each.offset],
            length=each.length - before[each.offset + each.length] + before[each.offset],
        )
        for each in entities
    ]
    return REMOVED.sub("", text), moved


def trimmed(text: str, entities: Sequence[Found]) -> tuple[str, list[Found]]:
    """Without blanks around it, and no entity beginning or ending with one."""
    front = units(text) - units(text.lstrip())
    text = text.strip()
    narrow = list(wide(text))
    return text, [tight for each in entities if (tight := tightened(each, front, narrow))]


def tightened(found: Found, front: int, text: Sequence[str]) -> Found | None:
    """An entity that covers no blanks at its ends; None if nothing is left of it."""
    start, end = max(0, found.offset - front), min(found.offset + found.length - front, len(text))
    while start < end and text[start].isspace():
        start += 1
    while start < end and text[end - 1].isspace():
        end -= 1
    return found.copy_with(offset=start, length=end - start) if start < end else None


def wide(text: str) -> Iterator[str]:
    """The characters of a text, those of two units twice."""
    for char in text:
        yield char
        if char > "\uffff":
            yield char


def sound(entities: Sequence[Found]) -> list[Found]:
    """Those that Telegram takes: of a kind that a bot may send, nested well, a hundred at most."""
    kept: list[Found] = []
    open_: list[Found] = []
    for each in sorted(entities, key=lambda found: (found.offset, -found.length)):
        while open_ and end(open_[-1]) <= each.offset:
            open_.pop()
        crosses = bool(open_) and end(each) > end(open_[-1])
        if allowed(each) and not crosses and not forbids(open_, each):
            kept.append(each)
            open_.append(each)
    return kept[:MOST_ENTITIES]


def end(found: Found) -> int:
    """Where an entity ends."""
    return found.offset + found.length


def allowed(found: Found) -> bool:
    """Whether it means something: no link to nowhere, no emoji that bots cannot send."""
    if found.type == "text_link":
        return bool(WELL_FORMED_URL.fullmatch(found.url or ""))
    return found.type != "custom_emoji"


def forbids(around: Sequence[Found], found: Found) -> bool:
    """Whether what stands around takes no such entity: code takes none, and none its own kind."""
    kinds = {each.type for each in around}
    return found.type in kinds or not kinds.isdisjoint({"code", "pre"})


def entity(found: Found) -> MessageEntity:
    """The same in the terms of the Bot API."""
    language = found.language if LANGUAGE.fullmatch(found.language or "") else None
    return MessageEntity(found.type, found.offset, found.length, found.url, language=language)
