"""What the bot is told, and how each attempt to tell it went."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from tests.slack_server.values import Json, Message

PAUSES = (0.0, 0.0, 60.0, 300.0)  # seconds before each attempt

Kind = Literal["events_api", "slash_commands", "interactive"]


class Undelivered(Exception):
    """An attempt failed before its time was up. `final` says that the bot wants no other one."""

    def __init__(self, reason: str, *, final: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.final = final


@dataclass(slots=True)
class Attempt:
    """One delivery of a payload. `number` is 0 for the first, `reason` says why there is another.

    `seconds` is the time until the bot acknowledged it, None while it has not; more than three are
    too late. `sent` is False while there is nobody to send it to, `socket` the number of the
    connection that took it. `failed` is why it was given up.
    """

    number: int
    reason: str
    at: float
    sent: bool = False
    socket: int = 0
    seconds: float | None = None
    failed: str = ""


@dataclass(slots=True, eq=False)
class Payload:
    """Something the bot is told. `outcome` is "" until it is "acknowledged" or "lost".

    `answer` is what came with the acknowledgement; `then` is called with it. `about` is the message
    that an event is about.
    """

    kind: Kind
    body: Json
    about: Message | None = None
    then: Callable[[Json], None] | None = None
    attempts: list[Attempt] = field(default_factory=list)
    outcome: Literal["", "acknowledged", "lost"] = ""
    answer: Json = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The type of the event or the interaction, or the command."""
        event: Json = self.body.get("event", {})
        return str(event.get("type") or self.body.get("command") or self.body["type"])

    @property
    def answerable(self) -> bool:
        """Whether the acknowledgement may carry something: a message, or what becomes of a view."""
        return self.kind == "slash_commands" or self.name == "view_submission"

    @property
    def pauses(self) -> Sequence[float]:
        """The pauses before its attempts. Only events are delivered again: of a command or a press
        that fails the person is told at once.
        """
        return PAUSES if self.kind == "events_api" else PAUSES[:1]


class Way(Protocol):
    """How payloads reach the bot: its sockets, or its request URL. `timeout` is the reason of a
    delivery after one that was not answered in time.
    """

    timeout: str

    async def attempt(self, payload: Payload, attempt: Attempt) -> Json:
        """Deliver once and return the answer to it, however long that takes.

        Raises Undelivered.
        """

    async def close(self) -> None:
        """Deliver no more."""
