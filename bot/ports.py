"""What the world around the core must offer: platforms, models, a clock."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from bot.messages import (
    Button,
    Chunk,
    ConversationId,
    Document,
    IncomingMessage,
    Person,
    Profile,
    RawEvent,
    Receipt,
    ReplyTo,
    Said,
    Spent,
    Summary,
    Turn,
)


class Clock(Protocol):
    """Time, passed in so that a test can hold it."""

    def now(self) -> float:
        """Unix time in seconds."""

    async def sleep(self, seconds: float) -> None: ...


class SystemClock:
    """The time of the machine."""

    def now(self) -> float:
        """Unix time in seconds."""
        return time.time()

    async def sleep(self, seconds: float) -> None:
        """Let other tasks run for so long."""
        await asyncio.sleep(seconds)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one message of a platform holds, and whether it can show an answer growing.

    A part of an answer ends at the first block boundary after `soft` units and has `hard` units at
    most; 0 means without a limit. `progress` is False where only finished text is shown, `edits`
    where a text that stands cannot be replaced by a newer one.
    """

    soft: int = 0
    hard: int = 0
    unit: Literal["characters", "utf-16", "utf-8"] = "characters"
    progress: bool = True
    edits: bool = True


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

    async def show(self, part: int, text: str, handle: str, *, waiting: bool = False) -> str:
        """Show `text`, the newest whole text of a part that may still grow.

        `handle` is "" for a part that is not shown yet. Return the handle, or "" where what is
        shown is a preview that leaves nothing to complete. `waiting` says that the text is no
        answer yet, but a sentence about why it takes a while.
        """

    async def finish(
        self,
        part: int,
        text: str,
        handle: str,
        *,
        failed: bool = False,
        buttons: Sequence[Button] = (),
    ) -> str:
        """Make the final text of a part stand on the platform and return its handle.

        Repeating it with the handle changes nothing. `failed` says that the text is not what was
        asked for, but a sentence about why not. `buttons` stand below the last part; only
        `ReplyTo.person` may press them.
        """

    async def retract(self, handle: str) -> None:
        """Take away a message that holds no part of the final text."""

    async def attach(self, document: Document) -> None:
        """Send a file below the reply."""

    async def close(self) -> None:
        """Nothing more comes: the reply is done or given up."""


@dataclass(frozen=True, slots=True)
class CommandInfo:
    """A command as an adapter may list it: "/model", "[NAME]", its first line of help, which
    `summaries` has in other languages, by code ("de"). `personal` says that what it tells is for
    who asks alone; one that `takes_file` may come with one.
    """

    name: str
    arguments: str
    summary: str
    operator: bool
    summaries: Mapping[str, str] = field(default_factory=dict)
    personal: bool = False
    takes_file: bool = False


@dataclass(frozen=True, slots=True)
class SecretHeader:
    """Who knocks proves itself by a secret in a header, as Telegram does."""

    header: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Signature:
    """Who knocks proves itself by an HMAC-SHA256 over the time and the body.

    slack: `X-Slack-Signature` over "v0:TIME:BODY" (specs/slack, "Verifying requests"). standard:
    `webhook-signature` over "ID.TIME.BODY" (standardwebhooks.com), as OpenAI's webhooks use; its
    secret may begin with "whsec_". A time further than five minutes from ours is refused.
    """

    scheme: Literal["slack", "standard"]
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Knock:
    """A request at a door, proved and within its limits. Header names are in lower case."""

    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Opened:
    """What the one who knocked gets."""

    status: int = 200
    body: bytes = b""
    media_type: str = "text/plain"


