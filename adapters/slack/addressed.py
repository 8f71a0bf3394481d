"""Whether a message is for the bot, and what it says to it. Pure.

For the bot is what is written to it directly, what mentions it, and what people write in a thread
in which it takes part, as it does in those that its own messages begin. There a message that
mentions somebody else and not the bot is theirs: who pings Bob or a whole channel talks to them,
and the bot would butt in.
"""

from __future__ import annotations

import re
from enum import Enum
from functools import reduce

from adapters.slack.events import Written

OTHERS = re.compile(r"<(?:@[UW][A-Z0-9]+|!(?:here|channel|everyone|subteam\^\w+))(?:\|[^<>]*)?>")
CLINGING = ".;!?"  # what no blank stands before


class Meant(Enum):
    """Whether a message is for the bot."""

    YES = "yes"
    IN_ITS_THREADS = "in its threads"  # if the bot takes part there
    NO = "no"


def meant(written: Written, bot_user: str) -> Meant:
    """Whether a message is for the bot, whose id at Slack is `bot_user`."""
    if written.direct or mention(bot_user).search(written.text):
        return Meant.YES
    if not written.thread or OTHERS.search(written.text):
        return Meant.NO
    return Meant.IN_ITS_THREADS


def mention(bot_user: str) -> re.Pattern[str]:
    """The bot's name in a text as Slack has it."""
    return re.compile(rf"<@{re.escape(bot_user)}(?:\|[^<>]*)?>")


def unmentioned(text: str, bot_user: str) -> str:
    """A text without the bot's name, unless nothing else stands there."""
    return reduce(joined, mention(bot_user).split(text)).strip() or text.strip()


def joined(before: str, after: str) -> str:
    """What stood around a name, with a blank where it parted two words."""
    before, after = before.rstrip(" ,"), after.lstrip(" ,:")
    parted = before[-1:].strip() and after[:1].strip() and after[0] not in CLINGING
    return f"{before} {after}" if parted else before + after
