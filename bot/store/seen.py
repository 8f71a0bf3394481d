"""The keys of everything that platforms delivered, by which a repetition is known."""

from __future__ import annotations

from collections.abc import Sequence

from sqlite_utils import Database


def first_seen(db: Database, adapter: str, keys: Sequence[str], now: float) -> bool:
    """Note all keys of something that is new: none of them was there before."""
    keys = [f"{adapter}\x1f{key}" for key in dict.fromkeys(keys)]
    if any(db.execute("SELECT 1 FROM seen WHERE key = ?", [key]).fetchone() for key in keys):
        return False
    db.conn.executemany("INSERT INTO seen (key, at) VALUES (?, ?)", [(key, now) for key in keys])
    return True
