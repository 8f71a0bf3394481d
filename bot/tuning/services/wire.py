"""How one tuning service is asked: over bot.models' connections, with its keys and addresses."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import httpx
from pydantic_core import from_json

from bot.errors import ModelRefused, ModelUnavailable, TuningBusy, TuningError, TuningUnreached
from bot.models.endpoint import Endpoint
from bot.models.failures import what_broke
from bot.models.retries import Patience, Trouble
from bot.models.transport import BROKEN, Connections, unreached
from bot.ports import Clock
from bot.tuning.services.failures import Broken, busy, failure, unreadable

# Seconds for which reading is tried again. Whoever watches a job looks again anyway.
READING = 15.0

Query = Mapping[str, str | int]


class Wire:
    """One provider. What is read is asked for again for a while; a change never is."""

    def __init__(
        self, endpoint: Endpoint, clock: Clock, jitter: Callable[[], float] = random.random
    ) -> None:
        self.endpoint = endpoint
        self.clock = clock
        self._jitter = jitter
        self._connections = Connections()
        self._absent = endpoint.provider.kind == "local"

    @property
    def name(self) -> str:
        """The provider's name in the configuration."""
        return self.endpoint.name

    def connect(self, base_url: str, key: str = "") -> None:
        """Ask at this address from now on: a local server's is known only after its start."""
        self.endpoint = Endpoint(self.endpoint.provider, base_url, key)
        self._absent = False

    async def aclose(self) -> None:
        """Close all connections."""
        await self._connections.aclose()

    async def read(self, path: str, what: str, query: Query | None = None) -> Any:
        """The JSON at a path. Raises TuningError, also for an answer that is no JSON."""
        content = await self.content(path, what, query)
        try:
            return from_json(content)
        except ValueError:
            raise TuningError(unreadable(self.endpoint, what)) from None

    async def content(self, path: str, what: str, query: Query | None = None) -> bytes:
        """The bytes at a path. Raises TuningError."""
        provider = self.endpoint.provider
        deadline = min(READING, provider.retry_deadline)
        patience = Patience(replace(provider, retry_deadline=deadline), self.clock, self._jitter)
        while True:
            try:
                return await self._answer("GET", path, what, query=query)
            except Trouble as trouble:
                try:
                    seconds = patience.wait(trouble)
                except ModelUnavailable as given_up:
                    raise self._remaining(trouble, str(given_up)) from None
            await self.clock.sleep(seconds)

    async def change(self, method: str, path: str, what: str, **sent: Any) -> Any:
        """The JSON that answers a change. `sent` is httpx's json, or data and files.

        Raises TuningBusy where nothing was done, TuningUnreached where that is not known. (aiohttp
        asks a DELETE again whose connection broke: then what is gone already is not found.)
        """
        try:
            content = await self._answer(method, path, what, **sent)
            return from_json(content) if content else {}
        except Trouble as trouble:
            raise self._remaining(trouble) from None
        except ValueError:
            raise TuningUnreached(unreadable(self.endpoint, what)) from None

    def _remaining(self, trouble: Trouble, sentence: str = "") -> TuningError:
        """Trouble as an error; `sentence` is the one of a reading that was given up."""
        if not isinstance(trouble, Broken):
            return busy(trouble, sentence)
        if sentence:
            return TuningUnreached(sentence, status=trouble.status)
        return TuningUnreached(
            f"{trouble}: it is not known whether it was done.{trouble.quote}", status=trouble.status
        )

    async def _answer(
        self, method: str, path: str, what: str, *, query: Query | None = None, **sent: Any
    ) -> bytes:
        """One try. Raises Trouble where another may help, or TuningError."""
        endpoint = self._usable()
        try:
            client = await self._connections.client(endpoint)
            url = httpx.URL(endpoint.at(path)).copy_merge_params(query or {})
            # httpx says what is sent: JSON, a form with a file, or nothing.
            headers = {k: v for k, v in endpoint.headers.items() if k != "Content-Type"}
            answer = await client.request(method, url, headers=headers, **sent)
        except ModelRefused as error:
            raise TuningError(str(error)) from None
        except BROKEN as error:
            kind = Trouble if unreached(error) else Broken
            # The error knows the request, and the request the key.
            raise kind(what_broke(endpoint, error)) from None
        if answer.is_success:
            return answer.content
        now = self.clock.now()
        raise failure(endpoint, what, answer.status_code, answer.content, answer.headers, now)

    def _usable(self) -> Endpoint:
        endpoint = self.endpoint
        if self._absent:
            raise TuningBusy("Training on this machine is not ready yet: try again in a moment.")
        if not (endpoint.key.isascii() and endpoint.key.isprintable()):
            raise TuningError(
                f"The key in {endpoint.provider.api_key_env} has characters that no key has: set a"
                " valid one."
            )
        return endpoint
