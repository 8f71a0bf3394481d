"""What stands in a payload of Slack's, and nothing else than text. Pure."""

from __future__ import annotations

from typing import Any


def given(payload: Any, *path: str) -> str:
    """The text at the end of a path. Raises KeyError or TypeError where there is none."""
    for name in path:
        payload = payload[name]
    if not isinstance(payload, str) or not payload:
        raise TypeError(f"{'.'.join(path)} is no text")
    return payload


def optional(payload: Any, *path: str) -> str:
    """The same, or "" where there is none."""
    try:
        return given(payload, *path)
    except (KeyError, TypeError, IndexError):
        return ""
