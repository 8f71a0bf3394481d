"""A job before the eyes of a person, read from the database that it is watched into."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import time

from bot.shell.line import Line
from bot.shell.screen import Screen, styled
from bot.store import beside, jobs, telling
from bot.store.jobs import Stage, Tracked
from bot.training import JobEvent
from bot.tuning.card import Shown, card_text
from bot.tuning.naming import meant
from bot.tuning.notices import end_of, news_of
from bot.tuning.progress import progress_of

LOOK_SECONDS = 0.5
MOST_KNOWN = 1000


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A job and everything that happened to it."""

    tracked: Tracked
    events: Sequence[JobEvent]

    @property
    def card(self) -> str:
        """What its card shows."""
        tracked = self.tracked
        progress = progress_of(self.events)
        return card_text(Shown(tracked.job, progress, tracked.name, tracked.cost_text), time())


def look(database: Path, row: int) -> Snapshot | None:
    """A job as it stands in the database; None for one that is gone, or was withdrawn."""
    try:
        tracked = beside(database, jobs.tracked, row)
    except KeyError:
        return None
    if tracked.stage is Stage.WITHDRAWN:
        return None
    return Snapshot(tracked, beside(database, telling.events, row))


async def follow(
    database: Path, row: int, line: Line, screen: Screen, *, until_made: bool = False
) -> Tracked | None:
    """Show a job until it ends, or until its service has it, and what happens to it above; returns
    it as it was seen last, None where it was not made.
    """
    ends = {Stage.ENDED, Stage.MADE} if until_made else {Stage.ENDED}
    last = await asyncio.to_thread(look, database, row)
    if last:
        last = await drawn(database, last, ends, line, screen)
    await line.settled()
    if last is None and line.untold:
        screen.note(line.untold)
    return last.tracked if last else None


async def drawn(
    database: Path, first: Snapshot, ends: Collection[Stage], line: Line, screen: Screen
) -> Snapshot | None:
    """Draw a job until it is at one of the stages; the last look at it, None where it is gone."""
    seen, now = None, first
    with screen.live() as live:
        while True:
            for text in news(seen, now):
                screen.card(text)
            live.update(styled(shown(now, line)))
            if now.tracked.stage in ends:
                return now
            await asyncio.sleep(LOOK_SECONDS)
            later = await asyncio.to_thread(look, database, first.tracked.id)
            if later is None:
                return None
            seen, now = now, later


def shown(now: Snapshot, line: Line) -> str:
    """The card, or how far a job is that is not made yet."""
    if now.tracked.stage is Stage.STARTING:
        return line.beginning or f"📤 **{now.tracked.name}** · {now.tracked.job.model}"
    return now.card


def news(seen: Snapshot | None, now: Snapshot) -> list[str]:
    """What followers are told between two looks; of what happened before the first, the end."""
    tracked = now.tracked
    if tracked.stage is Stage.ENDED:
        notices = end_of(tracked.id, tracked.name, tracked.job, now.card, None)
    elif seen is None:
        return []
    else:  # what it was before it was made is no news
        before = seen.tracked.job if seen.tracked.stage is Stage.MADE else tracked.job
        fresh = now.events[len(seen.events) :]
        notices = news_of(tracked.name, before, tracked.job, fresh)
    return [told(notice) for notice in notices if not notice.edits]


def told(notice: telling.Notice) -> str:
    """A notice, with its buttons as commands."""
    buttons = [f"- {button.label}: `{button.says}`" for button in notice.card.buttons]
    return "\n".join([notice.card.text, *buttons])


def named(database: Path, text: str) -> int:
    """The number of the job that a person means, 0 for none. Raises CommandError for several."""
    found = meant(text, beside(database, jobs.newest, MOST_KNOWN))
    return found.id if found else 0


def newest_of(database: Path, person: str) -> int:
    """The number of the newest job that a person began, 0 for none."""
    known = beside(database, jobs.newest, MOST_KNOWN)
    return next((each.id for each in known if each.person == person), 0)
