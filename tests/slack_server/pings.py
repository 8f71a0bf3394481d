"""What Slack would act on in a text of the bot: whom it wakes, and links that lie.

Assumed of Slack: `<!channel>`, `<!here>`, `<!everyone>`, `<!subteam^S…>`, `<@U…>` and
`<address|label>` act in a message's text, in mrkdwn and markdown blocks and in streams; that a
message has blocks does not protect its text, and neither do code spans. `&lt;` is safe. A
plain_text shows everything as it is written, a rich_text acts by its elements alone. A bare
`@channel` acts where the bot asked Slack to find names (`link_names`, `parse=full`). Nobody is
woken by what only one person sees.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from tests.slack_server.text import elements_of, texts_of
from tests.slack_server.values import Message

# What stands in an attachment has no type, and is mrkdwn.
ACTING = frozenset({"mrkdwn", "markdown", ""})
MARKED = re.compile(r"<([^<>\n]*)>")
BARE = re.compile(r"(?<![\w@<!])@(channel|here|everyone)\b")
MARKDOWN_LINK = re.compile(r"\[([^\[\]\n]+)\]\(\s*<?([^\s()<>]+)")
ADDRESS = re.compile(
    r"(?:https?://|www\.)[\w.-]+|[\w-]+(?:\.[\w-]+)*\.(?:com|org|net|io|dev|ai|app|co|edu|gov)\b",
    re.IGNORECASE,
)
WHAT = re.compile(r"!(?P<word>channel|here|everyone)\b|!(?P<team>subteam)\^|@[UW]")


@dataclass(frozen=True, slots=True)
class Ping:
    """Something in the bot's text that Slack acts on: `what` is "channel", "here", "everyone",
    "user", "subteam" or "link" (whose label shows another address than it opens).
    """

    what: str
    written: str
    channel: str
    ts: str


def pings_in(message: Message) -> Iterator[Ping]:
    """What a message of the bot does to others by its text, its blocks and, while it is streamed,
    any piece of it.
    """
    if message.ephemeral_for:
        return
    pieces = message.stream.pieces if message.stream else []
    form = "markdown" if message.markdown else "mrkdwn"
    texts = [(form, text) for text in (message.text, *pieces)]
    for kind, text in [*texts, *texts_of(message.blocks), *texts_of(message.attachments)]:
        for what, written in acts(kind, text, names=message.finds_names):
            yield Ping(what, written, message.channel, message.ts)
    for what, element, key in (
        ("user", "user", "user_id"),
        ("subteam", "usergroup", "usergroup_id"),
    ):
        for found in elements_of(message.blocks, element):
            yield Ping(what, f"{found.get(key)}", message.channel, message.ts)
    for found in elements_of(message.blocks, "broadcast"):
        yield Ping(f"{found.get('range')}", "broadcast", message.channel, message.ts)
    for found in elements_of(message.blocks, "link"):
        if lies(found.get("text", ""), found.get("url", "")):
            yield Ping("link", found["url"], message.channel, message.ts)


def acts(kind: str, text: str, *, names: bool = False) -> Iterator[tuple[str, str]]:
    """What Slack acts on in one text of that type, and how it is written there."""
    if kind not in ACTING:
        return
    for marked in MARKED.finditer(text):
        if what := WHAT.match(marked[1]):
            yield what["word"] or what["team"] or "user", marked[0]
        elif lies(marked[1].partition("|")[2], marked[1].partition("|")[0]):
            yield "link", marked[0]
    if kind == "markdown":
        for link in MARKDOWN_LINK.finditer(text):
            if lies(link[1], link[2]):
                yield "link", link[0]
    if names:
        for bare in BARE.finditer(text):
            yield bare[1], bare[0]


def lies(label: str, target: str) -> bool:
    """Whether a link's label looks like the address of another host than it opens. A name with an
    ending as files have it, main.py, is no address.
    """
    shown = ADDRESS.match(label.strip("*_~` "))
    return shown is not None and host(shown[0]) != host(target)


def host(address: str) -> str:
    """The host of an address, with or without a scheme."""
    if "//" not in address:
        address = f"//{address}"
    return (urlsplit(address).hostname or "").removeprefix("www.")
