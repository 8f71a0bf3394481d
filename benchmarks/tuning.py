"""Following fine-tune jobs: many at once, each with several followers, on one core.

    python -m benchmarks.tuning [--jobs 200] [--followers 5] [--seconds 60]

The bot is real but for its platform, whose messages are taken at once; the service is in another
process, on another core.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import click
from sqlite_utils import Database

from benchmarks.machine import heading, peak, pin, table, target
from bot import log
from bot.app import App
from bot.config import Access, Config, Tuning
from bot.messages import Button, ConversationId, Document, Profile, Provider, ReplyTo
from bot.ports import Check, Core, Door, Limits
from bot.store import beside, boards, jobs
from bot.training import Job, JobStatus

POLL = 5.0  # seconds between two looks while things change: the default
WARM = 10.0  # seconds that are not measured


class Card:
    """Takes everything, and notes how late a warning is that ends with its time."""

    def __init__(self, delays: list[float], edits: list[float]) -> None:
        self._delays = delays
        self._edits = edits

    async def ready(self) -> None:
        """At any time."""

    async def show(self, part: int, text: str, handle: str, *, waiting: bool = False) -> str:  # noqa: ARG002
        return handle or "card"

    async def finish(
        self,
        part: int,  # noqa: ARG002
        text: str,
        handle: str,
        *,
        failed: bool = False,  # noqa: ARG002
        buttons: Sequence[Button] = (),  # noqa: ARG002
    ) -> str:
        now = time.monotonic_ns()
        if "Careful " in text:
            self._delays.append((now - int(text.rsplit(maxsplit=1)[-1])) / 1e9)
        else:
            self._edits.append(now / 1e9)
        return handle or "card"

    async def retract(self, handle: str) -> None:
        """Nothing stands anywhere."""

    async def attach(self, document: Document) -> None:
        """Nothing is kept."""

    async def close(self) -> None:
        """Nothing to release."""


class Watching:
    """The platform: people who look on for a while."""

    name = "bench"
    limits = Limits()
    doors: Sequence[Door] = ()
    opens_doors = False
    people: Sequence[str] = ("bench",)
    trouble = ""

    def __init__(self, seconds: float) -> None:
        self.delays: list[float] = []
        self.edits: list[float] = []
        self.cpu = 0.0
        self._seconds = seconds

    def sink(self, to: ReplyTo) -> Card:  # noqa: ARG002  all are alike
        return Card(self.delays, self.edits)

    async def run(self, core: Core) -> None:  # noqa: ARG002  nobody writes
        await asyncio.sleep(WARM)
        self.delays.clear()
        self.edits.clear()
        cpu = time.process_time()
        await asyncio.sleep(self._seconds)
        self.cpu = time.process_time() - cpu

    async def check(self) -> Sequence[Check]:
        return ()

    async def close(self) -> None:
        """Nothing to release."""


def filled(database: Path, ids: Sequence[str], followers: int) -> None:
    """A database with these jobs, each followed by so many, whose cards stand already."""

    def fill(db: Database) -> None:
        for id_ in ids:
            job = Job(id_, "davinci-002", JobStatus.RUNNING, "running")
            tracked = jobs.adopt(db, "tuner", job, "bench:ann", time.time())
            for number in range(followers):
                where = ConversationId("bench", f"{id_}-{number}")
                boards.follow(db, tracked.id, where, "bench:ann", "")
        db.execute("UPDATE followers SET handles = '[\"card\"]'")

    beside(database, fill)


@click.command()
@click.option("--jobs", "count", default=200)
@click.option("--followers", default=5)
@click.option("--seconds", default=60.0)
def main(count: int, followers: int, seconds: float) -> None:
    """Measure, and print the table."""
    pin(0)
    server = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.tuning_server", str(count)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout
    base_url, ids = server.stdout.readline().split(" ", 1)
    with tempfile.TemporaryDirectory() as folder:
        config = Config(
            database=Path(folder) / "bot.db",
            data_folder=folder,
            providers={"tuner": Provider("tuner", base_url=base_url)},
            profiles={"assistant": Profile("assistant", "tuner", "davinci-002")},
            access=Access(users=("*",)),
            tuning=Tuning(provider="tuner", poll_seconds=POLL),
        )
        log.configure("ERROR")
        filled(config.database, json.loads(ids), followers)
        people = Watching(seconds)
        start = time.monotonic()
        asyncio.run(App(config, [people], environment={}).run())
        minutes = (time.monotonic() - start) / 60
    counts = json.loads(server.communicate("")[0])
    requests = sum(counts.values()) / minutes
    share = people.cpu / seconds
    late = max(people.delays)
    columns = [
        *("Jobs", "Followers each", "Core", "Requests a minute", "a job", "Cards a minute"),
        *("Notices", "Notice late, s (most)", "Peak, MiB"),
    ]
    row = (
        f"{count}",
        f"{followers}",
        f"{share:.0%}",
        f"{requests:,.0f}",
        f"{requests / count:.1f}",
        f"{len(people.edits) * 60 / seconds:,.0f}",
        f"{len(people.delays):,}",
        f"{median(people.delays):.1f} ({late:.1f})",
        f"{peak():.0f}",
    )
    print(heading("benchmarks.tuning", sys.argv[1:]), table(columns, [row]), sep="\n\n")
    print(target("no notice later than two looks", f"{late:.1f} s", met=late <= 2 * POLL))


if __name__ == "__main__":
    main()
