"""A bot that dies by SIGKILL at a chosen moment: `python -m tests.crashing FOLDER BASE_URL`.

Each line of standard input is the number of the moment, 0 for none; the answer is a line with how
the run ended. A moment is the instant before or after a commit, or an effect on the platform. Every
run is a fork, so that only the first one pays for the imports.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from functools import partial
from itertools import count
from pathlib import Path
from typing import NoReturn

from sqlite_utils import Database

from bot import log
from bot.store import steps
from bot.store.steps import Outcome, Step
from tests.fakes import Moment, Wall, configuration, running

SCRIPT = [
    ("ops", "What is one and one?", "1"),
    ("ops", "/model", "2"),
    ("ops", "And two and two?", "3"),
    ("dev", "Who are you?", "4"),
]


def dying_at(last: int) -> Moment:
    """A moment that kills this process when it is the `last`."""
    number = count(1)

    def moment(_: str) -> None:
        if next(number) == last:
            os.kill(os.getpid(), signal.SIGKILL)

    return moment


def watched(
    together: object, moment: Moment, db: Database, waiting: Sequence[Step]
) -> list[Outcome]:
    """Commit, with a moment before it and one after it."""
    assert callable(together)
    moment("before commit")
    outcomes: list[Outcome] = together(db, waiting)
    moment("after commit")
    return outcomes


async def talk(folder: Path, base_url: str, moment: Moment) -> None:
    """The platform delivers everything, also what was delivered to a run that died."""
    config = configuration(folder, base_url)
    steps.together = partial(watched, steps.together, moment)
    wall = Wall(config.database.with_name("wall.jsonl"), moment)
    async with running(config, wall=wall) as bot:
        for channel, text, key in SCRIPT:
            await bot.receive(text, channel=channel, key=key)
            if text.startswith("What"):
                await bot.idle(channel)
        for channel in ("ops", "dev"):
            await bot.idle(channel)


def run(folder: Path, base_url: str, last: int) -> NoReturn:
    """One life of the bot, in a process of its own."""
    asyncio.run(talk(folder, base_url, dying_at(last)))
    os._exit(0)


def main(folder: Path, base_url: str) -> None:
    """Fork a bot for every line."""
    log.configure("ERROR")
    for line in sys.stdin:
        name, last = line.split()
        child = os.fork()
        if not child:
            run(folder / name, base_url, int(last))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)  # noqa: T201  the protocol


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
