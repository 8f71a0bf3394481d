"""What people think of answers."""

from __future__ import annotations

from sqlite_utils import Database


def give(
    db: Database, adapter: str, channel: str, handle: str, person: str, value: int, now: float
) -> bool:
    """Store what a person thinks of the answer that a handle shows: 1, -1, or 0 to take it back.

    False when there is no such answer.
    """
    turn = db.execute(
        "SELECT t.id FROM handles h JOIN turns t ON t.id = h.turn "
        "JOIN conversations c ON c.id = t.conversation "
        "WHERE h.handle = ? AND c.adapter = ? AND c.channel = ? AND t.role = 'assistant' "
        "ORDER BY t.id DESC",
        [handle, adapter, channel],
    ).fetchone()
    if turn is None:
        return False
    db.execute("DELETE FROM feedback WHERE turn = ? AND person = ?", [turn[0], person])
    if value:
        db.execute("INSERT INTO feedback VALUES (?, ?, ?, ?)", [turn[0], person, value, now])
    return True
