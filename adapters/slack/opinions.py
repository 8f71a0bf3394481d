"""What reactions and buttons say of an answer. Pure."""

from __future__ import annotations

from collections.abc import Mapping

# Slack's names of 👍 and 👎; a skin tone stands behind: "+1::skin-tone-3".
OPINIONS: Mapping[str, int] = {"+1": 1, "thumbsup": 1, "-1": -1, "thumbsdown": -1}
THANKS = "Thank you: that helps to make the answers better."


def opinion(reaction: str) -> int:
    """What a reaction says: 1, -1, or 0 where it says nothing."""
    return OPINIONS.get(reaction.partition("::")[0], 0)
