"""What stands in blocks, and how Slack escapes what a person wrote."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

UNREAD = frozenset({"actions", "context_actions"})
IN_LINE = frozenset({"rich_text_section", "rich_text_quote", "rich_text_preformatted"})
NESTED = ("title", "subtitle", "body", "text", "description", "fields", "elements", "rows")
SHOWN = {"broadcast": "@{range}", "user": "@{user_id}", "usergroup": "@{usergroup_id}"}


def escaped(text: str) -> str:
    """As Slack stores what a person types: &, < and > can mean nothing but themselves."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def unescaped(text: str) -> str:
    """As a person reads it."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def block_texts(blocks: Sequence[Any]) -> list[str]:
    """What a person reads in blocks, one text a block; the labels of buttons are left out."""
    return [text for block in blocks if (text := "\n".join(_read(block)))]


def _read(part: Any) -> Iterator[str]:
    """The texts of a block, an element or a list of them."""
    match part:
        case str():
            yield part
        case [*several]:
            for each in several:
                yield from _read(each)
        case {"type": str(kind)} if kind in UNREAD:
            return
        case {"type": str(kind)} if kind in SHOWN:
            yield SHOWN[kind].format_map(part)
        case {"type": "emoji", "name": name}:
            yield f":{name}:"
        case {"type": "link", "url": url}:
            yield part.get("text") or url
        case {"type": "image", "alt_text": alt}:
            yield from _read(part.get("title", []))
            yield alt
        case {}:
            nested = [text for key in NESTED if key in part for text in _read(part[key])]
            yield from ["".join(nested)] if part.get("type") in IN_LINE else nested


def texts_of(part: Any) -> Iterator[tuple[str, str]]:
    """Every text in blocks, however deep, each after its type: "mrkdwn", "markdown" …"""
    if isinstance(part, dict):
        if isinstance(part.get("text"), str):
            yield str(part.get("type", "")), part["text"]
        for each in part.values():
            yield from texts_of(each)
    elif isinstance(part, list):
        for each in part:
            yield from texts_of(each)


def elements_of(part: Any, kind: str) -> Iterator[dict[str, Any]]:
    """Every element of that type in blocks, however deep."""
    if isinstance(part, dict):
        if part.get("type") == kind:
            yield part
        for each in part.values():
            yield from elements_of(each, kind)
    elif isinstance(part, list):
        for each in part:
            yield from elements_of(each, kind)
