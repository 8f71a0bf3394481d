"""OpenAI's surface, which most servers speak."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, TypeVar, cast
from urllib.parse import quote

from bot.datasets.cost import AT_OPENAI
from bot.errors import TuningError, TuningUnreached
from bot.training import Checkpoint, Job, JobEvent, Method, NewJob, ServedModel, TrainingFile
from bot.tuning.service import Page, untaught
from bot.tuning.services.failures import creation, named, unreadable
from bot.tuning.services.requests import job_body
from bot.tuning.services.scalars import mapping
from bot.tuning.services.upload import Upload
from bot.tuning.services.values import (
    checkpoint_of,
    data_of,
    events_of,
    file_of,
    has_more,
    job_of,
    model_of,
    table_of,
)
from bot.tuning.services.wire import Wire

JOBS = 20  # a page
EVENTS = 20
CHECKPOINTS = 10
FILES = 1000
PURPOSE = "fine-tune"
MOST_PAGES = 50  # of files, or of jobs in which one is looked for

T = TypeVar("T", TrainingFile, Job, JobEvent, Checkpoint)


class OpenAiTuning:
    """bot.tuning.service.TuningService on OpenAI's surface."""

    jobs_path = "fine_tuning/jobs"
    methods: tuple[Method, ...] = ("supervised", "dpo", "reinforcement")
    deploys = False
    knows_method = True
    usual = AT_OPENAI

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._by_method = self.knows_method

    def connect(self, base_url: str, key: str = "") -> None:
        """Ask at this address from now on."""
        self._wire.connect(base_url, key)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._wire.aclose()

    # Files

    async def upload(
        self, path: Path, name: str, on_progress: Callable[[int], None] = lambda _: None
    ) -> TrainingFile:
        """Send a file under its real name; `on_progress` hears how many bytes went."""
        what = f"the file {name}"
        with Upload(path, name, on_progress) as file:
            said = await self._wire.change(
                "POST",
                "files",
                what,
                data={"purpose": PURPOSE},
                files={"file": (name, cast(IO[bytes], file), "application/octet-stream")},
            )
            return self._present(file_of(said), what)

    async def file(self, id_: str) -> TrainingFile:
        """A file as it stands."""
        what = f"the file {id_}"
        return file_of(self._object(await self._wire.read(f"files/{at(id_)}", what), what), id_)

    async def files(self) -> Sequence[TrainingFile]:
        """All files for training, newest first."""
        found: dict[str, TrainingFile] = {}
        after, more, pages = "", True, 0
        while more and pages < MOST_PAGES:
            query = after_of(after, {"purpose": PURPOSE, "limit": FILES})
            said = await self._wire.read("files", "the list of files", query)
            page = page_of(said, FILES, after, [file_of(each) for each in data_of(said)])
            found |= {file.id: file for file in page.items}
            after, more = (page.items[-1].id if page.items else ""), page.more
            pages += 1
        ours = [file for file in found.values() if file.purpose in {"", PURPOSE}]
        return sorted(ours, key=lambda file: file.at, reverse=True)

    async def content(self, id_: str) -> bytes:
        """A file, decoded where the service encodes its result files."""
        return table_of(await self._wire.content(f"files/{at(id_)}/content", f"the file {id_}"))

    async def delete_file(self, id_: str) -> None:
        """Have a file no more."""
        await self._wire.change("DELETE", f"files/{at(id_)}", f"the file {id_}")

    # Jobs

    async def create(self, job: NewJob) -> Job:
        """Make a job, once."""
        self._can_make(job)
        try:
            return await self._created(self._body(job))
        except TuningError as error:
            if not (self._by_method and job.method == "supervised" and named(error, "method")):
                raise creation(self._wire.endpoint, job.model, error) from None
        # It understood and refused, so nothing was made: this is no second try of the same.
        self._by_method = False
        return await self.create(job)

    def _can_make(self, job: NewJob) -> None:
        """Raise TuningError for a job that no service of this dialect makes."""
        if job.method not in self.methods:
            raise TuningError(untaught(self._wire.name, job.method, self.methods))
        if job.method == "reinforcement" and not job.grader:
            raise TuningError("Reinforcement training needs a grader: name it by --grader.")

    def _body(self, job: NewJob) -> dict[str, Any]:
        return job_body(job, by_method=self._by_method or job.method != "supervised")

    async def _created(self, body: dict[str, Any]) -> Job:
        what = f"a fine-tune job of {body['model']}"
        made = job_of(await self._wire.change("POST", self.jobs_path, what, json=body))
        if not made.id:  # something may have been made nevertheless
            raise TuningUnreached(unreadable(self._wire.endpoint, what))
        return made

    async def job(self, id_: str) -> Job:
        """A job as it stands."""
        what = of_job(id_)
        said = await self._wire.read(f"{self.jobs_path}/{at(id_)}", what)
        return job_of(self._object(said, what), id_)

    async def jobs(self, after: str = "", metadata: Mapping[str, str] | None = None) -> Page[Job]:
        """Jobs, newest first. With `metadata` those that carry it: looked for also where a server
        ignores the filter, over as many pages as it takes to find any.
        """
        wanted = dict(metadata or {})
        filters = {f"metadata[{key}]": value for key, value in wanted.items()}
        for _ in range(MOST_PAGES):
            page = await self._page(self.jobs_path, "the list of jobs", JOBS, after, filters)
            jobs = page_of(page, JOBS, after, [job_of(each) for each in data_of(page)])
            ours = [job for job in jobs.items if wanted.items() <= job.metadata.items()]
            if ours or not jobs.more:
                return Page(ours, jobs.more)
            after = jobs.items[-1].id
        return Page(())

    async def cancel(self, id_: str) -> Job:
        """End a job early."""
        return await self._told(id_, "cancel")

    async def pause(self, id_: str) -> Job:
        """Let a job rest."""
        return await self._told(id_, "pause")

    async def resume(self, id_: str) -> Job:
        """Let a job that rests go on."""
        return await self._told(id_, "resume")

    async def _told(self, id_: str, verb: str) -> Job:
        what = of_job(id_)
        path = f"{self.jobs_path}/{at(id_)}/{verb}"
        return job_of(await self._wire.change("POST", path, f"to {verb} {what}"), id_)

    async def events(self, id_: str, after: str = "") -> Page[JobEvent]:
        """What happened, newest first."""
        path = f"{self.jobs_path}/{at(id_)}/events"
        said = await self._page(path, f"the events of {of_job(id_)}", EVENTS, after)
        return page_of(said, EVENTS, after, events_of(data_of(said), newest_first=True))

    async def checkpoints(self, id_: str, after: str = "") -> Page[Checkpoint]:
        """Models made on the way, newest first."""
        path = f"{self.jobs_path}/{at(id_)}/checkpoints"
        said = await self._page(path, f"the checkpoints of {of_job(id_)}", CHECKPOINTS, after)
        return page_of(said, CHECKPOINTS, after, [checkpoint_of(each) for each in data_of(said)])

    # Models

    async def models(self) -> Sequence[ServedModel]:
        """What can be trained and talked to."""
        what = "the list of models"
        said = await self._wire.read("models", what)
        return [model for model in map(model_of, data_of(said)) if model.id]

    async def delete_model(self, id_: str) -> None:
        """Have a model no more."""
        await self._wire.change("DELETE", f"models/{at(id_)}", f"the model {id_}")

    async def _page(
        self, path: str, what: str, limit: int, after: str, filters: Mapping[str, str] | None = None
    ) -> Any:
        return await self._wire.read(path, what, after_of(after, {"limit": limit}, filters))

    def _present(self, file: TrainingFile, what: str) -> TrainingFile:
        if not file.id:
            raise TuningError(unreadable(self._wire.endpoint, what))
        return file

    def _object(self, said: Any, what: str) -> Mapping[str, Any]:
        """An answer that is about something; anything else is no answer."""
        found = mapping(said)
        if not found:
            raise TuningError(unreadable(self._wire.endpoint, what))
        return found


def at(id_: str) -> str:
    """An id as a part of an address: names of models have colons, and some have slashes."""
    return quote(id_, safe=":")


def of_job(id_: str) -> str:
    """A job, for a sentence."""
    return f"the fine-tune job {id_}"


def after_of(
    after: str, query: Mapping[str, str | int], filters: Mapping[str, str] | None = None
) -> dict[str, str | int]:
    """The query of a page."""
    return {**query, **(filters or {}), **({"after": after} if after else {})}


def page_of(said: Any, limit: int, after: str, items: Sequence[T]) -> Page[T]:
    """A page of what has an id. Entries up to `after` are left out: there are servers that ignore
    it, and whoever asks page by page would never end.
    """
    items = [item for item in items if item.id]
    ids = [item.id for item in items]
    if after in ids:
        items = items[ids.index(after) + 1 :]
    return Page(items, has_more(said, limit) and bool(items))
