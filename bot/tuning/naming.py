"""Which job is meant: by its number here, its id or the end of it, its name, or as the last one.
Pure.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.errors import CommandError
from bot.store.jobs import Tracked

LEAST = 4  # characters of an id's end


def meant(text: str, known: Sequence[Tracked]) -> Tracked | None:
    """The job that a person means, among those known, newest first; None for none of them.

    Raises CommandError where several are meant.
    """
    text = text.strip().strip("`")
    if text in {"", "last"}:
        return known[0] if known else None
    for fits in (by_number, by_id, by_name, by_end):
        found = [job for job in known if fits(job, text)]
        if len(found) == 1 or (found and fits is by_name):
            return found[0]
        if found:
            ids = ", ".join(job.job.id or str(job.id) for job in found[:5])
            raise CommandError(f"Several jobs are meant by {text!r}: {ids}. Write more of it.")
    return None


def by_number(job: Tracked, text: str) -> bool:
    """By our own number, as buttons say it."""
    return text == str(job.id)


def by_id(job: Tracked, text: str) -> bool:
    """By its service's id, or by the model that it made."""
    return text != "" and text in {job.job.id, job.job.fine_tuned_model}


def by_name(job: Tracked, text: str) -> bool:
    """By its name, or its suffix; of several the newest."""
    return text.lower() in {job.name.lower(), job.job.suffix.lower()}


def by_end(job: Tracked, text: str) -> bool:
    """By the end of its id."""
    return len(text) >= LEAST and job.job.id.endswith(text)
