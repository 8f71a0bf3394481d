"""What was said, as training data is made from it."""

from __future__ import annotations

from sqlite_utils import Database

from bot.messages import ConversationId, Ending, Turn
from bot.store.conversations import known, settings_of
from bot.store.turns import COLUMNS, FEEDBACK, turn


def places(db: Database, where: ConversationId) -> list[int]:
    """The rows of a conversation, or with no thread of all conversations of its channel."""
    if where.thread:
        return [known(db, where)]
    rows = db.execute(
        "SELECT id FROM conversations WHERE adapter = ? AND channel = ? ORDER BY id",
        [where.adapter, where.channel],
    )
    return [row for (row,) in rows.fetchall()]


def said(db: Database, row: int, since: float, model: str) -> list[list[Turn]]:
    """The turns of a conversation since a Unix time with their feedback, oldest first, replaced
    and failed ones too; apart where /reset began anew. `model` leaves out what others answered.
    """
    rows = db.execute(
        f"SELECT {COLUMNS}, {FEEDBACK} FROM turns "
        "WHERE conversation = ? AND at >= ? AND ending != ? "
        "AND (role = 'user' OR ? IN ('', model)) ORDER BY id",
        [row, since, Ending.ASKING, model],
    )
    found = [turn(columns)._replace(feedback=liked) for *columns, liked in rows.fetchall()]
    memory = settings_of(db, row).memory_from if found else 0
    parts = ([each for each in found if (each.id > memory) is newer] for newer in (False, True))
    return [part for part in parts if part]


def last_question(db: Database, where: ConversationId) -> str:
    """What was asked last in a conversation, "" for nothing."""
    found = db.execute(
        "SELECT text FROM turns WHERE conversation = ? AND role = 'user' AND text != '' "
        "ORDER BY id DESC LIMIT 1",
        [known(db, where)],
    ).fetchone()
    return str(found[0]) if found else ""
