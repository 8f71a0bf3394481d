"""What a tuning service must offer, whatever its dialect."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from bot.datasets.cost import Usual
from bot.training import Checkpoint, Job, JobEvent, Method, NewJob, ServedModel, TrainingFile

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some of a list, in the order of the service. `more` says that the next page is to be asked
    for, `after` the last one's id.
    """

    items: Sequence[T]
    more: bool = False


class TuningService(Protocol):
    """Where fine-tune jobs run.

    Raises TuningError for what it refuses, with the service's reason; TuningBusy for what it may
    do later, TuningUnreached where it is not known whether it was done. Reading is tried again
    before that, for a moment; what changes something never is.

    Where it `deploys`, a model answers only once somebody deployed it, under the name that they
    give to the deployment.
    """

    usual: Usual
    methods: tuple[Method, ...]
    deploys: bool

    async def upload(
        self, path: Path, name: str, on_progress: Callable[[int], None] = lambda _: None
    ) -> TrainingFile:
        """Send a file under its real name; `on_progress` hears how many bytes went."""

    async def file(self, id_: str) -> TrainingFile: ...

    async def files(self) -> Sequence[TrainingFile]:
        """All files for training, newest first."""

    async def content(self, id_: str) -> bytes:
        """A file, decoded where the service encodes its result files."""

    async def delete_file(self, id_: str) -> None: ...

    async def create(self, job: NewJob) -> Job:
        """Make a job, once: nothing here is tried again."""

    async def job(self, id_: str) -> Job: ...

    async def jobs(self, after: str = "", metadata: Mapping[str, str] | None = None) -> Page[Job]:
        """Jobs, newest first; with `metadata` only those that carry it, as far as the service can
        tell them apart.
        """

    async def cancel(self, id_: str) -> Job: ...

    async def pause(self, id_: str) -> Job: ...

    async def resume(self, id_: str) -> Job: ...

    async def events(self, id_: str, after: str = "") -> Page[JobEvent]:
        """What happened, newest first."""

    async def checkpoints(self, id_: str, after: str = "") -> Page[Checkpoint]:
        """Models made on the way, newest first."""

    async def models(self) -> Sequence[ServedModel]: ...

    async def delete_model(self, id_: str) -> None: ...


def untaught(service: str, method: Method, methods: tuple[Method, ...]) -> str:
    """The sentence for a method by which a service does not train."""
    return f"The provider {service} cannot train by {method}: choose {' or '.join(methods)}."
