"""Who uses the page, and which conversation a request is about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Path, Request

from adapters.http.exchanges import NAME
from bot.messages import ConversationId, Person

Name = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


@dataclass(frozen=True, slots=True)
class Visitor:
    """A person before the page, known by the key that the browser shows; `key` is "" without keys.

    Conversations belong to a key, whatever its place among the others.
    """

    key: str

    @property
    def person(self) -> Person:
        """Who writes, as [access] may name it: "page:" and what stands for the key. It is no
        "http:" one: those are whoever an application says they are.
        """
        return Person(f"page:{self.key or 'local'}")

    @property
    def channel(self) -> str:
        """Where all conversations of this person are."""
        return f"page:{self.key}"

    def conversation(self, name: str) -> ConversationId:
        """One of them, by the name that the page gave it."""
        return ConversationId(NAME, self.channel, name)


def visitor(request: Request) -> Visitor:
    """Who sends a request that the guard let in."""
    return Visitor(request.state.caller)


def conversation(name: Name, who: Annotated[Visitor, Depends(visitor)]) -> ConversationId:
    """The conversation that the path names."""
    return who.conversation(name)


Who = Annotated[Visitor, Depends(visitor)]
Where = Annotated[ConversationId, Depends(conversation)]
