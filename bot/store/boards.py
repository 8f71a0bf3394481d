"""The cards that show a job to those who follow it: where they stand on their platforms."""

from __future__ import annotations

import json
from dataclasses import dataclass

from sqlite_utils import Database

from bot.messages import ConversationId, ReplyTo
from bot.store.conversations import row_of


@dataclass(frozen=True, slots=True)
class Follower:
    """A conversation that follows a job, and what an answer to whoever asked for it needs."""

    id: int
    job: int
    conversation: ConversationId
    person: str
    origin: str

    @property
    def to(self) -> ReplyTo:
        """Where its card is shown."""
        return ReplyTo(self.conversation, f"board-{self.id}", self.origin, self.person)


def follow(
    db: Database, job: int, conversation: ConversationId, person: str, origin: str
) -> Follower:
    """Have a job shown in a conversation; the card that it has there already is left behind."""
    row = row_of(db, conversation)
    db.execute("DELETE FROM followers WHERE job = ? AND conversation = ?", [job, row])
    new = db.execute(
        "INSERT INTO followers (job, conversation, person, origin) VALUES (?, ?, ?, ?)",
        [job, row, person, origin],
    )
    return Follower(int(new.lastrowid or 0), job, conversation, person, origin)


def unfollow(db: Database, job: int, conversation: ConversationId) -> bool:
    """Show a job no more; False where it was not followed."""
    row = row_of(db, conversation)
    return (
        db.execute("DELETE FROM followers WHERE job = ? AND conversation = ?", [job, row]).rowcount
        == 1
    )


def followers(db: Database, job: int) -> list[Follower]:
    """Who follows a job, in the order in which they began."""
    rows = db.execute(
        "SELECT f.id, f.job, c.adapter, c.channel, c.thread, f.person, f.origin "
        "FROM followers f JOIN conversations c ON c.id = f.conversation WHERE f.job = ? "
        "ORDER BY f.id",
        [job],
    )
    return [
        Follower(id_, job, ConversationId(adapter, channel, thread), person, origin)
        for id_, job, adapter, channel, thread, person, origin in rows.fetchall()
    ]


def handles(db: Database, follower: int) -> tuple[str, ...]:
    """The messages that show a follower's card; none while it is on its way."""
    row = db.execute("SELECT handles FROM followers WHERE id = ?", [follower]).fetchone()
    return tuple(json.loads(row[0])) if row else ()


def end(db: Database, follower: int, text: str) -> None:
    """A card shows this from now on, whatever was on its way before."""
    db.execute("UPDATE followers SET last = ? WHERE id = ?", [text, follower])


def last(db: Database, follower: int) -> str | None:
    """What a card shows for good, "" while that is open; None where nobody follows any more."""
    row = db.execute("SELECT last FROM followers WHERE id = ?", [follower]).fetchone()
    return str(row[0]) if row else None


def stands(db: Database, follower: int, handle: str) -> None:
    """A follower's card stands in this message now."""
    db.execute("UPDATE followers SET handles = ? WHERE id = ?", [json.dumps([handle]), follower])
