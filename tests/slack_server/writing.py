"""What Slack makes of a text that a person types."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from tests.slack_server.text import escaped, unescaped
from tests.slack_server.values import Json, User

# What Slack's client writes by itself: mentions, channels, and links.
MARKED = re.compile(r"(<(?:[@#!][^<>\s]+|https?://[^<>\s]+)>)")
NAMED = re.compile(r"@([a-z0-9][a-z0-9._-]*)")


def typed(text: str, users: Iterable[User]) -> str:
    """As Slack stores it: @name of somebody is a mention, anything else means itself. What stands
    in Slack's own form already, as <@U0123>, stays.
    """
    ids = {user.name: user.id for user in users}

    def mention(found: re.Match[str]) -> str:
        return f"<@{ids[found[1]]}>" if found[1] in ids else found[0]

    parts = MARKED.split(text)
    parts[::2] = [NAMED.sub(mention, escaped(part)) for part in parts[::2]]
    return "".join(parts)


def rich_text(text: str) -> list[Json]:
    """The blocks that Slack's client sends beside a stored text."""
    section = {"type": "rich_text_section", "elements": list(elements(text))}
    return [{"type": "rich_text", "block_id": "typed", "elements": [section]}] if text else []


def elements(text: str) -> Iterator[Json]:
    """The pieces of one line of rich text."""
    for part in MARKED.split(text):
        marked = part[1:-1].partition("|")[0] if MARKED.fullmatch(part) else ""
        match marked[:1]:
            case "@":
                yield {"type": "user", "user_id": marked[1:]}
            case "#":
                yield {"type": "channel", "channel_id": marked[1:]}
            case "!":
                yield {"type": "broadcast", "range": marked[1:]}
            case "h":
                yield {"type": "link", "url": unescaped(marked)}
            case _ if part:
                yield {"type": "text", "text": unescaped(part)}
