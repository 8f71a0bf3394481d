"""What was said in a conversation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlite_utils import Database

from bot.messages import Attachment, ConversationId, Ending, Role, Turn
from bot.store import attachments, conversations
from bot.store.conversations import Settings, row_of

# What a model is not told of: answers that never were, and those that were asked for again.
UNSAID = (Ending.ASKING, Ending.FAILED, Ending.REPLACED)
ENDLESS = 2**62  # above every id
ROLES = {role.value: role for role in Role}
ENDINGS = {ending.value: ending for ending in Ending}
PAGE = 500  # turns that an export reads at a time
FEEDBACK = "(SELECT coalesce(sum(value), 0) FROM feedback WHERE turn = turns.id)"
COLUMNS = "role, text, id, person, at, ending, continues, attachments"


def insert(
    db: Database,
    conversation: int,
    role: Role,
    person: str,
    text: str,
    ending: Ending,
    now: float,
    *,
    continues: bool = False,
    origin: str = "",
    attached: Sequence[Attachment] = (),
) -> int:
    """A new turn; its row id."""
    files = attachments.dumped(attached)
    new = db.execute(
        "INSERT INTO turns (conversation, role, person, text, at, ending, continues, origin, "
        "attachments) VALUES (?,?,?,?,?,?,?,?,?)",
        [conversation, role, person, text, now, ending, continues, origin, files],
    )
    return int(new.lastrowid or 0)


def since(chosen: Settings) -> int:
    """The turn after which a conversation's turns are read one by one."""
    return max(chosen.memory_from, chosen.summary_to)


def said(
    db: Database, conversation: int, after: int, most: int, before: int = ENDLESS
) -> list[Turn]:
    """The newest turns that a model is told of, oldest first."""
    rows = db.execute(
        f"SELECT {COLUMNS} FROM turns "
        "WHERE conversation = ? AND id > ? AND id < ? AND ending NOT IN (?, ?, ?) "
        "ORDER BY id DESC LIMIT ?",
        [conversation, after, before, *UNSAID, most],
    ).fetchall()
    return [turn(row) for row in reversed(rows)]


def last(db: Database, conversation: int, after: int, role: Role) -> Turn | None:
    """The newest turn of a role that a model would be told of."""
    row = db.execute(
        f"SELECT {COLUMNS} FROM turns "
        "WHERE conversation = ? AND id > ? AND role = ? AND ending NOT IN (?, ?, ?) "
        "ORDER BY id DESC LIMIT 1",
        [conversation, after, role, *UNSAID],
    ).fetchone()
    return turn(row) if row else None


def stands(db: Database, turn: int) -> bool:
    """Whether a turn was not deleted."""
    return db.execute("SELECT 1 FROM turns WHERE id = ?", [turn]).fetchone() is not None


def export(db: Database, conversation: ConversationId, after: int) -> list[Turn]:
    """The next page of everything that was said, in order, `after` the turn of that id."""
    rows = db.execute(
        f"SELECT {COLUMNS} FROM turns "
        "WHERE conversation = ? AND id > ? AND ending != ? ORDER BY id LIMIT ?",
        [row_of(db, conversation), after, Ending.ASKING, PAGE],
    )
    return [turn(row) for row in rows]


def history(db: Database, conversation: ConversationId, before: int, most: int) -> list[Turn]:
    """The newest turns for people to read, oldest first; before the turn of that id, unless 0."""
    rows = db.execute(
        f"SELECT {COLUMNS}, {FEEDBACK} FROM turns WHERE conversation = ? AND id < ? "
        "ORDER BY id DESC LIMIT ?",
        [conversations.known(db, conversation), before or ENDLESS, most],
    ).fetchall()
    return [turn(row)._replace(feedback=liked) for *row, liked in reversed(rows)]


def turn(row: Sequence[Any]) -> Turn:
    """A turn from its columns."""
    role, text, number, person, at, ending, continues, files = row
    return Turn(
        ROLES[role],
        text,
        number,
        person,
        at,
        ENDINGS[ending],
        bool(continues),
        attachments.loaded(files),
    )
