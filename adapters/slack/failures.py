"""What a call of Slack's Web API can end with, in the core's words.

DeliveryError           later it may work
├── RateLimited         not before `retry_after` seconds
├── Unreached           it was never sent
├── Lost                it was sent, and may have happened: look before doing it again
├── TokenRefused        nothing works until somebody gives the bot another token
└── DeliveryRefused
    └── SlackRefused    Slack understood and said no; `code` is its own word for it
        └── TooLong     a shorter text would be taken
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.errors import DeliveryError, DeliveryRefused

PATIENCE = 60.0  # seconds until what waits for a better token is tried again
USUAL_WAIT = 30.0  # seconds, where Slack asks to wait and does not say how long

RATE_CODES = frozenset({"ratelimited", "rate_limited"})
TOKEN_CODES = frozenset({"invalid_auth", "not_authed", "token_expired", "not_allowed_token_type"})
# Something of what was asked for may have been done before (docs.slack.dev on fatal_error).
TROUBLE_CODES = frozenset(
    {
        *("fatal_error", "internal_error", "request_timeout", "service_unavailable"),
        *("team_added_to_org", "update_failed", "messaging_processing_failed"),
    }
)
MISREAD = frozenset({"invalid_blocks", "invalid_blocks_format"})
TOO_LONG = frozenset({"msg_too_long", "msg_blocks_too_long", "markdown_text_too_long"})
SENTENCES = {
    "account_inactive": "The app is not in this Slack workspace any more: install it again.",
    "token_revoked": "The app is not in this Slack workspace any more: install it again.",
    "channel_not_found": "This Slack channel is gone, or the bot is not in it: invite the bot.",
    "not_in_channel": "The bot is not in this Slack channel: invite it.",
    "is_archived": "This Slack channel is archived: nobody can write there.",
    "is_inactive": "This Slack channel is archived: nobody can write there.",
    "restricted_action": "The settings of this Slack workspace do not let the bot write there.",
    "msg_too_long": "The text is too long for Slack.",
}


class RateLimited(DeliveryError):
    """Slack asks to wait."""

    def __init__(self, seconds: float) -> None:
        super().__init__("Slack asks to wait.", seconds)
        self.seconds = seconds


class Unreached(DeliveryError):
    """The call did not get to Slack."""

    def __init__(self) -> None:
        super().__init__("Slack is out of reach.")


class Lost(DeliveryError):
    """Slack's answer got lost: what was asked for may have happened."""

    def __init__(self) -> None:
        super().__init__("Slack did not say whether it did what it was asked for.")


class TokenRefused(DeliveryError):
    """Slack does not know the token. `code` is its word for that."""

    def __init__(self, code: str) -> None:
        super().__init__(
            f"Slack refuses SLACK_BOT_TOKEN ({code}): copy it again from the app's page, "
            "OAuth & Permissions.",
            PATIENCE,
        )
        self.code = code


class SlackRefused(DeliveryRefused):
    """Slack said no, with its own word for why."""

    def __init__(self, code: str, needed: str = "") -> None:
        super().__init__(sentence(code, needed))
        self.code = code


class TooLong(SlackRefused):
    """Slack takes no text of this length in one message."""


def sentence(code: str, needed: str) -> str:
    """Why Slack said no, and what to do."""
    if code == "missing_scope":
        return f"The Slack app lacks the scope {needed}: add it, and install the app again."
    return SENTENCES.get(code, f"Slack refuses: {code}.")


def failure(status: int, headers: Mapping[str, str], answer: Any) -> DeliveryError:
    """What an answer means that is not a success. One that no program of Slack's wrote is of a
    proxy: with a 4xx it let nothing through, with anything else nobody knows.
    """
    code = str(answer.get("error", "")) if isinstance(answer, dict) else ""
    if status == 429 or code in RATE_CODES:
        return RateLimited(asked_to_wait(headers))
    if code in TOKEN_CODES:
        return TokenRefused(code)
    if code and code not in TROUBLE_CODES and status < 500:
        needed = answer.get("needed", "")
        return (TooLong if code in TOO_LONG else SlackRefused)(code, str(needed))
    return Unreached() if 400 <= status < 500 else Lost()


def asked_to_wait(headers: Mapping[str, str]) -> float:
    """The seconds of Retry-After."""
    try:
        return max(0.0, float(headers.get("Retry-After", "")))
    except ValueError:
        return USUAL_WAIT
