"""The end of a job: its curve, its model, and what is told of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import structlog

from bot.apart import apart
from bot.errors import TuningError
from bot.messages import Document, Price
from bot.models.prices import training_price
from bot.ports import Clock
from bot.store import Store, telling
from bot.store.jobs import Tracked
from bot.store.outbox import Owed
from bot.store.telling import Notice
from bot.training import Checkpoint, Job, JobEvent
from bot.tuning.card import Shown, card_text
from bot.tuning.chart import loss_chart
from bot.tuning.learned import Learned
from bot.tuning.notices import end_of
from bot.tuning.progress import Progress
from bot.tuning.results import Curve, curves
from bot.tuning.service import TuningService

MOST_CHECKPOINTS = 500

log = structlog.get_logger()


class Ending:
    """Stores how jobs ended, with what is told of it and the profiles of their models."""

    def __init__(
        self,
        store: Store,
        services: Mapping[str, TuningService],
        learned: Learned,
        prices: Mapping[str, Price],
        clock: Clock,
    ) -> None:
        self._store = store
        self._services = services
        self._learned = learned
        self._prices = prices
        self._clock = clock

    async def of(
        self,
        tracked: Tracked,
        job: Job,
        progress: Progress,
        news: Sequence[JobEvent],
        notices: Sequence[Notice],
    ) -> list[Owed]:
        """Store the end of a job with its last events; what is owed of it, `notices` first."""
        service, now = self._services[tracked.service], self._clock.now()
        chart = await self._chart(service, tracked, job, progress)
        billed = self._billed(job)
        cost = tracked.cost_text if billed is None else f"${billed:,.2f}"
        shown = Shown(job, progress, tracked.name, cost)
        notices = [
            *notices,
            *end_of(
                tracked.id,
                tracked.name,
                job,
                card_text(shown, now),
                chart,
                deploys=service.deploys,
            ),
        ]
        async with self._learned.naming:
            profile = None if service.deploys else await self._learned.profile_for(tracked, job)
            owed = await self._store.insist(
                telling.end, tracked.id, job, news, notices, profile, billed, now
            )
            if profile:
                self._learned.is_there(profile)
        return owed

    def _billed(self, job: Job) -> float | None:
        """What a job cost in US dollars, None where that is not known."""
        price = training_price(self._prices, job.model)
        by_time = job.method == "reinforcement"
        if price is None or by_time or not job.trained_tokens:
            return None
        return job.trained_tokens * price / 1_000_000

    async def _chart(
        self, service: TuningService, tracked: Tracked, job: Job, progress: Progress
    ) -> Document | None:
        """The losses as a picture; None where there are none, or none can be drawn: the end is told
        without it.
        """
        try:
            training, validation = await self._curves(service, job, progress)
            if len(training) < 2:
                return None
            marks = [each.step for each in await checkpoints_of(service, job.id)]
            title = f"{tracked.name} · {job.model}"
            picture = await apart(loss_chart, title, training, validation, marks)
        except Exception:
            log.exception("loss not drawn", job=job.id)
            return None
        return Document("loss.png", "image/png", picture)

    async def _curves(
        self, service: TuningService, job: Job, progress: Progress
    ) -> tuple[Curve, Curve]:
        """The losses, from the result file where the events had none."""
        if progress.training or not job.result_files:
            return progress.training, progress.validation
        try:
            return curves(await service.content(job.result_files[0]))
        except TuningError as error:
            log.warning("result file not read", job=job.id, reason=str(error))
            return (), ()


async def checkpoints_of(service: TuningService, job: str) -> list[Checkpoint]:
    """All checkpoints of a job, oldest first; none where the service has no such list."""
    found: list[Checkpoint] = []
    try:
        page = await service.checkpoints(job)
        found += page.items
        while page.more and page.items and len(found) < MOST_CHECKPOINTS:
            page = await service.checkpoints(job, page.items[-1].id)
            found += page.items
    except TuningError as error:
        log.warning("checkpoints not read", job=job, reason=str(error))
    return sorted(found, key=lambda each: each.step)
