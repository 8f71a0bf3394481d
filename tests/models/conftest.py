"""A scripted model and a client that talks to it, in a time that the test holds."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from bot.errors import BotError
from bot.messages import Chunk, Profile, Provider, Usage
from bot.models.client import HttpModelClient
from tests.clock import HeldClock
from tests.scripted_model import ScriptedModel

KEY = "sk-secret-0123456789"
CHAT = Profile("assistant", "openai", "gpt-4o-mini")
TUNED = Profile(
    "support",
    "openai",
    "davinci-002",
    api="completions",
    separator="\nAgent:",
    answer_prefix=" ",
    stop=(".\n",),
)


@dataclass
class Heard:
    """All that one answer brought."""

    chunks: list[Chunk] = field(default_factory=list)
    error: BotError | None = None

    @property
    def text(self) -> str:
        return "".join(chunk.text for chunk in self.chunks)

    @property
    def waiting(self) -> list[str]:
        return [chunk.waiting for chunk in self.chunks if chunk.waiting]

    @property
    def finish(self) -> str:
        return self.chunks[-1].finish if self.chunks else ""

    @property
    def usage(self) -> Usage | None:
        return self.chunks[-1].usage if self.chunks else None

    @property
    def said(self) -> str:
        """The error's sentence, "" without an error."""
        return str(self.error or "")


class Talk:
    """The provider "openai", which is the scripted model, and one client."""

    def __init__(
        self,
        model: ScriptedModel,
        client: HttpModelClient,
        clock: HeldClock,
        retried: list[str],
    ) -> None:
        self.model = model
        self.client = client
        self.clock = clock
        self.retried = retried

    async def ask(self, profile: Profile = CHAT, question: str = "hi", **params: Any) -> Heard:
        """Everything that the client says for one question, an error too."""
        heard = Heard()
        try:
            async with aclosing(self.client.stream(profile, body(profile, question, params))) as it:
                async for chunk in it:
                    heard.chunks.append(chunk)
        except BotError as error:
            heard.error = error
        return heard


def body(profile: Profile, question: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """A request as bot.prompt makes it."""
    asked: dict[str, Any] = {"model": profile.model, **params}
    if profile.stop:
        asked["stop"] = list(profile.stop)
    if profile.api == "chat":
        return {**asked, "messages": [{"role": "user", "content": question}]}
    return {**asked, "prompt": question + profile.separator}


def talk_with(model: ScriptedModel, key: str = KEY, **fields: Any) -> Talk:
    """A talk whose provider has these fields. Its client must be closed."""
    clock = HeldClock()
    usual = Provider("openai", base_url=model.base_url, api_key_env="OPENAI_API_KEY")
    retried: list[str] = []
    client = HttpModelClient(
        {"openai": replace(usual, **fields)},
        {"openai": key},
        clock,
        on_retry=retried.append,
        jitter=lambda: 1.0,
    )
    return Talk(model, client, clock, retried)


Talks = Callable[..., Talk]


@pytest.fixture
async def talks(model: ScriptedModel) -> AsyncIterator[Talks]:
    """Make talks whose provider has these fields, closed at the end."""
    async with AsyncExitStack() as stack:

        def make(**fields: Any) -> Talk:
            talk = talk_with(model, **fields)
            stack.push_async_callback(talk.client.aclose)
            return talk

        yield make


@pytest.fixture
def talk(talks: Talks) -> Talk:
    return talks()
