"""The life of a fine-tune job: asked for, confirmed, made once, watched, ended, used."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from bot.errors import CommandError
from bot.messages import Card, ConversationId, Price, Profile
from bot.models.profiles import Profiles
from bot.ports import Adapter, Clock
from bot.store import Store, boards, jobs, stages, telling
from bot.store.jobs import Stage, Tracked
from bot.store.outbox import Owed
from bot.store.stages import Allow
from bot.training import Job
from bot.tuning.beginning import Beginning, starting_text
from bot.tuning.boards import Boards
from bot.tuning.card import Shown, card_text
from bot.tuning.ending import Ending
from bot.tuning.learned import Learned
from bot.tuning.plan import month_of
from bot.tuning.progress import progress_of
from bot.tuning.service import TuningService
from bot.tuning.starting import Starter
from bot.tuning.unread import nothing, unread
from bot.tuning.watcher import Watcher

Owe = Callable[[Sequence[Owed]], None]
WEEK = 7 * 86_400.0  # that a job may wait to be confirmed


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
        self._store = store
        self._clock = clock
        self._owe: Owe | None = None
        self._boards = Boards(store, adapters, clock)
        self._learned = Learned(store, profiles, clock, expect, self._serves)
        ending = Ending(store, services, self._learned, prices, clock)
        self._watcher = Watcher(
            store, services, self._boards, self._hand_on, ending.of, clock, shortest
        )
        self._beginning = Beginning(
            store,
            Starter(store, services, clock),
            self._boards,
            self._hand_on,
            self._watcher.watch,
            self._serves,
        )

    async def open(self, owe: Owe) -> None:
        """Go on with every job; `owe` delivers what is told of them."""
        self._owe = owe
        await self._learned.resume()
        await self._beginning.resume()
        await self._watcher.resume()

    async def close(self) -> None:
        """Leave every job as it is, for the next start."""
        await self._beginning.close()
        await self._watcher.close()
        await self._boards.close()

    async def sweep(self) -> None:
        """Forget what nobody confirmed for a week."""
        await self._store.insist(stages.drop_asked, self._clock.now() - WEEK)

    def service(self, tracked: Tracked) -> TuningService:
        """The service of a job. Raises CommandError where it is not configured any more."""
        if not self._serves(tracked.service):
            raise CommandError(
                f"{tracked.name} is at {tracked.service}, which is not in the configuration any "
                f"more: add [providers.{tracked.service}]."
            )
        return self.services[tracked.service]

    async def confirm(
        self,
        row: int,
        message: int,
        where: ConversationId,
        person: str,
        origin: str,
        allow: Allow,
    ) -> Card:
        """Begin with a job that was asked for, and follow it where it was; returns its card. The
        same `message` gets the same card. `allow` raises for a cost beside what was spent.

        Raises CommandError when it was declined or begun already.
        """
        now = self._clock.now()
        follower = await self._store.insist(
            stages.confirm, row, message, where, person, origin, allow, month_of(now), now
        )
        if follower is None:
            raise CommandError("That job was declined or started already: /finetune list shows it.")
        tracked = await self._store.insist(jobs.tracked, row)
        if tracked.stage is Stage.STARTING:
            self._beginning.go_on(tracked)
        return Card(await self.text(tracked), board=follower.id)

    async def follow(
        self, tracked: Tracked, where: ConversationId, person: str, origin: str
    ) -> Card:
        """Show a job in a conversation from now on; returns its card."""
        follower = await self._store.insist(boards.follow, tracked.id, where, person, origin)
        self._watch(tracked)
        return Card(await self.text(tracked), board=follower.id)

    async def unfollow(self, tracked: Tracked, where: ConversationId) -> bool:
        """Show a job there no more; False where it was not followed."""
        for follower in await self._store.insist(boards.followers, tracked.id):
            if follower.conversation == where:
                await self._boards.leave(follower)
        return await self._store.insist(boards.unfollow, tracked.id, where)

    async def adopt(self, service: str, job: Job, person: str) -> Tracked:
        """Know a job that was made elsewhere, and watch it: what happened to it before is no news.
        Raises TuningError where its service does not tell that.
        """
        past, now = await unread(self.services[service], job.id, nothing), self._clock.now()
        tracked = await self._store.insist(telling.adopt, service, job, past, person, now)
        self._watch(tracked)
        return tracked

    async def text(self, tracked: Tracked) -> str:
        """What the card of a job shows just now; after a start, once it was looked at."""
        if tracked.stage in {Stage.STARTING, Stage.WITHDRAWN}:
            return starting_text(tracked, "Beginning …")
        await self._watcher.looked(tracked.id)
        shown = self._watcher.shown(tracked.id)
        if shown is None:
            tracked = await self._store.insist(jobs.tracked, tracked.id)
            events = await self._store.insist(telling.events, tracked.id)
            shown = Shown(tracked.job, progress_of(events), tracked.name, tracked.cost_text)
        return card_text(shown, self._clock.now())

    async def withdraw(self, tracked: Tracked, person: str) -> bool:
        """Take a job back that is starting: if its service has it by now, it is cancelled there.
        False when it has started.
        """
        return await self._beginning.withdraw(tracked, person, self._clock.now())

    async def learn(self, tracked: Tracked, model: str, name: str) -> Profile:
        """The profile that talks to a model of a job."""
        return await self._learned.learn(tracked, model, name)

    async def deployed(self, tracked: Tracked) -> Profile | None:
        """The profile that talks to a job's deployment; None where none was named yet."""
        return await self._learned.deployed(tracked)

    async def unlearn(self, model: str) -> None:
        """A model is deleted: nobody can choose it any more."""
        await self._learned.unlearn(model)

    def poke(self, job: str) -> None:
        """Something happened to a job of this id: look at it now."""
        self._watcher.poke(job)

    def _watch(self, tracked: Tracked) -> None:
        if tracked.stage is Stage.MADE:
            self._watcher.watch(tracked)

    def _serves(self, provider: str) -> bool:
        return provider in self.services

    def _hand_on(self, owed: Sequence[Owed]) -> None:
        assert self._owe, "open comes first"  # noqa: S101  for whoever changes the order
        self._owe(owed)