@dataclass(frozen=True, slots=True)
class Door:
    """A path on which a platform calls us by POST, on the server of the HTTP adapter.

    `opens` is called with what passed `proof` and `most_bytes`. When it raises StoreError the
    platform gets a 503, so that it delivers again.
    """

    path: str
    proof: SecretHeader | Signature
    opens: Callable[[Knock], Awaitable[Opened]]
    most_bytes: int = 1_048_576


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

    @property
    def profiles(self) -> Sequence[Profile]:
        """The models to talk to; the first is the one of a conversation that chose none."""

    @property
    def operators(self) -> Sequence[str]:
        """Who is named as an operator, as [access] writes it: "telegram:42"."""

    @property
    def doors(self) -> Sequence[Door]:
        """What platforms may call, for the adapter that has a server."""

    @property
    def files(self) -> Path:
        """The folder into which adapters put what people attach, each under a name of its own."""

    async def shelve(
        self, adapter: str, events: Sequence[tuple[str, str]]
    ) -> Sequence[RawEvent | None]:
        """Commit what a platform delivered before anybody reads it, in one transaction. When this
        returns, the platform may be told that we have it.

        Each is a pair of the key under which it may be delivered again, unique within the adapter,
        "" for none, and its raw text. None stands for one that was seen before. What is on the
        shelf stays there, over restarts, until it becomes a message (`IncomingMessage.events`), is
        taken down or set aside. Raises StoreError.
        """

    async def shelved(self, adapter: str) -> Sequence[RawEvent]:
        """What an earlier run left on the shelf, oldest first: to be read before anything new."""

    async def take_down(self, *events: RawEvent) -> None:
        """Events are dealt with, or were nothing to the bot."""

    async def set_aside(self, event: RawEvent) -> None:
        """An event cannot be read: it is kept for a week, for whoever looks into it."""

    def admits(self, person: Person) -> bool:
        """Whether a person may talk at all. What others attach need not be fetched: hand their
        message in without, and they are told.
        """

    async def receive(self, message: IncomingMessage) -> Receipt:
        """Commit a message. When this returns, the platform may be told that we have it.

        Raises StoreError when it could not be committed: let the platform deliver it again. For a
        message with a question_id, raises AccessDenied or TooFast instead of refusing it: nothing
        of it is kept.
        """

    async def idle(self, conversation: ConversationId) -> None:
        """Return when everything received for a conversation is answered and delivered."""

    async def said(self, conversation: ConversationId, question_id: str) -> Said | None:
        """What was said to a question, also before a restart; None while nothing is.

        Raises StoreError.
        """

    async def withdraw(self, conversation: ConversationId, question_id: str) -> None:
        """Nobody waits for what is said to a question any more: its model call ends, what was there
        by then stays, and the same id may be asked anew.
        """

    async def history(
        self, conversation: ConversationId, before: int = 0, most: int = 50
    ) -> Sequence[Turn]:
        """The newest turns, oldest first; before the turn of that id, if it is given. An answer
        that is owed is among them, with no text.
        """

    async def chosen(self, conversation: ConversationId) -> Profile:
        """Who answers in a conversation."""

    async def conversations(self, adapter: str, channel: str) -> Sequence[Summary]:
        """The conversations of a channel in which something was said, newest first."""

    async def delete(self, conversation: ConversationId) -> None:
        """Delete what is stored of a conversation but its token counts; what runs there stops."""

    async def move(self, adapter: str, channel: str, to: str) -> None:
        """A platform gave a channel another id: its conversations go with it, unless the new id has
        them already.
        """

    async def feedback(
        self, adapter: str, channel: str, handle: str, person: Person, value: int
    ) -> bool:
        """Store what a person thinks of the answer that a handle shows, in whichever thread of the
        channel: 1, -1, or 0 to take it back. False when there is no such answer.
        """

    async def spent(self, person: Person) -> tuple[Spent, Spent]:
        """What a person used today (UTC), and in all."""

    def complete(
        self, person: Person, profile: Profile, turns: Sequence[Turn]
    ) -> AsyncGenerator[Chunk, None]:
        """An answer outside of any conversation, of which only its tokens are remembered.

        `profile` may differ from its namesake in `profiles` in its system prompt, parameters and
        stops. Raises AccessDenied, TooFast or ModelError. Closing the generator ends the model
        call.
        """

    async def ready(self) -> Sequence[Check]:
        """Whether database, providers and adapters work, each by name; not older than 15 s."""


class Adapter(Protocol):
    """A platform. Its module offers `Settings`, a pydantic model of [adapters.NAME], and
    `create(name: str, settings: Settings, environment: Mapping[str, str]) -> Adapter`. Secrets are
    in the environment only; create raises ConfigError where one is missing.
    """

    name: str
    limits: Limits

    @property
    def people(self) -> Sequence[str]:
        """What the ids of its people begin with, before the colon; often its name alone."""

    async def run(self, core: Core) -> None:
        """Take messages in until cancelled. Returning by itself ends the program: a terminal does
        that at the end of its input.
        """

    @property
    def doors(self) -> Sequence[Door]:
        """What the platform may call on the server of another adapter; often nothing."""

    @property
    def opens_doors(self) -> bool:
        """Whether this adapter has a server that offers `Core.doors`."""

    @property
    def trouble(self) -> str:
        """Why the platform cannot be reached just now, a sentence; "" while all is well."""

    def sink(self, to: ReplyTo) -> Sink:
        """A fresh writer for one reply; also after a restart, and while `run` does not run."""

    async def close(self) -> None:
        """Release what sinks need. Called once, after the last of them; `run` has ended."""

    async def check(self) -> Sequence[Check]:
        """Try the platform without taking messages in, for `tunebot check`."""


class ModelClient(Protocol):
    """Streams answers of models."""

    def stream(self, profile: Profile, body: Mapping[str, Any]) -> AsyncGenerator[Chunk, None]:
        """The answer to a request body (see bot.prompt), trimmed at the first stop sequence.

        Closing the generator closes the connection. Raises ModelError, after the last whole chunk.
        """
