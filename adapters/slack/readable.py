"""Slack's own writing of a text, as people see it. Pure.

Slack sends <@U1>, <#C1|name>, <!here> and <url|label>, and escapes &, < and > (docs.slack.dev,
"Formatting message text").
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Set

TOKEN = re.compile(r"<([^<>\s][^<>]*)>")
PERSON = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^<>]*)?>")
SCHEME = re.compile(r"^(?:https?://|mailto:|tel:)")
ESCAPED = re.compile(r"&(lt|gt|amp);")
UNESCAPED = {"lt": "<", "gt": ">", "amp": "&"}


def people_in(text: str) -> Set[str]:
    """The ids of those whom a text mentions."""
    return set(PERSON.findall(text))


def readable(text: str, names: Mapping[str, str]) -> str:
    """A text as people see it. `names` has those of the people in it; others keep their ids."""
    pieces = TOKEN.split(text)
    pieces[::2] = map(unescaped, pieces[::2])
    pieces[1::2] = (shown(token, names) for token in pieces[1::2])
    return "".join(pieces)


def shown(token: str, names: Mapping[str, str]) -> str:
    """What stands between < and >."""
    target, _, label = (unescaped(part) for part in token.partition("|"))
    match target[:1]:
        case "":
            return label
        case "@":
            return f"@{names.get(target[1:]) or label or target[1:]}"
        case "#":
            return f"#{label or target[1:]}"
        case "!":
            return special(target[1:], label)
        case _:
            return link(target, label)


def special(target: str, label: str) -> str:
    """A group, everybody here, or a date, which Slack labels for who cannot show it."""
    if label:
        return label if target.startswith("date^") else f"@{label.removeprefix('@')}"
    return f"@{target.rpartition('^')[2]}"


def link(url: str, label: str) -> str:
    """A link with its label, if that says more than where it leads. One that Slack made of a name
    with a dot, as item.name is one, is that name.
    """
    if url == f"http://{label}":
        return label
    told = SCHEME.sub("", url).rstrip("/")
    if not label or SCHEME.sub("", label).rstrip("/") == told:
        return label if label and url.startswith(("mailto:", "tel:")) else url
    return f"{label} ({url})"


def unescaped(text: str) -> str:
    """What a person typed."""
    return ESCAPED.sub(lambda found: UNESCAPED[found[1]], text)
