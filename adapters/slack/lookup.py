"""What stands already of a reply: found by the name that each of its messages has in its metadata.

A stream gets its name only when it stops (chat.startStream takes no metadata). One of ours below
the question that has none, and that no reply of this process writes, is what an earlier run, or a
call whose answer was lost, left there.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog

from adapters.slack.account import Account
from adapters.slack.failures import SlackRefused
from adapters.slack.pacer import HISTORY, REPLIES, Urgency
from adapters.slack.place import Place

EVENT = "tunebot_reply"
A_PAGE, MOST_PAGES = 200, 5
SKEW = 60.0  # seconds by which two clocks may differ

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Name:
    """Which message of a reply: the reply's key, the part, and the piece of a part, mostly 0."""

    key: str
    part: int
    piece: int = 0

    def metadata(self) -> dict[str, Any]:
        """As a message carries it. Slack lets every app of the workspace read that."""
        payload = {"key": self.key, "part": self.part, "piece": self.piece}
        return {"event_type": EVENT, "event_payload": payload}


@dataclass(slots=True)
class Standing:
    """Messages by their names, and `nameless` streams, oldest first."""

    named: dict[Name, str] = field(default_factory=dict)
    nameless: list[str] = field(default_factory=list)
    files: dict[str, int] = field(default_factory=dict)


async def look(account: Account, place: Place, since: float) -> Standing:
    """What the bot has said in a place since then, in Unix seconds. Raises DeliveryError; where
    the bot may not read, nothing is found.
    """
    standing = Standing()
    me = await account.identified()
    try:
        async for message in messages(account, place, max(0.0, since - SKEW)):
            if message.get("user") == me or message.get("bot_id") == account.bot_id:
                note(standing, message, account, place)
    except SlackRefused as error:
        log.warning("thread not read", channel=place.channel, reason=error.code)
    standing.nameless.sort()
    return standing


def note(standing: Standing, message: Mapping[str, Any], account: Account, place: Place) -> None:
    """One message of the bot."""
    ts, metadata = str(message["ts"]), message.get("metadata") or {}
    for file in message.get("files") or ():
        standing.files[str(file.get("name"))] = int(file.get("size") or 0)
    if name := name_of(metadata):
        standing.named.setdefault(name, ts)
    elif metadata or message.get("files") or message.get("subtype"):
        return
    elif place.thread and ts > place.message and (place.channel, ts) not in account.ours:
        standing.nameless.append(ts)


def name_of(metadata: Mapping[str, Any]) -> Name | None:
    """The name in the metadata of a message, if it is one of ours."""
    payload = metadata.get("event_payload") or {}
    try:
        if metadata.get("event_type") == EVENT:
            return Name(str(payload["key"]), int(payload["part"]), int(payload["piece"]))
    except (KeyError, TypeError, ValueError):
        pass
    return None


async def messages(
    account: Account, place: Place, since: float
) -> AsyncIterator[Mapping[str, Any]]:
    """What stands in a thread, or in a channel outside of its threads."""
    cursor = ""
    for _ in range(MOST_PAGES):
        given = {"oldest": f"{since:.6f}", "limit": A_PAGE, "cursor": cursor or None}
        if place.thread:
            page = await account.pacer.call(
                REPLIES,
                Urgency.FINAL,
                lambda: account.api.thread(place.channel, place.thread, **given),  # noqa: B023 - awaited at once
            )
        else:
            page = await account.pacer.call(
                HISTORY,
                Urgency.FINAL,
                lambda: account.api.history(place.channel, **given),  # noqa: B023 - awaited at once
            )
        for message in page.get("messages") or ():
            if message.get("ts") != place.thread:
                yield message
        cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
        if not cursor:
            return
