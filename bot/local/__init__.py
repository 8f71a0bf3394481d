"""A model on this machine: fetched once, served by llama.cpp in a process of its own, and trained
in another, all behind OpenAI's API.

Nothing of llama.cpp runs in the bot's process: a crash of native code ends the child, which is
started again, and its memory is its own. What was measured is in facts/local-models.md.
"""

from bot.local.model import MODEL_NAME
from bot.local.server import LocalServer

__all__ = ["MODEL_NAME", "LocalServer"]
