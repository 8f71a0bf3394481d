"""What is at the service, and what kind of a service it is."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from itertools import count

from tests.faults import Faults, Planned
from tests.tuning_server.faults import Fail, Fault
from tests.tuning_server.files import File
from tests.tuning_server.jobs import Job
from tests.tuning_server.models import BASES, Tuned
from tests.tuning_server.stories import Story
from tests.tuning_server.values import Call, Json, Refused
from tests.tuning_server.webhooks import Webhooks

KEY = "sk-tuning-0123456789"
DAY = 86_400.0


class Service:
    """Files, jobs and models.

    `now` is its time in Unix seconds. A new job stays as it is until the test moves it, or lives
    `story`. `calls` has every call that came, unless `keep_calls` is False; `counts` counts them as
    "GET fine_tuning/jobs/{id}". `violations` has what did not agree with OpenAI's description of
    its API, which fails the test in the end.
    """

    def __init__(
        self,
        *,
        key: str = KEY,
        azure: bool = False,
        story: Story | None = None,
        now: Callable[[], float] = time.time,
        keep_calls: bool = True,
    ) -> None:
        self.key = key
        self.azure = azure
        self.story = story
        self.now = now
        self.keep_calls = keep_calls
        # What kind of server this is.
        self.reading: float | None = 0.0  # seconds until a file is read; None: the test says when
        self.settling = 0.0  # seconds in which a new model is not found
        self.eligible = True
        self.knows_method = True
        self.keeps_metadata = True
        self.filters_metadata = True
        self.tells_more = True  # has_more in lists
        self.knows_after = True
        self.pauses = True
        self.healthy_errors = False  # a job without an error carries one of nulls
        self.base64_results = False
        self.inline_events = True
        self.jobs_a_day = 0  # 0 is without a limit
        self.trainable = dict(BASES)

        self.files: dict[str, File] = {}
        self.jobs: dict[str, Job] = {}
        self.tuned: dict[str, Tuned] = {}
        self.faults = Faults[Fail]()
        self.webhooks = Webhooks(now)
        self.calls: list[Call] = []
        self.counts: Counter[str] = Counter()
        self.violations: list[str] = []
        self.limited_until = 0.0
        self._numbers = count(1)
        self._changed = asyncio.Event()

    # What the test says

    def fails(self, call: str, fault: Fault, *, times: int = 1) -> None:
        """Let the next calls "POST fine_tuning/jobs" ("" for any) fail."""
        self.faults.plan(Planned(fault, call, times=times))

    def limit(self, seconds: float) -> None:
        """Take nothing for a while: 429, and when to come back."""
        self.limited_until = self.now() + seconds

    def advance(self) -> None:
        """Let happen what is due by now; every call does this, too."""
        now = self.now()
        for file in self.files.values():
            if file.status == "uploaded" and file.ready_at is not None and file.ready_at <= now:
                file.read()
        for job in list(self.jobs.values()):
            job.play(now)
        self.change()

    async def until(self, condition: Callable[[], object], seconds: float = 30.0) -> None:
        """Return when the condition holds; looked at after every call."""
        async with asyncio.timeout(seconds):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    def called(self, call: str) -> list[Call]:
        """The calls "GET files"."""
        return [each for each in self.calls if f"{each.method} {each.route}" == call]

    def deploy(self, model: str) -> None:
        """Azure's step between a model that was made and one that answers."""
        self.tuned[model].deployed = True

    @property
    def job(self) -> Job:
        """The newest job."""
        return list(self.jobs.values())[-1]

    # What the calls need

    def number(self) -> int:
        """One that no other has."""
        return next(self._numbers)

    def keep(self, name: str, content: bytes, purpose: str = "fine-tune") -> File:
        """A file is there from now on."""
        now = self.now()
        file = File(f"file-{self.number()}", name, content, purpose, int(now))
        self.files[file.id] = file
        if purpose != "fine-tune" or self.reading == 0:
            file.read()
        elif self.reading is not None:
            file.ready_at = now + self.reading
        return file

    def add(self, asked: Json, *, legacy: bool = False) -> Job:
        """A job is there from now on, and lives its story."""
        id_ = f"ft-{self.number():08}" if legacy else f"ftjob-{self.number():08}"
        job = Job(self, id_, asked, int(self.now()), legacy)
        self.jobs[job.id] = job
        if self.story:
            self.story.begin(job)
        return job

    def count_job(self) -> None:
        """One more job today. Raises Refused for one too many."""
        today = [job for job in self.jobs.values() if job.created_at > self.now() - DAY]
        if self.jobs_a_day and len(today) >= self.jobs_a_day:
            raise Refused(
                429,
                "You have reached the daily limit of fine-tuning jobs.",
                "daily_rate_limit_exceeded",
            )

    def learn(self, job: Job, name: str) -> None:
        """A model is there from now on; Azure's answers only once it is deployed."""
        file = self.files.get(job.asked["training_file"])
        content, base = file.content if file else b"", job.asked["model"]
        self.tuned[name] = Tuned.learned(name, base, self.now(), content)
        self.tuned[name].deployed = not self.azure

    def page(self, entries: list[Json], call: Call, usual: int) -> Json:
        """A page of a list: what comes after an id, so many."""
        limit = int(call.query.get("limit", usual))
        after = call.query.get("after", "")
        if after and self.knows_after:
            ids = [entry["id"] for entry in entries]
            if after not in ids:
                raise Refused(400, f"No such object: {after}", param="after")
            entries = entries[ids.index(after) + 1 :]
        more = {"has_more": len(entries) > limit} if self.tells_more else {}
        return {"object": "list", "data": entries[:limit], **more}

    def change(self) -> None:
        """Wake those who wait in `until`."""
        self._changed.set()
