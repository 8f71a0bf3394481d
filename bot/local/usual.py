"""What a training on this machine does where nobody says it, for whoever asks what it would take.

How fast it is, the last job of the same base has shown. Before the first one numpy's speed is that
of a laptop's core (facts/local-models.md); that of another engine nobody knows: models and GPUs
differ by a factor of thousands. All of it is rough: tokens are those of the estimate, which counts
as OpenAI does.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from itertools import pairwise
from pathlib import Path
from statistics import median

from bot.datasets.cost import Speed, Usual
from bot.datasets.counting import Counted
from bot.local.jobs.database import Database
from bot.local.jobs.values import Event, Job
from bot.local.training.automatic import chosen
from bot.local.training.spec import Spec

ANY = Spec(model=Path(), training_file=Path(), kind="chat", output=Path())
BEFORE_ANY = {"numpy": Speed(tokens_a_second=225.0, seconds_before=10.0)}
MOST_EVENTS = 1 << 20
SHORTEST = 10  # seconds; events are told to the second
SLEPT = 20  # times the usual time between two events: the machine was suspended


def usual(engine: str, base: Path, database: Database) -> Usual:
    """What an engine does with a base, whose jobs are in a database."""
    return Usual(epochs, partial(speed, engine, base, database))


def epochs(counted: Counted) -> int:
    """How often a training goes through examples."""
    return chosen(ANY, max(counted.examples, 1), max(counted.answers, 1)).epochs


def speed(engine: str, base: Path, database: Database) -> Speed | None:
    """How fast an engine trains a base; None where that is not known yet."""
    with suppress(sqlite3.Error), database.look() as tables:
        for job in tables.every_job():
            if job.base == str(base) and job.status == "succeeded":
                events, _ = tables.events(job.id, "", MOST_EVENTS) or ([], False)
                if found := shown(job, events[::-1]):
                    return found
    return BEFORE_ANY.get(engine)


def shown(job: Job, events: Sequence[Event]) -> Speed | None:
    """How fast a job was by its events, oldest first; None where it was too short to tell. What
    passed while it was paused or its trainer was started again does not count.
    """
    at = {event.key: event.at for event in events}
    course = [
        (event.at - before.at, event.type == "metrics")
        for before, event in pairwise(events)
        if is_course(before) and is_course(event)
    ]
    if not course:
        return None
    most = SLEPT * max(1.0, median(seconds for seconds, _ in course))
    awake = [each for each in course if each[0] <= most]
    seconds = sum(seconds for seconds, _ in awake)
    steps = sum(is_step for _, is_step in awake)
    if seconds < SHORTEST:
        return None
    of_all = steps / sum(event.type == "metrics" for event in events)
    begun = at.get("step 1", 0) - at.get("started", 0)
    return Speed(job.trained_tokens * of_all / seconds, float(begun))


def is_course(event: Event) -> bool:
    """Whether it tells of a step or of a checkpoint."""
    return (event.key or "").startswith(("step ", "checkpoint "))
