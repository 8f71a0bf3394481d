"""What prompts and completions share at their beginnings and ends, judged."""

from __future__ import annotations

from bot.datasets.endings import ENDINGS, LAST_ENDING
from bot.datasets.traits import MATTERS, Traits

LONG_PROMPT_PREFIX = 12  # characters; a longer one is to be removed
LONG_COMPLETION_PREFIX = MATTERS  # characters; one as long is to be removed


def prompt_prefix(prompts: Traits) -> str:
    """What is to be removed from the beginning of all prompts, "" for nothing."""
    prefix = prompts.prefix
    fits = len(prefix) + len(prompts.suffix) <= prompts.shortest
    return prefix if fits and len(prefix) > LONG_PROMPT_PREFIX and not prompts.identical else ""


def completion_prefix(completions: Traits) -> str:
    """What is to be removed from the beginning of all completions, after their space; "" for
    nothing.
    """
    prefix = completions.prefix
    fits = len(prefix) + len(completions.suffix) < completions.shortest
    left = fits and len(prefix) < completions.solid and not completions.identical
    return prefix if left and len(prefix) >= LONG_COMPLETION_PREFIX else ""


def known_ending(completions: Traits) -> str:
    """The ending of all completions that a preparation may have added, "" for none."""
    endings = (each for each in (*ENDINGS, LAST_ENDING) if completions.suffix.endswith(each))
    return next(endings, "")


def stop_of(completions: Traits, *, labels: bool) -> str:
    """What all completions end with. Of labels only what is no part of a word: positive and
    negative have "tive" in common, which stops no answer.
    """
    suffix = "" if completions.identical else completions.suffix
    if labels:
        while suffix[:1].isalnum():
            suffix = suffix[1:]
    return suffix
