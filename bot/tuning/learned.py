"""The models that jobs made: each gets a profile that asks as its training data was written."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Collection
from dataclasses import replace

import structlog

from bot.messages import Profile
from bot.models.names import goes_with
from bot.models.profiles import Profiles
from bot.ports import Clock
from bot.store import Store, datasets, learned
from bot.store.jobs import Tracked
from bot.training import Dataset, Job, JobStatus

NO_NAME = re.compile(r"[^\w.-]+")
SETTLING = 600.0  # seconds in which a model that is not found may come yet: facts/fine-tuning.md

log = structlog.get_logger()


class Learned:
    """The profiles of all models that jobs made, beside those of the configuration. `expect` hears
    of every new model, and until when it may not be found yet; `served` tells whether a provider is
    configured.
    """

    def __init__(
        self,
        store: Store,
        profiles: Profiles,
        clock: Clock,
        expect: Callable[[str, float], None],
        served: Callable[[str], bool],
    ) -> None:
        self._store = store
        self._profiles = profiles
        self._clock = clock
        self._expect = expect
        self._served = served
        self._absent: set[str] = set()
        self.naming = asyncio.Lock()  # held from the choice of a name until it is taken

    async def resume(self) -> None:
        """Let everything be chosen that was learned. A name that the configuration has by now is
        changed; a model whose provider it has no more waits until it has it again.
        """
        known = await self._store.insist(learned.learned)
        self._absent = {each.name for each in known if not self._served(each.provider)}
        for profile in known:
            if profile.name in self._absent:
                log.warning("provider not configured", profile=profile.name, of=profile.provider)
                continue
            if profile.name in self._names():
                name = free_name(profile.name, {*self._taken(), *(each.name for each in known)})
                log.warning("profile renamed: the name is configured", was=profile.name, now=name)
                profile = await self._store.insist(learned.rename, profile, name)  # noqa: PLW2901
            self._profiles.learn(profile)

    async def profile_for(self, tracked: Tracked, job: Job) -> Profile | None:
        """The profile that the model of a job will have; None where there is no model."""
        if job.status is not JobStatus.SUCCEEDED or not job.fine_tuned_model:
            return None
        return await self._made(tracked, job, tracked.name, set())

    def is_there(self, profile: Profile) -> None:
        """A profile is stored, and can be chosen from now on."""
        self._profiles.learn(profile)
        self._expect(profile.model, self._clock.now() + SETTLING)

    async def learn(self, tracked: Tracked, model: str, name: str) -> Profile:
        """The profile that talks to a model of a job; made where there is none yet. Under the name
        of a deployment another job's model may have answered before: its profile is replaced, also
        where it is used.
        """
        async with self.naming:
            earlier = self._talks_to(model, tracked.service)
            if earlier:
                job = await self._store.insist(learned.job_of, earlier.name)
                if job is None or job == tracked.id:
                    return earlier
            made = replace(tracked.job, fine_tuned_model=model)
            gone = {earlier.name} if earlier else set()
            profile = await self._made(tracked, made, name, gone)
            now = self._clock.now()
            if earlier:
                await self._store.insist(learned.replace_by, earlier.name, tracked.id, profile, now)
                self._profiles.unlearn(earlier.name)
            else:
                await self._store.insist(learned.learn, tracked.id, profile, now)
            self._profiles.learn(profile)
        return profile

    async def deployed(self, tracked: Tracked) -> Profile | None:
        """The profile of the deployment that a job's model was last given; None where there is
        none.
        """
        name = await self._store.insist(learned.newest_of, tracked.id)
        return self._profiles.named(name) if name in self._names() else None

    def _talks_to(self, model: str, provider: str) -> Profile | None:
        """The profile that talks to a model."""
        known = self._profiles.all()
        return next(
            (each for each in known if (each.model, each.provider) == (model, provider)), None
        )

    async def unlearn(self, model: str) -> None:
        """A model is deleted: nobody can choose it any more, or one of its checkpoints."""
        known = {each.model for each in self._profiles.all() if goes_with(each.model, model)}
        for gone in {model, *known}:
            for profile in await self._store.insist(learned.unlearn, gone):
                self._profiles.unlearn(profile)

    async def _made(self, tracked: Tracked, job: Job, name: str, gone: Collection[str]) -> Profile:
        """A new profile for a job's model; the names of those that are gone then are free."""
        dataset = await self._store.insist(datasets.named, tracked.dataset)
        return profile_of(free_name(name, self._taken() - {*gone}), tracked.service, job, dataset)

    def _taken(self) -> set[str]:
        return self._names() | self._absent

    def _names(self) -> set[str]:
        return {profile.name for profile in self._profiles.all()}


def profile_of(name: str, service: str, job: Job, dataset: Dataset | None) -> Profile:
    """How to talk to the model of a job that ended well.

    Without a dataset of ours nothing is known of its prompts: it is asked as a chat model, unless
    its base is one for completions.
    """
    if dataset is None:
        api = "completions" if re.match(r"(davinci|babbage|curie|ada)\b", job.model) else "chat"
        dataset = Dataset("", "completion" if api == "completions" else "chat", "")
    profile = Profile(
        name,
        service,
        job.fine_tuned_model,
        api="completions" if dataset.kind == "completion" else "chat",
        system=dataset.system if dataset.kind != "completion" else "",
        # Models that reason are what reinforcement trains, and they refuse a temperature.
        params={} if job.method == "reinforcement" else {"temperature": 0},
        separator=dataset.separator,
        answer_prefix=dataset.answer_prefix,
        stop=(dataset.stop,) if dataset.stop else (),
    )
    # Earlier exchanges before a question would be a prompt such as it was never trained on.
    return replace(profile, history=1) if dataset.single_turn else profile


def free_name(wanted: str, taken: Collection[str]) -> str:
    """A name for a profile that no other has: "support", "support-2" …"""
    wanted = NO_NAME.sub("-", wanted).strip("-") or "tuned"
    name, number = wanted, 1
    while name in taken:
        number += 1
        name = f"{wanted}-{number}"
    return name
