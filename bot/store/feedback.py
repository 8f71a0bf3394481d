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
        "SELECT turns.id FROM turns, json_each(turns.handles) AS handle "
        "WHERE conversation IN (SELECT id FROM conversations WHERE adapter = ? AND channel = ?) "
        "AND role = 'assistant' AND handle.value = ? ORDER BY turns.id DESC",
        [adapter, channel, handle],
    ).fetchone()
    if turn is None:
        return False
    db.execute("DELETE FROM feedback WHERE turn = ? AND person = ?", [turn[0], person])
    if value:
        db.execute("INSERT INTO feedback VALUES (?, ?, ?, ?)", [turn[0], person, value, now])
    return True
