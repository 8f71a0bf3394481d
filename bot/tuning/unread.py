"""What happened to a job that is not known yet."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from bot.training import JobEvent
from bot.tuning.service import TuningService

Known = Callable[[Sequence[str]], Awaitable[set[str]]]


async def unread(service: TuningService, job: str, known: Known) -> list[JobEvent]:
    """The events of a job that are not known yet, oldest first: read from the newest down to a
    known one, over as many pages as it takes. A page that brings none ends it, too: there are
    servers that begin anew. `known` tells which of some ids are.
    """
    fresh: dict[str, JobEvent] = {}
    after, more = "", True
    while more:
        page = await service.events(job, after)
        ids = [event.id for event in page.items]
        seen = await known(ids)
        new = {each.id: each for each in page.items if each.id not in seen | fresh.keys()}
        fresh |= new
        more = page.more and bool(new) and not seen
        after = ids[-1] if ids else ""
    return list(fresh.values())[::-1]


async def nothing(_: Sequence[str]) -> set[str]:
    """What is known of a job that was never seen."""
    return set()
