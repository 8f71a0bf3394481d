"""Everything that runs, built from the configuration: the only file that knows the whole."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Any

import structlog

from bot import metrics
from bot.access import Access
from bot.chores import Chores
from bot.commands import Services
from bot.completion import Completions
from bot.config import Config
from bot.config.keys import keys_of
from bot.config.local import LOCAL_MODEL, data_folder
from bot.conversation import Conversation
from bot.core import Tunebot
from bot.errors import BotError, ConfigError
from bot.files import Files
from bot.inbox import Inbox
from bot.models.client import HttpModelClient
from bot.models.profiles import Profiles
from bot.models.slots import Slots
from bot.models.tokens import Tokens
from bot.outbox import Outbox
from bot.ports import Adapter, Clock, Core, Door, SystemClock
from bot.readiness import Readiness
from bot.store import Store
from bot.tuning import webhook
from bot.tuning.jobs import Jobs
from bot.tuning.library import Library
from bot.tuning.services import services
from bot.voice import Voice

log = structlog.get_logger()


class App:
    """A tunebot: opened, run until it is told to stop, closed in the reverse order."""

    def __init__(
        self,
        config: Config,
        adapters: Sequence[Adapter],
        *,
        clock: Clock | None = None,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self._config = config
        self._adapters = {adapter.name: adapter for adapter in adapters}
        self._clock = clock or SystemClock()
        self._environment = environment
        self._stopping = asyncio.Event()
        self._running: dict[str, asyncio.Task[None]] = {}

    def stop(self) -> None:
        """End the run: no more messages come in, and what runs gets a while to end."""
        self._stopping.set()

    async def run(self) -> None:
        """Serve until `stop`, or until an adapter ends by itself.

        Raises BotError when it cannot start, or what an adapter cannot go on with.
        """
        try:
            async with AsyncExitStack() as stack:
                core = await self._unless_stopped(self._open(stack))
                if core:
                    await self._serve(core)
        except* BotError as group:
            raise first(group) from None

    async def _unless_stopped(self, opening: Coroutine[Any, Any, Core]) -> Core | None:
        """Let the start end, which may fetch a model; None when it is told to stop before."""
        start = asyncio.create_task(opening, name="start")
        stopping = asyncio.create_task(self._stopping.wait(), name="stopping")
        try:
            await asyncio.wait([start, stopping], return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
            if not start.done():
                start.cancel()
                await asyncio.wait([start])
        return None if start.cancelled() else start.result()

    async def _serve(self, core: Core) -> None:
        """Run the adapters until the first of them ends, or `stop`."""
        async with asyncio.TaskGroup() as group:
            chores = self._chores.begin(group)
            # Who has a server comes first, and says where, before a terminal has its prompt.
            by_server = sorted(self._adapters.items(), key=lambda each: not each[1].opens_doors)
            for name, adapter in by_server:
                self._running[name] = group.create_task(adapter.run(core), name=f"adapter {name}")
            stopping = group.create_task(self._stopping.wait(), name="stopping")
            log.info("running", adapters=list(self._adapters))
            talks = self._running.values()
            await asyncio.wait([*talks, stopping], return_when=asyncio.FIRST_COMPLETED)
            log.info("stopping")
            for task in (*talks, *chores, stopping):
                task.cancel()

    async def _open(self, stack: AsyncExitStack) -> Core:
        """Build everything, from the store to the core, and take up what is left."""
        config, clock = self._config, self._clock
        doors = doors_of(self._adapters)
        store = Store(config.database, clock)
        await store.open()
        stack.push_async_callback(store.close)
        files = Files(data_folder(config) / "files", store, clock)
        files.open()
        model = model_client(config, clock, self._environment)
        stack.push_async_callback(model.aclose)
        tuning = services(config.providers, keys_of(config, self._environment), clock)
        for service in tuning.values():
            stack.push_async_callback(service.aclose)
        for provider in config.providers.values():
            if provider.kind == "local":
                from bot.local import LocalServer  # noqa: PLC0415  10 MiB, for those who want it

                server = LocalServer(provider, data_folder(config))
                stack.push_async_callback(server.stop)
                await server.start()
                model.connect(provider.name, server.base_url, server.key)
                tuning[provider.name].connect(server.base_url, server.key)
                tuning[provider.name].usual = server.usual
        profiles = Profiles(config.profiles, config.defaults.profile)
        access = Access(config.access, store)
        outbox = Outbox(store, self._adapters, clock)
        tokens, slots = Tokens(), Slots(config.model_calls)
        conversation = Conversation(
            store,
            outbox,
            self._adapters,
            model,
            profiles,
            tokens,
            config.prices,
            access,
            clock,
            slots,
        )
        library = Library(store, data_folder(config) / "datasets", clock)
        jobs = Jobs(
            store,
            tuning,
            self._adapters,
            profiles,
            config.prices,
            clock,
            config.tuning.poll_seconds,
            model.expect,
        )
        completions = Completions(store, model, tokens, config.prices, access, clock, slots)
        needed = Services(
            store,
            files,
            conversation,
            profiles,
            access,
            clock,
            library,
            jobs,
            completions,
            config.prices,
            config.tuning,
        )
        self._chores = Chores(
            store, files, library, jobs, self._adapters, config.retention_days, clock
        )
        inbox = Inbox(needed, outbox, Voice(model, config.providers.values()))
        for adapter in self._adapters.values():
            stack.push_async_callback(adapter.close)
        stack.push_async_callback(inbox.close, config.shutdown_seconds)
        stack.push_async_callback(jobs.close)
        await inbox.resume(self._adapters, profiles.history)
        await jobs.open(inbox.owe)
        readiness = Readiness(store, model, config.providers, self._adapters, self._running)
        return Tunebot(
            store,
            inbox,
            completions,
            profiles,
            access,
            clock,
            greeting=greeting(config),
            operators=config.access.operators,
            doors=[*doors, *hooks(self._environment, jobs.poke)],
            files=files,
            look=readiness.look,
        )


def doors_of(adapters: Mapping[str, Adapter]) -> list[Door]:
    """What platforms call. Raises ConfigError where no adapter has a server for it."""
    doors = [door for adapter in adapters.values() for door in adapter.doors]
    if doors and not any(adapter.opens_doors for adapter in adapters.values()):
        raise ConfigError(
            f"adapters: {doors[0].path} is to be called by a platform, and there is no server for "
            f"it; add [adapters.http]."
        )
    return doors


def hooks(environment: Mapping[str, str], poke: Callable[[str], None]) -> list[Door]:
    """What a tuning service calls, where a secret for that is set."""
    secret = environment.get(webhook.SECRET, "").strip()
    return [webhook.door(secret, poke)] if secret else []


def first(group: BaseExceptionGroup[BotError]) -> BotError:
    """The first error of a group, which may hold groups."""
    error = group.exceptions[0]
    return first(error) if isinstance(error, BaseExceptionGroup) else error


def greeting(config: Config) -> str:
    """Who answers, for the first line of a terminal."""
    profile = config.profile
    if config.providers[profile.provider].kind == "local" and profile.model == LOCAL_MODEL:
        return f"{profile.model} answers: small, on this machine, for trying things out."
    return f"{profile.model} answers ({profile.provider})."


def model_client(
    config: Config, clock: Clock, environment: Mapping[str, str] = os.environ
) -> HttpModelClient:
    """The client of all configured providers."""
    return HttpModelClient(
        config.providers,
        keys_of(config, environment),
        clock,
        on_retry=lambda provider: metrics.model_retries.labels(provider).inc(),
    )
