"""What the world around the core must offer: platforms, models, a clock."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from bot.messages import (
    Chunk,
    ConversationId,
    Document,
    IncomingMessage,
    Profile,
    Receipt,
    ReplyTo,
)


class Clock(Protocol):
    """Time, passed in so that a test can hold it."""

    def now(self) -> float:
        """Unix time in seconds."""

    async def sleep(self, seconds: float) -> None: ...


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one message of a platform holds, and whether it can show an answer growing.

    A part of an answer ends at the first block boundary after `soft` units and has `hard` units at
    most; 0 means without a limit. `progress` is False where only finished text is shown.
    """

    soft: int = 0
    hard: int = 0
    unit: Literal["characters", "utf-16", "utf-8"] = "characters"
    progress: bool = True


class Sink(Protocol):
    """One reply on a platform. Calls come one at a time, from one writer.

    A reply has parts, numbered from 0, each a message of the platform. A handle is the adapter's
    own note of the message that shows a part; the core stores it and hands it back after a restart,
    so that a half-shown part is completed in place.

    `show` and `finish` raise DeliveryError when the platform may take it later, DeliveryRefused
    when it never will.
    """

    async def ready(self) -> None:
        """Return when the platform would take another `show`. It may be cancelled."""

    async def show(self, part: int, text: str, handle: str) -> str:
        """Show `text`, the newest whole text of a part that may still grow.

        `handle` is "" for a part that is not shown yet. Return the handle, or "" where what is
        shown is a preview that leaves nothing to complete.
        """

    async def finish(self, part: int, text: str, handle: str, *, failed: bool = False) -> str:
        """Make the final text of a part stand on the platform and return its handle.

        Repeating it with the handle changes nothing. `failed` says that the text is not what was
        asked for, but a sentence about why not.
        """

    async def retract(self, handle: str) -> None:
        """Take away a message that holds no part of the final text."""

    async def attach(self, document: Document) -> None:
        """Send a file below the reply."""

    async def close(self) -> None:
        """Nothing more comes: the reply is done or given up."""


@dataclass(frozen=True, slots=True)
class CommandInfo:
    """A command as an adapter may list it: "/model", "[NAME]", its first line of help."""

    name: str
    arguments: str
    summary: str
    operator: bool


@dataclass(frozen=True, slots=True)
class Check:
    """One line of `tunebot check`: what was tried, whether it works, and what was found."""

    what: str
    works: bool
    found: str


class Core(Protocol):
    """What the core offers to an adapter."""

    @property
    def commands(self) -> Sequence[CommandInfo]: ...

    @property
    def greeting(self) -> str:
        """A sentence for a newcomer: who answers here."""

    async def receive(self, message: IncomingMessage) -> Receipt:
        """Commit a message. When this returns, the platform may be told that we have it.

        Raises StoreError when it could not be committed: let the platform deliver it again.
        """

    async def idle(self, conversation: ConversationId) -> None:
        """Return when everything received for a conversation is answered and delivered."""


class Adapter(Protocol):
    """A platform. Its module offers `Settings`, a pydantic model of [adapters.NAME], and
    `create(name: str, settings: Settings) -> Adapter`.
    """

    name: str
    limits: Limits

    async def run(self, core: Core) -> None:
        """Take messages in until cancelled. Returning by itself ends the program: a terminal does
        that at the end of its input.
        """

    def sink(self, to: ReplyTo) -> Sink:
        """A fresh writer for one reply; also after a restart, before or while `run` runs."""

    async def check(self) -> Sequence[Check]:
        """Try the platform without taking messages in, for `tunebot check`."""


class ModelClient(Protocol):
    """Streams answers of models."""

    def stream(self, profile: Profile, body: Mapping[str, Any]) -> AsyncGenerator[Chunk, None]:
        """The answer to a request body (see bot.prompt), trimmed at the first stop sequence.

        Closing the generator closes the connection. Raises ModelError, after the last whole chunk.
        """
