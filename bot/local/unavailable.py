"""The one sentence that says why no model can be served here, and what to do about it."""

from __future__ import annotations

from bot.errors import LocalUnavailable

INSTALL = "install the extra with pip install 'tunebot[local]'"


def unavailable(reason: str, remedy: str = "") -> LocalUnavailable:
    """The error for a reason and, where there is one, a remedy; both without a full stop."""
    otherwise = f"{remedy}, or " if remedy else ""
    return LocalUnavailable(
        f"Local mode is not available here: {reason}; {otherwise}"
        f"configure a provider: see [providers] in config.example.toml."
    )
