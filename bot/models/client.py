"""Streams the answers of models over HTTP: OpenAI's API, wherever it is spoken."""

from __future__ import annotations

import random
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from typing import Any

import structlog

from bot.errors import AnswerBroken, ModelError, ModelRefused, ModelUnavailable
from bot.messages import Attachment, Chunk, Profile, Provider
from bot.models.answer import Answer
from bot.models.endpoint import Endpoint
from bot.models.failures import nothing
from bot.models.link import Link
from bot.models.retries import Patience, Trouble
from bot.models.tokens import Tokens
from bot.ports import Clock

log = structlog.get_logger()


class HttpModelClient:
    """bot.ports.ModelClient for providers of every kind.

    `keys` has the secret of each provider by its name, "" for none. `on_retry` hears the provider's
    name before each wait. A provider of kind "local" is asked only after `connect`.
    """

    def __init__(
        self,
        providers: Mapping[str, Provider],
        keys: Mapping[str, str],
        clock: Clock,
        *,
        tokens: Tokens | None = None,
        on_retry: Callable[[str], None] = lambda _provider: None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._links = {
            name: Link(Endpoint(provider, provider.base_url, keys.get(name, "").strip()), clock)
            for name, provider in providers.items()
        }
        self._young: dict[str, float] = {}
        self._absent = {name for name, one in providers.items() if one.kind == "local"}
        self._clock = clock
        self._tokens = tokens or Tokens()
        self._on_retry = on_retry
        self._jitter = jitter

    def connect(self, provider: str, base_url: str, key: str = "") -> None:
        """Ask a provider at this address from now on."""
        link = self._links[provider]
        link.endpoint = Endpoint(link.endpoint.provider, base_url, key)
        self._absent.discard(provider)

    def expect(self, model: str, until: float) -> None:
        """A model was just made: until that Unix time, "not found" means "not yet"."""
        self._young[model] = until

    async def aclose(self) -> None:
        """Close all connections; an answer on its way breaks."""
        for link in self._links.values():
            await link.aclose()

    async def models(self, provider: str) -> list[str]:
        """The names of the models that a provider lists. One try; raises ModelError."""
        return await self._link(provider).models()

    async def transcribe(self, provider: str, model: str, speech: Attachment) -> str:
        """What is said in a recording. Tried until the provider's deadline; raises ModelError."""
        link = self._link(provider)
        patience = Patience(link.endpoint.provider, self._clock, self._jitter)
        while True:
            try:
                return await link.transcribe(model, speech)
            except Trouble as trouble:
                seconds = patience.wait(trouble)
            self._on_retry(provider)
            await self._clock.sleep(seconds)

    async def stream(
        self, profile: Profile, body: Mapping[str, Any]
    ) -> AsyncGenerator[Chunk, None]:
        """The answer to a request body (see bot.prompt), trimmed at the first stop sequence.

        Closing the generator closes the connection. Raises ModelError, after the last whole chunk:
        ModelUnavailable after the provider's `retry_deadline`, AnswerBroken after the first token,
        ContextTooLong and other ModelRefused at once.
        """
        link = self._link(profile.provider)
        patience = Patience(link.endpoint.provider, self._clock, self._jitter)
        while True:
            answer = Answer(profile, body)
            try:
                async with aclosing(link.attempt(profile, body, answer)) as chunks:
                    async for chunk in chunks:
                        yield chunk
            except (Trouble, ModelError) as error:
                problem = error
            else:
                break
            log.info("model failed", provider=profile.provider, status=_status(problem))
            if answer.begun:
                if rest := answer.rest():
                    yield Chunk(rest)
                raise AnswerBroken(
                    f"The answer broke off. {problem}. /retry asks again, /continue goes on."
                )
            if self._is_young(profile.model, problem):
                problem = Trouble(f"{profile.model} was just made and is not served yet (404)")
            if isinstance(problem, ModelError):
                raise problem
            seconds = patience.wait(problem)
            yield Chunk(waiting=patience.sentence(problem, seconds))
            self._on_retry(profile.provider)
            await self._clock.sleep(seconds)
        if not answer.visible:
            raise nothing(profile, answer.finish)
        used = answer.usage or await self._tokens.used(body, answer.text)
        yield Chunk(finish=answer.finish, usage=used)

    def _is_young(self, model: str, problem: Trouble | ModelError) -> bool:
        """Whether a model that was not found may be there in a moment."""
        young = self._clock.now() < self._young.get(model, 0.0)
        return young and isinstance(problem, ModelRefused) and problem.status == 404

    def _link(self, provider: str) -> Link:
        if provider not in self._links:
            raise ModelRefused(
                f"There is no provider {provider}: add [providers.{provider}] to the configuration."
            )
        if provider in self._absent:
            raise ModelUnavailable(
                "The model on this machine is not ready yet: try again in a moment."
            )
        endpoint = self._links[provider].endpoint
        if not (endpoint.key.isascii() and endpoint.key.isprintable()):
            raise ModelRefused(
                f"The key in {endpoint.provider.api_key_env} has characters that no key has:"
                " set a valid one."
            )
        return self._links[provider]


def _status(problem: Trouble | ModelError) -> int:
    return problem.status if isinstance(problem, Trouble | ModelRefused) else 0
