"""The life of a fine-tune job: asked for, confirmed, made once, watched, ended, used."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import structlog

from bot.apart import apart
from bot.errors import BotError, CommandError, TuningError
from bot.messages import Card, ConversationId, Document, Price, Profile
from bot.models.prices import training_price
from bot.models.profiles import Profiles
from bot.ports import Adapter, Clock
from bot.store import Store, boards, datasets, jobs
from bot.store.jobs import Notice, Stage, Tracked
from bot.store.outbox import Owed
from bot.training import Checkpoint, Job, JobEvent, JobStatus
from bot.tuning.boards import Boards
from bot.tuning.card import Shown, card_text
from bot.tuning.chart import loss_chart
from bot.tuning.learned import free_name, profile_of
from bot.tuning.notices import end_of, news_of
from bot.tuning.progress import Progress, progress_of
from bot.tuning.results import curves
from bot.tuning.service import TuningService
from bot.tuning.starting import Starter
from bot.tuning.watcher import Watcher

Owe = Callable[[Sequence[Owed]], None]
MOST_CHECKPOINTS = 500
SETTLING = 600.0  # seconds in which a model that is not found may come yet: facts/fine-tuning.md

log = structlog.get_logger()


class Jobs:
    """All jobs that this tunebot knows. `open` takes up what the last run left. `expect` hears of
    every new model, and until when it may not be found yet.
    """

    def __init__(
        self,
        store: Store,
        services: Mapping[str, TuningService],
        adapters: Mapping[str, Adapter],
        profiles: Profiles,
        prices: Mapping[str, Price],
        clock: Clock,
        shortest: float,
        expect: Callable[[str, float], None],
    ) -> None:
        self.services = services
        self._expect = expect
        self._store = store
        self._profiles = profiles
        self._prices = prices
        self._clock = clock
        self._boards = Boards(store, adapters, clock)
        self._starter = Starter(store, services, clock)
        self._watcher = Watcher(
            store, services, self._boards, self._hand_on, self._ended, clock, shortest
        )
        self._starting: dict[int, asyncio.Task[None]] = {}
        self._owe: Owe | None = None

    async def open(self, owe: Owe) -> None:
        """Go on with every job; `owe` delivers what is told of them."""
        self._owe = owe
        for profile in await self._store.insist(jobs.learned):
            self._profiles.learn(profile)
        for tracked in await self._store.insist(jobs.at_stage, Stage.STARTING):
            self._start(tracked, again=True)
        await self._watcher.resume()

    async def close(self) -> None:
        """Leave every job as it is, for the next start."""
        for task in self._starting.values():
            task.cancel()
        await asyncio.gather(*self._starting.values(), return_exceptions=True)
        await self._watcher.close()
        await self._boards.close()

    async def confirm(self, row: int, where: ConversationId, person: str, origin: str) -> Card:
        """Begin with a job that was asked for, and follow it where it was; returns its card.

        Raises CommandError when it was declined. Confirming again changes nothing.
        """
        now = self._clock.now()
        follower, begun = await self._store.insist(jobs.confirm, row, where, person, origin, now)
        if follower is None:
            raise CommandError("That job was declined or started already: /finetune list shows it.")
        tracked = await self._store.insist(jobs.tracked, row)
        if begun:
            self._start(tracked, again=False)
        return Card(self._starting_text(tracked, "Beginning …"), board=follower.id)

    async def follow(
        self, tracked: Tracked, where: ConversationId, person: str, origin: str
    ) -> Card:
        """Show a job in a conversation from now on; returns its card."""
        follower = await self._store.insist(boards.follow, tracked.id, where, person, origin)
        if tracked.stage is Stage.MADE:
            await self._watcher.watch(tracked)
        return Card(await self.text(tracked), board=follower.id)

    async def adopt(self, service: str, job: Job, person: str) -> Tracked:
        """Know a job that was made elsewhere, and watch it."""
        now = self._clock.now()
        tracked = await self._store.insist(jobs.adopt, service, job, person, now)
        if tracked.stage is Stage.MADE:
            await self._watcher.watch(tracked)
        return tracked

    async def text(self, tracked: Tracked) -> str:
        """What the card of a job shows just now."""
        shown = self._watcher.shown(tracked.id)
        if shown is None:
            events = await self._store.insist(jobs.events, tracked.id)
            shown = Shown(tracked.job, progress_of(events), tracked.name, tracked.cost_text)
        return card_text(shown, self._clock.now())

    async def withdraw(self, tracked: Tracked) -> str:
        """Do not go on with a job that is just being made; returns what is said of it."""
        task = self._starting.get(tracked.id)
        if task is None:
            raise CommandError(f"{tracked.name} is made by now: cancel it once more.")
        task.cancel()
        await asyncio.wait([task])
        made = await self._store.insist(jobs.tracked, tracked.id)
        if made.stage is Stage.MADE:
            raise CommandError(f"{tracked.name} is made by now: cancel it once more.")
        await self._not_made(tracked, "it was cancelled before it began.")
        return "It was not started."

    async def learn(self, tracked: Tracked, model: str, name: str) -> Profile:
        """The profile that talks to a model of a job; made where there is none yet."""
        for profile in self._profiles.all():
            if (profile.model, profile.provider) == (model, tracked.service):
                return profile
        dataset = await self._store.insist(datasets.named, tracked.dataset)
        taken = [profile.name for profile in self._profiles.all()]
        job = replace(tracked.job, fine_tuned_model=model)
        profile = profile_of(free_name(name, taken), tracked.service, job, dataset)
        await self._store.insist(jobs.learn, tracked.id, profile, self._clock.now())
        self._profiles.learn(profile)
        return profile

    async def unlearn(self, model: str) -> None:
        """A model is deleted: nobody can choose it any more."""
        for profile in await self._store.insist(jobs.unlearn, model):
            self._profiles.unlearn(profile)

    def poke(self, job: str) -> None:
        """Something happened to a job of this id: look at it now."""
        self._watcher.poke(job)

    def _hand_on(self, owed: Sequence[Owed]) -> None:
        assert self._owe, "open comes first"  # noqa: S101  for whoever changes the order
        self._owe(owed)

    def _start(self, tracked: Tracked, *, again: bool) -> None:
        task = asyncio.create_task(
            self._until_made(tracked, again=again), name=f"start {tracked.name}"
        )
        self._starting[tracked.id] = task
        task.add_done_callback(lambda _: self._starting.pop(tracked.id, None))

    async def _until_made(self, tracked: Tracked, *, again: bool) -> None:
        """Have a job made and watched; a refusal is told, and nothing of it is left."""
        followers = await self._store.insist(boards.followers, tracked.id)

        def say(sentence: str) -> None:
            for follower in followers:
                self._boards.show(follower, self._starting_text(tracked, sentence))

        try:
            await self._starter.start(tracked, say, again=again)
        except TuningError as error:
            await self._not_made(tracked, str(error))
        except (BotError, OSError) as error:
            await self._not_made(tracked, str(error))
        except Exception:
            log.exception("job not made", job=tracked.name)
            await self._not_made(tracked, "Something went wrong on my side; it is in the log.")
        else:
            await self._watcher.watch(await self._store.insist(jobs.tracked, tracked.id))

    async def _not_made(self, tracked: Tracked, reason: str) -> None:
        """Tell that there is no job."""
        log.warning("job not made", job=tracked.name, reason=reason)
        for follower in await self._store.insist(boards.followers, tracked.id):
            await self._boards.leave(follower)
        text = f"❌ **{tracked.name}** was not started: {reason}"
        notices = [Notice(Card(text, failed=True), edits=True)]
        self._hand_on(await self._store.insist(jobs.give_up, tracked.id, notices))

    def _starting_text(self, tracked: Tracked, sentence: str) -> str:
        return f"📤 **{tracked.name}** · {tracked.wanted.model}  \n{sentence}"

    async def _ended(
        self, tracked: Tracked, job: Job, progress: Progress, news: Sequence[JobEvent]
    ) -> list[Owed]:
        """Store the end of a job, with what is told of it and the profile of its model."""
        service, now = self.services[tracked.service], self._clock.now()
        training, validation = await self._curves(service, job, progress)
        marks = [each.step for each in await checkpoints_of(service, job.id)]
        chart = None
        if len(training) > 1:
            title = f"{tracked.name} · {job.model}"
            picture = await apart(loss_chart, title, training, validation, marks)
            chart = Document("loss.png", "image/png", picture)
        profile = None
        if job.status is JobStatus.SUCCEEDED and job.fine_tuned_model:
            dataset = await self._store.insist(datasets.named, tracked.dataset)
            taken = [profile.name for profile in self._profiles.all()]
            profile = profile_of(free_name(tracked.name, taken), tracked.service, job, dataset)
            self._profiles.learn(profile)
            self._expect(profile.model, now + SETTLING)
        shown = Shown(job, progress, tracked.name, self._billed(tracked, job))
        notices = [
            *news_of(tracked.name, tracked.job, job, news),
            *end_of(tracked.id, tracked.name, job, card_text(shown, now), chart),
        ]
        return await self._store.insist(jobs.end, tracked.id, job, news, notices, profile, now)

    def _billed(self, tracked: Tracked, job: Job) -> str:
        """What a job cost, as far as prices are known."""
        price = training_price(self._prices, job.model)
        if price is None or not job.trained_tokens:
            return tracked.cost_text
        return f"${job.trained_tokens * price / 1_000_000:,.2f}"

    async def _curves(
        self, service: TuningService, job: Job, progress: Progress
    ) -> tuple[Sequence[tuple[int, float]], Sequence[tuple[int, float]]]:
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
