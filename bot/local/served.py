"""What answers, seen from the API: llama.cpp, or a vLLM that somebody runs."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Place:
    """Where a request goes. `told` is what it says so that it is answered by one adapter, and
    `properties` where llama.cpp tells what its model can; a vLLM refuses what cannot be by itself.
    """

    base_url: str
    key: str = field(repr=False)
    told: Mapping[str, Any]
    properties: str = ""


class Served(Protocol):
    """A model with whatever adapters it is asked for."""

    @property
    def alive(self) -> bool:
        """Whether it answers, as far as is known."""

    @property
    def adapters(self) -> tuple[str, ...]:
        """The adapters that are loaded."""

    @property
    def answering(self) -> int:
        """How many answers are given or wait for a slot."""

    @property
    def pids(self) -> list[int]:
        """The processes that are ours, but those for embeddings."""

    @property
    def embedding_pids(self) -> list[int]:
        """The processes that are ours and make embeddings."""

    async def start(self) -> None:
        """Return when it answers. Raises LocalUnavailable."""

    async def stop(self) -> None:
        """End what is ours. Answers that it was giving break."""

    def using(self, adapter: str) -> AbstractAsyncContextManager[Place]:
        """Where an adapter answers, "" for the base, as long as this lasts. Raises LocalUnavailable
        where it cannot be loaded; the others are not hurt.
        """

    def embedding(self) -> AbstractAsyncContextManager[Place]:
        """Where the base makes embeddings, as long as this lasts. Raises LocalUnavailable."""

    async def forget(self, *adapters: str) -> None:
        """Have adapters loaded no more, so that they may be deleted."""
