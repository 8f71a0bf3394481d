"""Whether everything that a running tunebot needs works just now."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence

from bot.errors import BotError
from bot.models.client import HttpModelClient
from bot.ports import Adapter, Check
from bot.store import Store


class Readiness:
    """Looks at the database, each provider and each adapter. `running` has the adapters' tasks."""

    def __init__(
        self,
        store: Store,
        model: HttpModelClient,
        providers: Iterable[str],
        adapters: Mapping[str, Adapter],
        running: Mapping[str, asyncio.Task[None]],
    ) -> None:
        self._store = store
        self._model = model
        self._providers = list(providers)
        self._adapters = adapters
        self._running = running

    async def look(self) -> Sequence[Check]:
        """One check for each, all tried at once."""
        looks = [self._database(), *map(self._provider, self._providers)]
        return [*await asyncio.gather(*looks), *map(self._adapter, self._adapters)]

    async def _database(self) -> Check:
        try:
            await self._store.do(lambda _: None)  # that it commits says that the file takes it
        except BotError as error:
            return Check("database", False, str(error))
        return Check("database", True, "takes steps")

    async def _provider(self, name: str) -> Check:
        what = f"provider {name}"
        try:
            await self._model.models(name)
        except BotError as error:
            return Check(what, False, str(error))
        return Check(what, True, "answers")

    def _adapter(self, name: str) -> Check:
        what, task = f"adapter {name}", self._running.get(name)
        if task is None or task.done():
            return Check(what, False, "does not run")
        trouble = self._adapters[name].trouble
        return Check(what, not trouble, trouble or "runs")
