"""What Telegram makes of a text and its entities. Positions are UTF-16 code units."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

from tests.telegram_server.values import Json, Refused

MOST_ENTITIES = 100
TYPES = frozenset(
    {
        *("mention", "hashtag", "cashtag", "bot_command", "url", "email", "phone_number", "bold"),
        *("italic", "underline", "strikethrough", "spoiler", "blockquote", "expandable_blockquote"),
        *("code", "pre", "text_link", "text_mention", "custom_emoji", "date_time"),
    }
)
REMOVED = re.compile("[\r\u2028-\u202e]")
BLANKED = re.compile("[\x00-\x09\x0b\x0c\x0e-\x1f]")
SPOTTED = re.compile(r"(?<![\w/@])(?:(/\w{1,32}(?:@\w+)?)|(@\w{4,32}))\b")


def units(text: str) -> int:
    """The length of a text as Telegram counts it."""
    return len(text) + sum(char > "\uffff" for char in text)


def formatted(text: str, entities: Any, most: int) -> tuple[str, list[Json]]:
    """The text and entities that stand in the chat in the end; "" if nothing is left.

    Stricter than Telegram, which mends entities that overlap in part: nobody should send them.
    """
    checked = [dict(each) for each in entities or ()]
    if checked:
        starts = frozenset(accumulate(map(units, text), initial=0))
        for entity in checked:
            check(entity, starts)
        nested(checked)
    text, checked = trimmed(*cleaned(text, checked[:MOST_ENTITIES]))
    if units(text) > most:
        raise Refused("message is too long" if most > 1024 else "message caption is too long")
    return text, checked


def check(entity: Json, starts: frozenset[int]) -> None:
    """Refuse an entity of a wrong kind or place."""
    offset, length = entity.get("offset"), entity.get("length")
    if entity.get("type") not in TYPES:
        raise Refused("can't parse entities: wrong type of a MessageEntity")
    if not isinstance(offset, int) or not isinstance(length, int) or length <= 0:
        raise Refused("can't parse entities: wrong place of a MessageEntity")
    if entity["type"] == "text_link" and not entity.get("url"):
        raise Refused("can't parse entities: a text_link without its URL")
    if offset not in starts:
        where = "after the end of the text" if offset > max(starts) else "in the middle of a symbol"
        raise Refused(f"entity begins {where} at UTF-16 offset {offset}")
    if offset + length not in starts:
        end = offset + length
        where = "after the end of the text" if end > max(starts) else "in the middle of a symbol"
        raise Refused(f"entity beginning at UTF-16 offset {offset} ends {where} at {end}")


def nested(entities: Sequence[Json]) -> None:
    """Refuse entities that overlap in part."""
    ends: list[int] = []
    for entity in sorted(entities, key=lambda each: (each["offset"], -each["length"])):
        end = entity["offset"] + entity["length"]
        while ends and ends[-1] <= entity["offset"]:
            ends.pop()
        if ends and end > ends[-1]:
            raise Refused(f"can't parse entities: overlap at UTF-16 offset {entity['offset']}")
        ends.append(end)


def cleaned(text: str, entities: list[Json]) -> tuple[str, list[Json]]:
    """Without what Telegram takes out; control characters are blanks."""
    text = BLANKED.sub(" ", text)
    if not REMOVED.search(text):
        return text, entities
    kept = (0 if REMOVED.match(char) else units(char) for char in text)
    before = accumulate(map(units, text), initial=0)
    places = dict(zip(before, accumulate(kept, initial=0), strict=True))
    moved = [spanning(each, places[each["offset"]], places[stop(each)]) for each in entities]
    return REMOVED.sub("", text), [each for each in moved if each["length"]]


def trimmed(text: str, entities: list[Json]) -> tuple[str, list[Json]]:
    """Without blanks around it; but what is formatted keeps the blanks that it begins with."""
    body = text.rstrip()
    first = min((each["offset"] for each in entities), default=len(body))
    front = min(len(body) - len(body.lstrip()), first)
    body = body[front:]
    most = units(body)
    moved = [
        spanning(each, each["offset"] - front, min(stop(each) - front, most)) for each in entities
    ]
    return body, [each for each in moved if each["length"] > 0]


def stop(entity: Json) -> int:
    """Where an entity ends."""
    return int(entity["offset"] + entity["length"])


def spanning(entity: Json, start: int, end: int) -> Json:
    """The same entity elsewhere."""
    return {**entity, "offset": start, "length": end - start}


def spotted(text: str) -> list[Json]:
    """The commands and mentions that Telegram finds in what a person writes."""
    return [
        {
            "type": "bot_command" if found[1] else "mention",
            "offset": units(text[: found.start()]),
            "length": units(found[0]),
        }
        for found in SPOTTED.finditer(text)
    ]


def split(text: str, most: int) -> list[str]:
    """As Telegram's own apps cut what is too long for one message."""
    parts = [""]
    for char in text:
        if units(parts[-1]) + units(char) > most:
            parts.append("")
        parts[-1] += char
    return parts
