"""The surface of before 2023, /v1/fine-tunes: gone at OpenAI, alive in servers like it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.errors import TuningError
from bot.training import Checkpoint, Job, JobEvent, Method, NewJob
from bot.tuning.service import Page
from bot.tuning.services.openai import OpenAiTuning, at, of_job
from bot.tuning.services.requests import legacy_body
from bot.tuning.services.scalars import mapping, seconds, sequence
from bot.tuning.services.values import data_of, events_of, job_of


class LegacyTuning(OpenAiTuning):
    """The legacy surface: whole lists instead of pages, events inside of the job and without ids,
    no metadata, no pausing, and supervised training only.
    """

    jobs_path = "fine-tunes"
    methods: tuple[Method, ...] = ("supervised",)
    knows_method = False

    def _body(self, job: NewJob) -> dict[str, Any]:
        return legacy_body(job)

    async def jobs(self, after: str = "", metadata: Mapping[str, str] | None = None) -> Page[Job]:
        """All jobs, newest first; none with `metadata`, as no job carries any."""
        if metadata or after:
            return Page(())
        said = await self._wire.read(self.jobs_path, "the list of jobs")
        jobs = [job for job in map(job_of, data_of(said)) if job.id]
        return Page(sorted(jobs, key=lambda job: job.created_at, reverse=True))

    async def pause(self, id_: str) -> Job:
        """Refused: there is no such thing."""
        raise self._cannot(f"pause {of_job(id_)}: cancelling is all it can")

    async def resume(self, id_: str) -> Job:
        """Refused: there is no such thing."""
        raise self._cannot(f"resume {of_job(id_)}")

    async def events(self, id_: str, after: str = "") -> Page[JobEvent]:
        """All that happened, newest first: from the job, else from the list of its events."""
        path, what = f"{self.jobs_path}/{at(id_)}", of_job(id_)
        said = mapping(await self._wire.read(path, what))
        told = sequence(said.get("events"))
        if not told:
            told = data_of(await self._wire.read(f"{path}/events", f"the events of {what}"))
        times = [seconds(mapping(each).get("created_at")) for each in told]
        events = events_of(told, newest_first=bool(times) and times[0] > times[-1])
        ids = [event.id for event in events]
        return Page(events[ids.index(after) + 1 :] if after in ids else events)

    async def checkpoints(self, id_: str, after: str = "") -> Page[Checkpoint]:
        """None: there is no such list."""
        del id_, after
        return Page(())

    def _cannot(self, do: str) -> TuningError:
        return TuningError(f"The provider {self._wire.name} cannot {do}.")
