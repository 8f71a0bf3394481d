"""What reactions and buttons say of an answer. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# Slack's names of 👍 and 👎; a skin tone stands behind: "+1::skin-tone-3".
OPINIONS: Mapping[str, int] = {"+1": 1, "thumbsup": 1, "-1": -1, "thumbsdown": -1}
THANKS = "Thank you: that helps to make the answers better."


def opinion(reaction: str) -> int:
    """What a reaction says: 1, -1, or 0 where it says nothing."""
    return OPINIONS.get(reaction.partition("::")[0], 0)


def standing(message: Mapping[str, Any], user: str) -> int:
    """What the reactions say by which a person still stands; of several, the last one."""
    by_them = [
        opinion(str(each.get("name")))
        for each in message.get("reactions") or ()
        if user in (each.get("users") or ())
    ]
    return next((value for value in reversed(by_them) if value), 0)
