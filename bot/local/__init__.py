"""A model on this machine: fetched once, served by llama.cpp in a process of its own, and trained
in another, all behind OpenAI's API.

Nothing of llama.cpp runs in the bot's process: a crash of native code ends the child, which is
started again, and its memory is its own. What was measured is in facts/local-models.md.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bot.local.model import MODEL_NAME
    from bot.local.server import LocalServer

__all__ = ["MODEL_NAME", "LocalServer"]

HOMES = {"MODEL_NAME": "bot.local.model", "LocalServer": "bot.local.server"}


def __getattr__(name: str) -> Any:
    """Import the server when it is asked for: the processes that train have no need of it."""
    if name in HOMES:
        return getattr(import_module(HOMES[name]), name)
    raise AttributeError(name)
